//! Whatever is done to a log, it agrees with plain lists.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::log::Durability;

const PARTITIONS: u16 = 3;

/// Something that happens to a log.
#[derive(Clone, Debug)]
enum Step {
    /// Appends that are called before any is answered: partition and lengths of the records.
    Append(Vec<(u16, Vec<usize>)>),
    /// A stop in good order and a new start.
    Restart,
    /// A start after the last bytes of the last segment were torn off.
    Tear(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let append = (0..PARTITIONS, vec(0_usize..200, 0..4));
    prop_oneof![
        8 => vec(append, 1..6).prop_map(Step::Append),
        1 => Just(Step::Restart),
        1 => (0_u64..400).prop_map(Step::Tear),
    ]
}

/// The records that a log must hold, and a number for the next one's content.
#[derive(Default)]
struct Twin {
    records: [Vec<(Position, Bytes)>; PARTITIONS as usize],
    written: u8,
}

impl Twin {
    async fn append(&mut self, log: &SegmentLog, calls: &[(u16, Vec<usize>)]) {
        let mut answers = Vec::new();
        for (partition, lengths) in calls {
            let mut record = |&length: &usize| {
                self.written = self.written.wrapping_add(1);
                Bytes::from(vec![self.written; length])
            };
            let records: Vec<_> = lengths.iter().map(&mut record).collect();
            answers.push((
                *partition,
                records.clone(),
                log.append(*partition, EPOCH, records),
            ));
        }
        for (partition, records, answer) in answers {
            let positions = answer.await.unwrap();
            assert_eq!(positions.len(), records.len());
            let appended = positions.into_iter().zip(records);
            self.records[usize::from(partition)].extend(appended);
        }
    }

    /// A torn log holds a prefix of what it held.
    fn tear(&mut self, end: Position) {
        for records in &mut self.records {
            records.retain(|(position, _)| *position < end);
        }
    }

    async fn check(&self, log: &SegmentLog) {
        for partition in 0..PARTITIONS {
            let records = try_read(log, partition).await.unwrap();
            let found: Vec<_> = records
                .into_iter()
                .map(|record| (record.position, record.payload))
                .collect();
            let expected = &self.records[usize::from(partition)];
            assert_eq!(&found, expected);
            let first = expected.first().map(|(position, _)| *position);
            let end = log.end(partition).await.unwrap();
            assert_eq!(log.start(partition).await.unwrap(), first.unwrap_or(end));
        }
    }
}

/// Cuts the last segment behind its header.
fn tear(dir: &Path, bytes: u64) {
    let last = segments(dir).pop().unwrap();
    let file = std::fs::File::options().write(true).open(last).unwrap();
    let length = file.metadata().unwrap().len();
    let floor = segment::HEADER_BYTES as u64;
    file.set_len(length.saturating_sub(bytes).max(floor))
        .unwrap();
}

async fn run(segment_bytes: u64, steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        // Nothing here depends on the disk's own memory, and syncs take most of a case's time.
        durability: Durability::Os,
        segment_bytes,
        ..LogConfig::default()
    };
    let mut log = open(dir.path(), config).unwrap();
    let mut twin = Twin::default();
    for step in steps {
        match step {
            Step::Append(calls) => twin.append(&log, &calls).await,
            Step::Restart => {
                log.close().await.unwrap();
                log = open(dir.path(), config).unwrap();
            }
            Step::Tear(bytes) => {
                log.close().await.unwrap();
                tear(dir.path(), bytes);
                log = open(dir.path(), config).unwrap();
                twin.tear(log.end(0).await.unwrap());
            }
        }
        twin.check(&log).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_log_agrees_with_plain_lists(
        segment_bytes in prop_oneof![Just(1_u64), 100_u64..2_000, Just(1 << 20)],
        steps in vec(step(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(segment_bytes, steps));
    }
}
