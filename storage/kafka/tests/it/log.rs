//! The log keeps every promise of its port, and some that only a log of many processes makes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_kafka::{Kafka, KafkaLog, LogConfig, Topic};
use guildhall_model::{Epoch, Position, Timestamp};
use guildhall_ports::conformance::log::Fixture;
use guildhall_ports::log::{LogRecord, SharedLog};
use guildhall_ports::{Failure, Log};

use crate::engine;

const EPOCH: Epoch = Epoch(1);
/// A time at which everything is old.
const LATER: Timestamp = Timestamp(4_000_000_000_000);

fn config() -> LogConfig {
    LogConfig {
        partitions: engine::PARTITIONS,
        ..LogConfig::default()
    }
}

async fn open(kafka: &Arc<Kafka>) -> Arc<KafkaLog> {
    let log = KafkaLog::open(kafka, Topic::Events, config()).await;
    Arc::new(log.unwrap())
}

/// What outlives a log is its cluster.
struct OnKafka {
    kafka: Arc<Kafka>,
    log: Arc<KafkaLog>,
}

#[async_trait]
impl Fixture for OnKafka {
    fn log(&self) -> SharedLog {
        Arc::clone(&self.log) as SharedLog
    }

    async fn restart(&mut self) {
        self.log.close().await.unwrap();
        // As another process: nothing that clients remember is kept.
        self.kafka = engine::connect(self.kafka.config().clone());
        self.log = open(&self.kafka).await;
    }

    async fn trim(&mut self) {
        self.log.trim(LATER).await.unwrap();
    }

    fn last_partition(&self) -> u16 {
        engine::PARTITIONS - 1
    }
}

async fn fresh() -> Option<(OnKafka, ())> {
    let kafka = engine::cluster().await?;
    let log = open(&kafka).await;
    Some((OnKafka { kafka, log }, ()))
}

guildhall_ports::log_promises!(fresh);
guildhall_ports::follow_promises!(fresh);

fn payload(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

async fn append(log: &KafkaLog, epoch: Epoch, text: &str) -> Position {
    log.append(0, epoch, vec![payload(text)]).await.unwrap()[0]
}

async fn read_all(log: &KafkaLog) -> Vec<LogRecord> {
    let mut records = Vec::new();
    let mut from = Position::START;
    loop {
        let slice = log.read(0, from, 1 << 20).await.unwrap();
        if slice.records.is_empty() {
            return records;
        }
        records.extend(slice.records);
        from = slice.next;
    }
}

fn texts(records: &[LogRecord]) -> Vec<String> {
    let text = |record: &LogRecord| String::from_utf8(record.payload.to_vec()).unwrap();
    records.iter().map(text).collect()
}

#[tokio::test]
async fn another_process_sees_an_append_as_soon_as_it_is_acknowledged() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let (one, other) = (open(&kafka).await, engine::connect(kafka.config().clone()));
    let other = open(&other).await;
    let mut next = Position::START;
    for n in 0..50 {
        let (writer, reader) = if n % 2 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        let position = append(writer, EPOCH, &n.to_string()).await;
        assert!(position < reader.end(0).await.unwrap());
        let slice = reader.read(0, next, 1 << 20).await.unwrap();
        assert_eq!(texts(&slice.records), [n.to_string()]);
        next = slice.next;
    }
}

/// An owner that does not know that it was replaced: its appends are simply there, with its epoch.
#[tokio::test]
async fn a_late_append_of_a_former_owner_keeps_its_epoch() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let (former, owner) = (open(&kafka).await, open(&kafka).await);
    append(&former, Epoch(1), "mine").await;
    append(&owner, Epoch(2), "taken over").await;
    append(&former, Epoch(1), "still mine?").await;
    append(&owner, Epoch(2), "no").await;
    let records = read_all(&owner).await;
    assert_eq!(texts(&records), ["mine", "taken over", "still mine?", "no"]);
    let epochs: Vec<_> = records.iter().map(|record| record.epoch.0).collect();
    assert_eq!(epochs, [1, 2, 1, 2]);
}

