//! Where partitions begin and end, in their leaders' words.
//!
//! A client asks whom it takes for the leader, and goes on asking a broker that is away for as long as it may.
//! So it may for a part of the time only, and then hears who the leader is now.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::{Bounds, Source, left, timed_out};
use crate::away::Away;
use crate::known::Known;

/// How long a partition's leader is left alone that cannot answer yet.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How long one broker is waited for at most, while there is time left to ask another one.
const ONE_BROKER: Duration = Duration::from_secs(2);

/// Who asks: a consumer, and what its process knows.
pub(crate) struct Asker<'a> {
    pub(crate) consumer: &'a BaseConsumer<Away>,
    pub(crate) known: &'a Known,
}

impl Asker<'_> {
    /// What a partition keeps now: everything that was acknowledged before is below its end. Blocks, and
    /// polls nothing.
    pub(crate) fn bounds(&self, source: &Source, deadline: Instant) -> KafkaResult<Bounds> {
        let (topic, partition) = (&*source.topic, source.partition.into());
        self.patiently(source, deadline, |patience| {
            let told = self.consumer.fetch_watermarks(topic, partition, patience);
            let (start, end) = told?;
            self.accept(source, end)?;
            Ok(Bounds { start, end })
        })
    }

    /// The ends of some partitions in the order of the question, by one request to each leader. All are
    /// told or none. Blocks, and polls nothing.
    pub(crate) fn ends(&self, sources: &[Source], deadline: Instant) -> KafkaResult<Vec<i64>> {
        let Some(any) = sources.first() else {
            return Ok(Vec::new());
        };
        self.patiently(any, deadline, |patience| {
            let ends = ask(self.consumer, sources, patience)?;
            for (source, end) in sources.iter().zip(&ends) {
                self.accept(source, *end)?;
            }
            Ok(ends)
        })
    }

    /// Whoever says less than what is known was the leader once.
    fn accept(&self, source: &Source, end: i64) -> KafkaResult<()> {
        if end < self.known.end(source) {
            let code = RDKafkaErrorCode::FencedLeaderEpoch;
            return Err(KafkaError::MessageConsumption(code));
        }
        self.known
            .raise(&source.topic, source.partition.into(), end);
        Ok(())
    }

    /// Attempts something until the leaders are those that the client asks.
    fn patiently<T>(
        &self,
        source: &Source,
        deadline: Instant,
        attempt: impl Fn(Duration) -> KafkaResult<T>,
    ) -> KafkaResult<T> {
        let patience = || ONE_BROKER.min(left(deadline));
        let mut trouble = None;
        loop {
            let error = match attempt(patience()) {
                Ok(told) => return Ok(told),
                Err(error) if may_pass(&error) => error,
                Err(error) => return Err(error),
            };
            thread::sleep(ASK_AGAIN_AFTER.min(left(deadline)));
            // What it hears, if only later, the client remembers; what this fails with the next attempt
            // shows.
            let topic = Some(&*source.topic);
            let _ = self.consumer.fetch_metadata(topic, patience());
            if Instant::now() >= deadline {
                // That there was no time left says less than what went wrong before.
                return Err(trouble.unwrap_or(error));
            }
            trouble = Some(error);
        }
    }
}

/// The partition has a leader that does not know yet, or not one that we know of, or one that is silent.
fn may_pass(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::FencedLeaderEpoch
                | RDKafkaErrorCode::UnknownLeaderEpoch
                | RDKafkaErrorCode::OffsetNotAvailable
                | RDKafkaErrorCode::BrokerTransportFailure
                // Topics are checked when they are opened: the client has not heard of all yet, or of a broker
                // that has just begun.
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopicOrPartition
                // The brokers name it no more, and with it goes what it was asked.
                | RDKafkaErrorCode::DestroyBroker
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
        )
    )
}

fn ask(
    consumer: &BaseConsumer<Away>,
    sources: &[Source],
    patience: Duration,
) -> KafkaResult<Vec<i64>> {
    let mut asked = TopicPartitionList::with_capacity(sources.len());
    let mut distinct: Vec<_> = sources.iter().collect();
    distinct.sort_unstable_by_key(|source| (&source.topic, source.partition));
    distinct.dedup();
    for source in distinct {
        // "The end" in place of a time: the protocol knows it as one.
        asked.add_partition_offset(&source.topic, source.partition.into(), Offset::End)?;
    }
    let told = consumer.offsets_for_times(asked, patience)?;
    let end = |source: &Source| {
        let told = told.find_partition(&source.topic, source.partition.into());
        let told = told.ok_or_else(timed_out)?;
        told.error()?;
        match told.offset() {
            Offset::Offset(end) => Ok(end),
            _ => Err(timed_out()),
        }
    };
    sources.iter().map(end).collect::<Result<_, KafkaError>>()
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::DefaultProducerContext;

    use super::*;
    use crate::config::ClusterConfig;

    const TOPIC: &str = "test.events";
    type Brokers = MockCluster<'static, DefaultProducerContext>;

    fn source(partition: u16) -> Source {
        Source {
            what: "test",
            topic: TOPIC.into(),
            partition,
        }
    }

    /// A broker with a topic of two partitions, and a client of it.
    fn connected() -> (Brokers, BaseConsumer<Away>) {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic(TOPIC, 2, 1).unwrap();
        let cluster = ClusterConfig::new(brokers.bootstrap_servers());
        let consumer = cluster.consumer().create_with_context(Away::default());
        (brokers, consumer.unwrap())
    }

    #[test]
    fn what_a_client_has_not_heard_of_is_asked_for_again() {
        let (_brokers, consumer) = connected();
        let patience = Duration::from_secs(10);
        for (topic, partition) in [(TOPIC, 7), ("test.frames", 0)] {
            let unknown = consumer.fetch_watermarks(topic, partition, patience);
            let unknown = unknown.unwrap_err();
            assert!(may_pass(&unknown), "{unknown}");
        }
        let asked = ask(&consumer, &[source(0), source(7)], patience);
        let unknown = asked.unwrap_err();
        assert!(may_pass(&unknown), "{unknown}");
    }

    #[test]
    fn a_leader_that_says_less_than_what_is_known_is_not_believed() {
        let (_brokers, consumer) = connected();
        let known = Known::default();
        let asker = Asker {
            consumer: &consumer,
            known: &known,
        };
        let soon = || Instant::now() + Duration::from_secs(1);
        known.raise(TOPIC, 1, 1);
        assert_eq!(asker.bounds(&source(0), soon()).unwrap().end, 0);
        assert_eq!(asker.ends(&[source(0)], soon()).unwrap(), [0]);
        for refused in [
            asker.bounds(&source(1), soon()).err(),
            asker.ends(&[source(0), source(1)], soon()).err(),
        ] {
            let code = refused.and_then(|error| error.rdkafka_error_code());
            assert_eq!(code, Some(RDKafkaErrorCode::FencedLeaderEpoch));
        }
    }
}
