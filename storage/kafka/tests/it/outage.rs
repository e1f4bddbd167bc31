//! A broker that is paused, killed or started again: failures in time, and nothing else lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_kafka::{ClusterConfig, Kafka, KafkaLog, KafkaSnapshots, LogConfig, Topic};
use guildhall_model::{Epoch, Position, SessionPartition};
use guildhall_ports::log::LogRecord;
use guildhall_ports::{Failure, Log, Snapshots};

use crate::engine::{self, Broker};

pub(crate) const BOUND: Duration = Duration::from_secs(2);
/// Timers of the client tick once a second, and the machine may be busy.
pub(crate) const GRACE: Duration = Duration::from_secs(6);
/// Longer than a client needs to find a broker again.
const BACK: Duration = Duration::from_mins(1);
/// A broker that comes back is found within this.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

fn hasty(broker: &Broker) -> ClusterConfig {
    let bound = u64::try_from(BOUND.as_millis()).unwrap();
    ClusterConfig {
        ack_timeout_ms: bound,
        request_timeout_ms: bound,
        ..engine::config(broker.address.clone())
    }
}

pub(crate) async fn open(kafka: &Arc<Kafka>) -> KafkaLog {
    let config = LogConfig {
        partitions: engine::PARTITIONS,
        ..LogConfig::default()
    };
    let log = KafkaLog::open(kafka, Topic::Events, config).await;
    log.unwrap()
}

/// A log whose owner writes numbers, and remembers which of them it was told are stable.
pub(crate) struct Owner {
    pub(crate) log: KafkaLog,
    pub(crate) epoch: Epoch,
    next: u32,
    acknowledged: Vec<(Position, u32)>,
}

impl Owner {
    pub(crate) async fn new(kafka: &Arc<Kafka>) -> Self {
        Self {
            log: open(kafka).await,
            epoch: Epoch(1),
            next: 0,
            acknowledged: Vec::new(),
        }
    }

    /// Appends the next number, within the bound whatever happens.
    async fn append(&mut self) -> Result<(), Failure> {
        let (number, began) = (self.next, Instant::now());
        self.next += 1;
        let record = Bytes::copy_from_slice(&number.to_be_bytes());
        let appended = self.log.append(0, self.epoch, vec![record]).await;
        assert!(began.elapsed() < BOUND + GRACE, "{:?}", began.elapsed());
        self.acknowledged.push((appended?[0], number));
        Ok(())
    }

    /// Goes on under a new epoch after each failure, as owners do, until an append is stable.
    pub(crate) async fn append_again(&mut self) {
        let began = Instant::now();
        while let Err(failure) = self.append().await {
            assert!(matches!(failure, Failure::Unavailable { .. }), "{failure}");
            assert!(began.elapsed() < PATIENCE, "{failure}");
            self.epoch = self.epoch.next();
        }
    }

