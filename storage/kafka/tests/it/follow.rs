//! Followers of a broker that is paused, killed and started again, and of other processes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use guildhall_kafka::KafkaLog;
use guildhall_model::{Epoch, Position};
use guildhall_ports::{Failure, Log};
use tokio::sync::watch;

use crate::engine::{self, Broker};
use crate::outage::{BOUND, GRACE, Owner, PATIENCE, number, open, prepared, read_all};

/// Follows the first partition, again after each failure, and tells what it hears.
struct Follower {
    log: KafkaLog,
    heard: watch::Sender<Heard>,
}

#[derive(Clone, Default)]
struct Heard {
    records: Vec<(Position, u32)>,
    failures: usize,
}

impl Follower {
    async fn run(self) {
        let mut at = Position::START;
        let began = Instant::now();
        loop {
            let mut slices = self.log.follow(0, at, 64);
            while let Some(slice) = slices.next().await {
                match slice {
                    Ok(slice) => {
                        at = slice.next;
                        let records = slice.records.iter();
                        let records = records.map(|record| (record.position, number(record)));
                        self.heard
                            .send_modify(|heard| heard.records.extend(records));
                    }
                    Err(failure) => {
                        assert!(matches!(failure, Failure::Unavailable { .. }), "{failure}");
                        assert!(began.elapsed() < 3 * PATIENCE, "{failure}");
                        self.heard.send_modify(|heard| heard.failures += 1);
                    }
                }
            }
        }
    }
}

/// Waits until something was heard.
async fn until(heard: &mut watch::Receiver<Heard>, is_so: impl FnMut(&Heard) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, heard.wait_for(is_so)).await;
    waited.expect("it is heard in time").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_across_killed_and_paused_brokers_misses_nothing_and_hears_nothing_twice() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let mut owner = Owner::new(&kafka).await;
    let (told, mut heard) = watch::channel(Heard::default());
    let follower = Follower {
        log: open(&engine::connect(kafka.config().clone())).await,
        heard: told,
    };
    let following = tokio::spawn(follower.run());
    for (down, up) in [("kill", "restart"), ("pause", "resume")] {
        for _ in 0..50 {
            owner.append_again().await;
        }
        let failures = heard.borrow().failures;
        broker.script(down);
        let began = Instant::now();
        until(&mut heard, |heard| heard.failures > failures).await;
        assert!(began.elapsed() < 2 * BOUND + GRACE, "{:?}", began.elapsed());
        owner.epoch = owner.epoch.next();
        broker.script(up);
        owner.append_again().await;
    }
    let records = read_all(&owner.log).await;
    let stored: Vec<_> = records.iter().map(|it| (it.position, number(it))).collect();
    assert!(stored.len() > 100);
    until(&mut heard, |heard| heard.records.len() >= stored.len()).await;
    assert_eq!(heard.borrow().records, stored);
    following.abort();
}

/// A broker that is back before anybody has missed it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_many_partitions_goes_on_when_its_broker_is_started_again() {
    let Some(broker) = Broker::start() else {
        return;
    };
    let kafka = prepared(&broker).await;
    let log = Arc::new(open(&kafka).await);
    let record = |n: u32| vec![Bytes::copy_from_slice(&n.to_be_bytes())];
    let mut places = Vec::new();
    for partition in 0..engine::PARTITIONS {
        let mut slices = log.follow(partition, Position::START, 1);
        log.append(partition, Epoch(1), record(0)).await.unwrap();
        let slice = slices.next().await.unwrap().unwrap();
        places.push((partition, slice.next, slices));
    }
    broker.script("restart");
    for (partition, at, mut slices) in places {
        let began = Instant::now();
        while let Err(failure) = log.append(partition, Epoch(2), record(1)).await {
            assert!(began.elapsed() < PATIENCE, "{failure}");
        }
        let slice = loop {
            match slices.next().await {
                Some(Ok(slice)) => break slice,
                _ => slices = log.follow(partition, at, 1),
            }
            assert!(began.elapsed() < PATIENCE, "{partition}");
        };
        assert_eq!(number(&slice.records[0]), 1);
        let stored = log.read(partition, at, 1).await.unwrap();
        assert_eq!(slice.records, stored.records);
    }
}

#[tokio::test]
async fn a_follower_hears_what_another_process_appends() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let log = open(&kafka).await;
    let other = open(&engine::connect(kafka.config().clone())).await;
    let mut slices = log.follow(0, Position::START, 1 << 20);
    for n in 0..50_u32 {
        assert!(slices.next().now_or_never().is_none());
        let record = Bytes::copy_from_slice(&n.to_be_bytes());
        let appended = other.append(0, Epoch(n), vec![record]).await.unwrap();
        let slice = slices.next().await.unwrap().unwrap();
        assert_eq!(slice.records.len(), 1);
        assert_eq!(slice.records[0].position, appended[0]);
        assert_eq!(
            (number(&slice.records[0]), slice.records[0].epoch),
            (n, Epoch(n))
        );
    }
}

#[tokio::test]
async fn a_partition_that_the_cluster_has_not_cannot_be_followed() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    let log = open(&kafka).await;
    let mut slices = log.follow(engine::PARTITIONS, Position::START, 1);
    let refused = slices.next().await.unwrap();
    assert!(matches!(refused, Err(Failure::Unavailable { .. })));
    assert!(slices.next().await.is_none());
}
