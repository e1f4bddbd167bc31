//! The way to the brokers that all parts of a process share: readers, followers, and the client of
//! requests that change topics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::TryFutureExt;
use guildhall_ports::{Failure, Standing};
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::error::KafkaError;

use crate::away::Away;
use crate::config::{ClusterConfig, Topic};
use crate::failure::unavailable;
use crate::followers::{Followers, Seat};
use crate::known::Known;
use crate::readers::{Readers, Source};

const WHAT: &str = "Kafka";
/// Consumers of a process: as many reads go on at a time.
const READERS: usize = 4;
/// How long the brokers may take to show that they are there.
const LOOK: Duration = Duration::from_secs(2);

/// A cluster of brokers. Nothing is asked of it before the first use, so it may be away.
pub struct Kafka {
    pub(crate) config: ClusterConfig,
    pub(crate) readers: Readers,
    followers: Followers,
    pub(crate) admin: AdminClient<Away>,
    pub(crate) away: Away,
    pub(crate) known: Known,
}

impl Kafka {
    /// Starts the clients. `Unavailable` if the settings are not such as they take.
    pub fn connect(config: ClusterConfig) -> Result<Arc<Self>, Failure> {
        let (away, known) = (Away::default(), Known::default());
        let failed = |error: KafkaError| unavailable(WHAT, &error);
        let readers = Readers::start(&config, READERS, &away, &known).map_err(failed)?;
        let followers = Followers::start(&config, &away, &known).map_err(failed)?;
        let admin = config.client().create_with_context(away.clone());
        Ok(Arc::new(Self {
            admin: admin.map_err(failed)?,
            config,
            readers,
            followers,
            away,
            known,
        }))
    }

    /// How the brokers are reached.
    pub const fn config(&self) -> &ClusterConfig {
        &self.config
    }

    /// Whether the brokers can be reached, as all that this process asks of them tells.
    pub fn standing(&self) -> Standing {
        self.away.standing().clone()
    }

    /// Asks the brokers for next to nothing, for the sake of [`Self::standing`]. It takes two
    /// seconds where nobody answers, and longer where many reads wait.
    pub async fn look(&self) {
        let events = self.source(WHAT, Topic::Events.name(), 0);
        // The outcome is noted on the way.
        let _ = self
            .readers
            .run(&events, |reader, source, deadline| {
                reader.bounds(source, deadline.min(Instant::now() + LOOK))
            })
            .await;
    }

    pub(crate) fn source(&self, what: &'static str, name: &str, partition: u16) -> Source {
        Source {
            what,
            topic: self.config.topic(name).into(),
            partition,
        }
    }

    /// A place at a partition's tail. It hears of everything that is stored after this call, and
    /// perhaps of something before.
    pub(crate) async fn follow(&self, source: &Source) -> Result<Seat, Failure> {
        let followers = self.followers.shared();
        if let Some(seat) = followers.join(source) {
            return Ok(seat);
        }
        self.readers
            .run(source, move |reader, source, deadline| {
                let bounds = reader.bounds(source, deadline)?;
                followers.follow(source, bounds.end)
            })
            .await
    }

    pub(crate) fn admin_options(&self) -> AdminOptions {
        let patience = self.config.request_timeout();
        AdminOptions::new()
            .request_timeout(Some(patience))
            .operation_timeout(Some(patience))
    }

    /// Drops the records of a partition before an offset, for good.
    pub(crate) async fn delete_before(&self, source: &Source, offset: i64) -> Result<(), Failure> {
        let what = source.what;
        let failed = |error: KafkaError| unavailable(what, &error);
        let partition = i32::from(source.partition);
        let mut before = TopicPartitionList::new();
        before
            .add_partition_offset(&source.topic, partition, Offset::Offset(offset))
            .map_err(failed)?;
        let deleted = self
            .admin
            .delete_records(&before, &self.admin_options())
            .map_err(failed)
            .await?;
        if let Some(partition) = deleted.find_partition(&source.topic, partition) {
            partition.error().map_err(failed)?;
        }
        self.readers
            .run(source, |reader, source, _| {
                reader.forget(source);
                Ok(())
            })
            .await
    }
}
