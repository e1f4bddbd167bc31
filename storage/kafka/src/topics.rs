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
use crate::readers::Shape;

const WHAT: &str = "Kafka's topics";
/// Which snapshots there are, by session partition.
pub(crate) const SNAPSHOTS: &str = "snap";
/// What is in them, by session partition.
pub(crate) const SNAPSHOT_PARTS: &str = "snap-parts";
/// Brokers that store each record, where there are as many and nobody says otherwise.
const REPLICAS: u16 = 3;
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
    /// Brokers that store each record; an append is acknowledged when all of them but one have stored it, so
    /// that one may fail. `None`: three, or as many as there are when topics are made.
    pub replicas: Option<u16>,
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
            replicas: None,
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
            let shape = self.shape(&topic).await?;
            if shape.partitions == 0 {
                replicas(topics, &shape)?;
                missing.push(topic);
            } else {
                self.check(plan.name, plan.partitions, plan.cleanup).await?;
            }
        }
        Ok(missing)
    }

    /// How many brokers store the records of each topic that is there.
    pub async fn replicas(&self, topics: &Topics) -> Result<Vec<(String, u16)>, Failure> {
        let mut found = Vec::new();
        for plan in &topics.plans() {
            let topic = self.config.topic(plan.name);
            let shape = self.shape(&topic).await?;
            if shape.partitions > 0 {
                found.push((topic, shape.replicas));
            }
        }
        Ok(found)
    }

    async fn make(&self, topics: &Topics, plans: &[Plan]) -> Result<(), Failure> {
        let bytes = (RECORD_BYTES_MAX + RECORD_OVERHEAD_BYTES).to_string();
        let mut named = Vec::new();
        for plan in plans {
            let name = self.config.topic(plan.name);
            let shape = self.shape(&name).await?;
            if shape.partitions == 0 {
                let (replicas, in_sync) = replicas(topics, &shape)?;
                let texts = (in_sync.to_string(), plan.segment_ms.to_string());
                named.push((name, replicas, texts, plan));
            }
        }
        if named.is_empty() {
            return Ok(());
        }
        let new = named.iter().map(|(name, replicas, texts, plan)| {
            let replication = TopicReplication::Fixed((*replicas).into());
            let (in_sync, segment_ms) = texts;
            NewTopic::new(name, plan.partitions.into(), replication)
                .set("cleanup.policy", plan.cleanup.policy())
                .set("retention.ms", FOREVER)
                .set("retention.bytes", FOREVER)
                .set("segment.ms", segment_ms)
                .set("segment.bytes", SEGMENT_BYTES)
                .set("min.insync.replicas", in_sync)
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
            .map_err(|error| self.away.explain(unavailable(WHAT, &error)))?;
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
        let found = self.shape(&topic).await?.partitions;
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

    async fn shape(&self, topic: &str) -> Result<Shape, Failure> {
        let source = self.source(WHAT, "", 0);
        let topic = topic.to_owned();
        let counted = self
            .readers
            .run(&source, move |reader, _, deadline| {
                reader.shape(&topic, deadline)
            })
            .await;
        counted.map_err(|failure| self.away.explain(failure))
    }
}

/// How many brokers are to store each record of a new topic, and how many of them before it is acknowledged.
fn replicas(topics: &Topics, found: &Shape) -> Result<(u16, u16), Failure> {
    let brokers = found.brokers;
    let replicas = topics.replicas.unwrap_or(brokers.min(REPLICAS)).max(1);
    if replicas > brokers {
        let why = format!(
            "each record is to be on {replicas} brokers, but there are {brokers}: start the others, or set \
             fewer replicas"
        );
        return Err(Failure::unavailable(WHAT, why));
    }
    Ok((replicas, replicas.saturating_sub(1).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(wanted: Option<u16>, brokers: u16) -> Result<(u16, u16), String> {
        let topics = Topics {
            replicas: wanted,
            ..Topics::default()
        };
        let found = Shape {
            partitions: 0,
            replicas: 0,
            brokers,
        };
        replicas(&topics, &found).map_err(|failure| failure.to_string())
    }

    #[test]
    fn records_are_on_three_brokers_where_there_are_as_many_and_one_of_them_may_fail() {
        assert_eq!(
            [1, 2, 3, 9].map(|n| made(None, n).unwrap()),
            [(1, 1), (2, 1), (3, 2), (3, 2)]
        );
        assert_eq!(
            [1, 2, 5].map(|n| made(Some(n), 5).unwrap()),
            [(1, 1), (2, 1), (5, 4)]
        );
    }

    #[test]
    fn more_replicas_than_brokers_are_refused_with_both_numbers() {
        let why = made(Some(3), 1).unwrap_err();
        assert!(why.contains("on 3 brokers, but there are 1:"), "{why}");
        assert!(made(Some(3), 2).is_err());
        assert!(made(None, 0).is_err(), "nobody is there");
    }
}