#[tokio::test]
async fn an_owner_knows_without_reading_whether_another_process_may_have_written_before_it() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let (owner, other) = (open(&kafka).await, engine::connect(kafka.config().clone()));
    let other = open(&other).await;
    let behind = |position: Position| Position(position.0 + 1);
    let mut last = append(&owner, EPOCH, "first").await;
    for n in 0..20 {
        let records = (0..=n).map(|n| payload(n.to_string())).collect();
        let places = owner.append(0, EPOCH, records).await.unwrap();
        assert!(owner.is_next(behind(last), places[0]), "{n}");
        last = places[places.len() - 1];
    }
    for _ in 0..3 {
        append(&other, EPOCH, "in between").await;
        let place = append(&owner, EPOCH, "next").await;
        assert!(!owner.is_next(behind(last), place));
        last = place;
    }
}

#[tokio::test]
async fn writers_of_many_processes_share_one_order() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let mut writers = Vec::new();
    for writer in 0..4_u32 {
        let log = open(&engine::connect(kafka.config().clone())).await;
        writers.push(tokio::spawn(async move {
            for n in 0..50 {
                append(&log, Epoch(writer), &n.to_string()).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let records = read_all(&*open(&kafka).await).await;
    assert_eq!(records.len(), 200);
    assert!(records.is_sorted_by(|a, b| a.position < b.position));
    for writer in 0..4_u32 {
        let own: Vec<_> = records
            .iter()
            .filter(|record| record.epoch == Epoch(writer))
            .cloned()
            .collect();
        let expected: Vec<_> = (0..50).map(|n| n.to_string()).collect();
        assert_eq!(texts(&own), expected);
    }
}

#[tokio::test]
async fn an_append_beyond_the_bound_of_what_waits_is_refused_at_once() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let config = LogConfig {
        queue_appends_max: 10,
        queue_bytes_max: 1_000,
        ..config()
    };
    let log = KafkaLog::open(&kafka, Topic::Events, config).await.unwrap();
    let long = log
        .append(0, EPOCH, vec![Bytes::from(vec![0; 1_001])])
        .await;
    assert!(matches!(long, Err(Failure::Unavailable { .. })));
    let calls: Vec<_> = (0..1_000)
        .map(|n| log.append(0, EPOCH, vec![payload(n.to_string())]))
        .collect();
    let (mut taken, mut refused) = (0, 0);
    for call in calls {
        match call.await {
            Ok(_) => taken += 1,
            Err(Failure::Unavailable { why, .. }) => {
                assert!(why.contains("too many appends"), "{why}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(
        taken >= 10 && refused > 0,
        "{taken} taken, {refused} refused"
    );
    // What was answered makes room.
    append(&log, EPOCH, "later").await;
}

#[tokio::test]
async fn a_record_over_the_bound_and_a_foreign_partition_are_refused() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let log = open(&kafka).await;
    let longest = Bytes::from(vec![7; 4 * 1024 * 1024 - 64]);
    let longer = Bytes::from(vec![7; longest.len() + 1]);
    let refused = log.append(0, EPOCH, vec![longer]).await;
    assert!(matches!(refused, Err(Failure::Unavailable { .. })));
    log.append(0, EPOCH, vec![longest.clone()]).await.unwrap();
    assert!(read_all(&log).await[0].payload == longest);
    let foreign = log
        .append(engine::PARTITIONS, EPOCH, vec![payload("x")])
        .await;
    assert!(matches!(foreign, Err(Failure::Unavailable { .. })));
    let foreign = log.read(engine::PARTITIONS, Position::START, 1).await;
    assert!(matches!(foreign, Err(Failure::Unavailable { .. })));
}

#[tokio::test]
async fn a_young_record_is_kept_though_it_is_released() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let log = open(&kafka).await;
    for n in 0..5 {
        append(&log, EPOCH, &n.to_string()).await;
    }
    let whole = read_all(&log).await;
    log.release(0, log.end(0).await.unwrap()).await.unwrap();
    log.trim(guildhall_ports::Env::system().now())
        .await
        .unwrap();
    assert_eq!(read_all(&log).await, whole);
    log.trim(LATER).await.unwrap();
    assert_eq!(read_all(&log).await, []);
}

#[tokio::test]
async fn a_closed_log_refuses_appends_and_keeps_those_before() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let log = open(&kafka).await;
    let before: Vec<_> = (0..100)
        .map(|n| log.append(0, EPOCH, vec![payload(n.to_string())]))
        .collect();
    log.close().await.unwrap();
    for append in before {
        append.await.unwrap();
    }
    let after = log.append(0, EPOCH, vec![payload("late")]).await;
    assert!(matches!(after, Err(Failure::Closing)));
    assert_eq!(read_all(&log).await.len(), 100);
}