    /// Whatever was acknowledged is there at its place, everything is in the order of the calls,
    /// and nothing is there twice.
    async fn check(&self) {
        let records = read_all(&self.log).await;
        assert!(records.is_sorted_by(|a, b| a.position < b.position));
        let numbers: Vec<_> = records.iter().map(number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        for (position, number_there) in &self.acknowledged {
            let found = records.iter().find(|record| record.position == *position);
            assert_eq!(found.map(number), Some(*number_there));
        }
        for record in &records {
            let slice = self.log.read(0, record.position, 1).await.unwrap();
            assert_eq!(slice.records[0], *record);
        }
    }
}

pub(crate) fn number(record: &LogRecord) -> u32 {
    u32::from_be_bytes(record.payload[..].try_into().unwrap())
}

pub(crate) async fn read_all(log: &KafkaLog) -> Vec<LogRecord> {
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

pub(crate) async fn prepared(broker: &Broker) -> Arc<Kafka> {
    // Its topics are made with more patience than an outage is watched with.
    let config = hasty(broker);
    let patient = ClusterConfig {
        request_timeout_ms: 30_000,
        ..config.clone()
    };
    let maker = engine::connect(patient);
    maker.prepare(&engine::topics()).await.unwrap();
    engine::connect(config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_broker_fails_appends_and_reads_in_time_and_then_all_goes_on() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let mut owner = Owner::new(&kafka).await;
    owner.append_again().await;
    for _ in 0..3 {
        for _ in 0..20 {
            owner.append_again().await;
        }
        broker.script("pause");
        let began = Instant::now();
        // Called one after the other: the second must not be stored if the first is lost.
        let behind = owner
            .log
            .append(0, owner.epoch, vec![Bytes::from(vec![0; 4])]);
        let read = owner.log.read(0, Position::START, usize::MAX).await;
        let failed = owner.log.end(1).await;
        assert!(read.is_ok() || matches!(read, Err(Failure::Unavailable { .. })));
        assert!(matches!(failed, Err(Failure::Unavailable { .. })));
        let behind = behind.await;
        assert!(
            matches!(behind, Err(Failure::Unavailable { .. })),
            "{behind:?}"
        );
        assert!(
            began.elapsed() < 3 * (BOUND + GRACE),
            "{:?}",
            began.elapsed()
        );
        broker.script("resume");
        owner.epoch = owner.epoch.next();
        owner.append_again().await;
    }
    let records = read_all(&owner.log).await;
    let owned: Vec<_> = records.iter().filter(|record| number(record) > 0).collect();
    assert!(owned.is_sorted_by(|a, b| number(a) < number(b)));
    for (position, there) in &owner.acknowledged {
        let found = records.iter().find(|record| record.position == *position);
        assert_eq!(found.map(number), Some(*there));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_that_comes_back_has_all_that_was_acknowledged() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let mut owner = Owner::new(&kafka).await;
    for _ in 0..2 {
        for _ in 0..50 {
            owner.append_again().await;
        }
        broker.script("kill");
        assert!(matches!(
            owner.append().await,
            Err(Failure::Unavailable { .. })
        ));
        owner.epoch = owner.epoch.next();
        broker.script("restart");
        owner.append_again().await;
        owner.check().await;
    }
    // And a process that starts only now sees the same.
    let other = open(&engine::connect(kafka.config().clone())).await;
    assert_eq!(read_all(&other).await, read_all(&owner.log).await);
}

/// While appends are on their way, many at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_its_way_when_a_broker_dies_is_stored_up_to_some_place_and_not_beyond() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let log = open(&kafka).await;
    let record = |n: u32| vec![Bytes::copy_from_slice(&n.to_be_bytes())];
    log.append(0, Epoch(1), record(0)).await.unwrap();
    broker.script("pause");
    let calls: Vec<_> = (1..500)
        .map(|n| log.append(0, Epoch(1), record(n)))
        .collect();
    broker.script("kill");
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    assert!(answers.iter().all(Result::is_err));
    broker.script("restart");
    let began = Instant::now();
    while let Err(failure) = log.append(0, Epoch(2), record(1_000)).await {
        assert!(began.elapsed() < PATIENCE, "{failure}");
    }
    let numbers: Vec<_> = read_all(&log).await.iter().map(number).collect();
    let until = numbers.iter().position(|&n| n == 1_000).unwrap();
    // A prefix of the calls, if anything.
    let expected: Vec<_> = (0..u32::try_from(until).unwrap()).collect();
    assert_eq!(numbers[..until], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_whose_broker_dies_is_whole_or_not_there() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let snapshots = KafkaSnapshots::open(&kafka, engine::PARTITIONS)
        .await
        .unwrap();
    let partition = SessionPartition(1);
    let content = Bytes::from(vec![5; 5_000_000]);
    let began = Instant::now();
    while let Err(failure) = snapshots.put(partition, Position(1), content.clone()).await {
        assert!(began.elapsed() < PATIENCE, "{failure}");
    }
    let put = snapshots.put(partition, Position(2), content.clone());
    let (put, ()) = tokio::join!(put, async { broker.script("kill") });
    broker.script("restart");
    let other = engine::connect(kafka.config().clone());
    let began = Instant::now();
    let other = loop {
        match KafkaSnapshots::open(&other, engine::PARTITIONS).await {
            Ok(opened) => break opened,
            Err(failure) => assert!(began.elapsed() < PATIENCE, "{failure}"),
        }
    };
    let listed = other.list(partition).await.unwrap();
    assert!(listed.starts_with(&[Position(1)]));
    assert!(put.is_err() || listed.len() == 2);
    for upto in listed {
        assert!(other.get(partition, upto).await.unwrap() == Some(content.clone()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_looks_sees_that_the_brokers_are_away_and_that_they_are_back() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let standing = kafka.standing();
    for (away, back) in [("pause", "resume"), ("kill", "restart")] {
        kafka.look().await;
        assert_eq!(standing.away(), None);
        broker.script(away);
        let began = Instant::now();
        kafka.look().await;
        assert!(standing.is_away(), "{away}");
        assert!(began.elapsed() < BOUND + GRACE, "{:?}", began.elapsed());
        broker.script(back);
        while standing.is_away() {
            kafka.look().await;
            assert!(began.elapsed() < BACK, "{back}: {:?}", standing.away());
        }
    }
}
