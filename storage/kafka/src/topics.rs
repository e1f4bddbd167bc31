//! The topics of a cluster: made once, checked whenever one is opened.
//!
//! The brokers drop nothing of the logs by themselves. A log is released by who has read it, and
//! an outage that is longer than a retention time would otherwise cost what nobody has read yet.

use std::time::{Duration, Instant};

use guildhall_ports::Failure;
use rdkafka::admin::{NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use tracing::info;

use crate::config::{RECORD_BYTES_MAX, RECORD_OVERHEAD_BYTES, Topic};
use crate::connection::Kafka;
use crate::failure::unavailable;

const WHAT: &str = "Kafka's topics";
/// Which snapshots there are, by session partition.
pub(crate) const SNAPSHOTS: &str = "snap";
/// What is in them, by session partition.
pub(crate) const SNAPSHOT_PARTS: &str = "snap-parts";
const FOREVER: &str = "-1";
const SEGMENT_BYTES: &str = "268435456";
const CHECK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// How the topics of a cluster are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Partitions of `events`. Fixed for the life of a cluster.
    pub event_partitions: u16,
    /// Partitions of `frames` and of the snapshots. Fixed for the life of a cluster.
    pub session_partitions: u16,
    /// Brokers that store each record.
    pub replication: u16,
    /// Brokers that must have stored an append before it is acknowledged. One less than
    /// `replication` lets one broker fail.
    pub in_sync_min: u16,
    /// Milliseconds after which a segment of `events` is closed. Disk space is given back by
    /// whole segments.
    pub events_segment_ms: u64,
    /// The same for `frames` and the snapshots.
    pub frames_segment_ms: u64,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            event_partitions: 64,
            session_partitions: 64,
            replication: 3,
            in_sync_min: 2,
            events_segment_ms: 3_600 * 1_000,
            frames_segment_ms: 5 * 60 * 1_000,
        }
    }
}

/// What drops records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleanup {
    /// Only who uses it.
    Nothing,
    /// A newer record of the same key.
    Compaction,
}

impl Cleanup {
    const fn policy(self) -> &'static str {
        match self {
            Self::Nothing => "delete",
            Self::Compaction => "compact",
        }
    }
}

struct Plan {
    name: &'static str,
    partitions: u16,
    cleanup: Cleanup,
    segment_ms: u64,
}

impl Topics {
    fn plans(&self) -> [Plan; 4] {
        let plan = |name, partitions, cleanup, segment_ms| Plan {
            name,
            partitions,
            cleanup,
            segment_ms,
        };
        let (events, sessions) = (self.event_partitions, self.session_partitions);
        let (day, minutes) = (self.events_segment_ms, self.frames_segment_ms);
        [
            plan(Topic::Events.name(), events, Cleanup::Nothing, day),
            plan(Topic::Frames.name(), sessions, Cleanup::Nothing, minutes),
            plan(SNAPSHOTS, sessions, Cleanup::Compaction, minutes),
            plan(SNAPSHOT_PARTS, sessions, Cleanup::Nothing, minutes),
        ]
    }
}

impl Kafka {
    /// Makes the topics that are not there yet and checks the others, which it never changes.
    /// `Damaged` if one is not as it must be.
    pub async fn prepare(&self, topics: &Topics) -> Result<(), Failure> {
        let plans = topics.plans();
        self.make(topics, &plans).await?;
        let deadline = Instant::now() + self.config.request_timeout();
        for plan in &plans {
            // Brokers hear of a new topic a moment after the controller has made it.
            while let Err(failure) = self.check(plan.name, plan.partitions, plan.cleanup).await {
                let is_late = Instant::now() >= deadline;
                if is_late || !matches!(failure, Failure::Unavailable { .. }) {
                    return Err(failure);
                }
                tokio::time::sleep(CHECK_AGAIN_AFTER).await;
            }
        }
        Ok(())
    }

    /// The topics that are not there yet. Fails as [`Self::prepare`] does if another one is not as
    /// it must be. Changes nothing.
    pub async fn missing(&self, topics: &Topics) -> Result<Vec<String>, Failure> {
        let mut missing = Vec::new();
        for plan in &topics.plans() {
            let topic = self.config.topic(plan.name);
            if self.count_partitions(&topic).await? == 0 {
                missing.push(topic);
            } else {
                self.check(plan.name, plan.partitions, plan.cleanup).await?;
            }
        }
        Ok(missing)
    }

