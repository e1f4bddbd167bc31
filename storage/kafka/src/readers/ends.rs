//! Where many partitions end, in their leaders' words.

use std::thread;
use std::time::Instant;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};

use super::{ASK_AGAIN_AFTER, Source, is_between_leaders, left, timed_out};
use crate::away::Away;

/// The ends in the order of the question: everything that was acknowledged before is below. All
/// are told or none. Blocks, and polls nothing.
pub(crate) fn of(
    consumer: &BaseConsumer<Away>,
    sources: &[Source],
    deadline: Instant,
) -> KafkaResult<Vec<i64>> {
    loop {
        match ask(consumer, sources, deadline) {
            Err(error) if is_between_leaders(&error) && Instant::now() < deadline => {
                thread::sleep(ASK_AGAIN_AFTER);
            }
            asked => return asked,
        }
    }
}

fn ask(
    consumer: &BaseConsumer<Away>,
    sources: &[Source],
    deadline: Instant,
) -> KafkaResult<Vec<i64>> {
    let mut asked = TopicPartitionList::with_capacity(sources.len());
    let mut distinct: Vec<_> = sources.iter().collect();
    distinct.sort_unstable_by_key(|source| (&source.topic, source.partition));
    distinct.dedup();
    for source in distinct {
        // "The end" in place of a time: the protocol knows it as one.
        asked.add_partition_offset(&source.topic, source.partition.into(), Offset::End)?;
    }
    let told = consumer.offsets_for_times(asked, left(deadline))?;
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