    async fn make(&self, topics: &Topics, plans: &[Plan]) -> Result<(), Failure> {
        let in_sync = topics.in_sync_min.to_string();
        let bytes = (RECORD_BYTES_MAX + RECORD_OVERHEAD_BYTES).to_string();
        let named: Vec<_> = plans
            .iter()
            .map(|plan| {
                (
                    self.config.topic(plan.name),
                    plan.segment_ms.to_string(),
                    plan,
                )
            })
            .collect();
        let new = named.iter().map(|(name, segment_ms, plan)| {
            let replication = TopicReplication::Fixed(topics.replication.into());
            NewTopic::new(name, plan.partitions.into(), replication)
                .set("cleanup.policy", plan.cleanup.policy())
                .set("retention.ms", FOREVER)
                .set("retention.bytes", FOREVER)
                .set("segment.ms", segment_ms)
                .set("segment.bytes", SEGMENT_BYTES)
                .set("min.insync.replicas", &in_sync)
                .set("unclean.leader.election.enable", "false")
                .set("max.message.bytes", &bytes)
                // What was appended when is the brokers' to say: retention goes by it.
                .set("message.timestamp.type", "LogAppendTime")
                // Only where it compacts: who reads for less than this sees every tombstone.
                .set("delete.retention.ms", "3600000")
                .set("min.cleanable.dirty.ratio", "0.1")
        });
        let new: Vec<_> = new.collect();
        let made = self
            .admin
            .create_topics(&new, &self.admin_options())
            .await
            .map_err(|error| unavailable(WHAT, &error))?;
        for made in made {
            match made {
                Ok(topic) => info!("made the topic {topic}"),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    let why = format!("topic {topic} cannot be made: {code}");
                    return Err(Failure::unavailable(WHAT, why));
                }
            }
        }
        Ok(())
    }

    /// A topic is there, with exactly so many partitions and nothing that drops records on its
    /// own. Anything else would be another cluster's, or lose what was acknowledged.
    pub(crate) async fn check(
        &self,
        name: &str,
        partitions: u16,
        cleanup: Cleanup,
    ) -> Result<(), Failure> {
        let topic = self.config.topic(name);
        let found = self.count_partitions(&topic).await?;
        if found == 0 {
            let why = format!("there is no topic {topic}: prepare the cluster first");
            return Err(Failure::unavailable(WHAT, why));
        }
        if found != usize::from(partitions) {
            let why = format!(
                "topic {topic} has {found} partitions, but the cluster is set to {partitions}: \
                 the number is fixed for the life of a cluster, so set it as it was"
            );
            return Err(Failure::damaged(WHAT, why));
        }
        self.check_settings(&topic, cleanup).await
    }

    async fn check_settings(&self, topic: &str, cleanup: Cleanup) -> Result<(), Failure> {
        let resource = [ResourceSpecifier::Topic(topic)];
        let described = self
            .admin
            .describe_configs(&resource, &self.admin_options())
            .await
            .map_err(|error| unavailable(WHAT, &error))?;
        let settings = described.into_iter().next().and_then(Result::ok);
        // What cannot be described comes without settings, and without a reason.
        let Some(settings) = settings.filter(|settings| !settings.entries.is_empty()) else {
            let why = format!("the settings of topic {topic} cannot be looked at");
            return Err(Failure::unavailable(WHAT, why));
        };
        let wanted = [
            ("cleanup.policy", cleanup.policy()),
            ("retention.ms", FOREVER),
            ("retention.bytes", FOREVER),
        ];
        for (key, wanted) in wanted {
            let found = settings.get(key).and_then(|entry| entry.value.as_deref());
            if found != Some(wanted) {
                let found = found.unwrap_or("nothing");
                let why = format!("topic {topic} has {key}={found}, set it to {wanted}");
                return Err(Failure::damaged(WHAT, why));
            }
        }
        Ok(())
    }

    /// How many partitions a topic has; none if there is no such topic.
    async fn count_partitions(&self, topic: &str) -> Result<usize, Failure> {
        let source = self.source(WHAT, "", 0);
        let topic = topic.to_owned();
        self.readers
            .run(&source, move |reader, _, deadline| {
                reader.count_partitions(&topic, deadline)
            })
            .await
    }
}
