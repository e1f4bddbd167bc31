//! Three brokers, of which one is away: others lead its partitions, and nothing is lost or doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use guildhall_kafka::{ClusterConfig, Kafka, KafkaLog, LogConfig, Topic};
use guildhall_model::{Epoch, Position};
use guildhall_ports::log::LogRecord;
use guildhall_ports::{Failure, Log};
use tokio::task::JoinHandle;

use crate::engine::{self, Broker, PARTITIONS};
use crate::outage::{PATIENCE, number};

/// Between two appends of a partition.
const PAUSE: Duration = Duration::from_millis(20);
/// Appends of each partition between two strikes.
const MANY: usize = 20;
/// Longer than the brokers need for another leader, on a machine that is busy with other tests.
const ACK_TIMEOUT_MS: u64 = 30_000;
/// The last number of each partition.
const END: u32 = u32::MAX;
/// Why following breaks off: nothing arrives, or a broker that has just begun does not know its topics yet.
const BREAKS_OFF: [&str; 2] = ["hears nothing", "UnknownTopicOrPartition"];

async fn open(kafka: &Arc<Kafka>) -> Arc<KafkaLog> {
    let config = LogConfig {
        partitions: PARTITIONS,
        ..LogConfig::default()
    };
    Arc::new(KafkaLog::open(kafka, Topic::Events, config).await.unwrap())
}

/// Somebody writes numbers to each partition, one after the other, until told to stop.
struct Writers {
    tasks: Vec<JoinHandle<Written>>,
    acknowledged: Arc<Vec<AtomicUsize>>,
    is_over: Arc<AtomicBool>,
}

struct Written {
    acknowledged: Vec<(Position, u32)>,
    failures: Vec<Failure>,
}

impl Writers {
    fn start(log: &Arc<KafkaLog>) -> Self {
        let acknowledged: Vec<_> = (0..PARTITIONS).map(|_| AtomicUsize::new(0)).collect();
        let (acknowledged, is_over) = (Arc::new(acknowledged), Arc::new(AtomicBool::new(false)));
        let task = |partition| {
            let (log, counts) = (Arc::clone(log), Arc::clone(&acknowledged));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                let (mut written, mut epoch) = (Written::nothing(), Epoch(1));
                for number in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    // Not as many as there can be: others need the machine, too.
                    tokio::time::sleep(PAUSE).await;
                    let record = Bytes::copy_from_slice(&u32::to_be_bytes(number));
                    match log.append(partition, epoch, vec![record]).await {
                        Ok(positions) => {
                            written.acknowledged.push((positions[0], number));
                            counts[usize::from(partition)].fetch_add(1, Ordering::Relaxed);
                        }
                        Err(failure) => {
                            written.failures.push(failure);
                            epoch = epoch.next();
                        }
                    }
                }
                written
            })
        };
        Self {
            tasks: (0..PARTITIONS).map(task).collect(),
            acknowledged,
            is_over,
        }
    }

    /// Waits until so many more appends of each partition are acknowledged.
    async fn go_on(&self) {
        let counts = || {
            self.acknowledged
                .iter()
                .map(|it| it.load(Ordering::Relaxed))
        };
        let (before, began) = (counts().collect::<Vec<_>>(), Instant::now());
        while !counts()
            .zip(&before)
            .all(|(now, before)| before + MANY <= now)
        {
            let now: Vec<_> = counts().collect();
            assert!(began.elapsed() < PATIENCE, "{before:?}, then {now:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) -> Vec<Written> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut written = Vec::new();
        for task in self.tasks {
            written.push(task.await.unwrap());
        }
        written
    }
}

impl Written {
    const fn nothing() -> Self {
        Self {
            acknowledged: Vec::new(),
            failures: Vec::new(),
        }
    }
}

/// Hears a partition up to its end, again and again from where it was where that breaks off.
async fn hear(log: Arc<KafkaLog>, partition: u16) -> Vec<LogRecord> {
    let (mut heard, mut next) = (Vec::<LogRecord>::new(), Position::START);
    loop {
        let mut slices = log.follow(partition, next, 1 << 20);
        while let Some(slice) = slices.next().await {
            let slice = match slice {
                Ok(slice) => slice,
                Err(Failure::Unavailable { why, .. })
                    if BREAKS_OFF.iter().any(|it| why.contains(it)) =>
                {
                    break;
                }
                Err(failure) => panic!("{failure}"),
            };
            heard.extend(slice.records);
            next = slice.next;
            if heard.last().is_some_and(|last| number(last) == END) {
                return heard;
            }
        }
    }
}

async fn prepared(brokers: &Broker) -> Arc<Kafka> {
    let kafka = engine::connect(ClusterConfig {
        ack_timeout_ms: ACK_TIMEOUT_MS,
        ..engine::config(brokers.address.clone())
    });
    kafka.prepare(&engine::topics()).await.unwrap();
    let replicas = kafka.replicas(&engine::topics()).await.unwrap();
    assert!(
        replicas.len() == 4 && replicas.iter().all(|it| it.1 == 3),
        "{replicas:?}"
    );
    kafka
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_may_die_or_stand_still_and_appends_go_on_in_order_and_once() {
    let Some(brokers) = Broker::start_several(3) else {
        return;
    };
    let kafka = prepared(&brokers).await;
    let log = open(&kafka).await;
    // Another process hears everything meanwhile, and one that comes later reads the same.
    let other = open(&engine::connect(kafka.config().clone())).await;
    let ear = |partition| tokio::spawn(hear(Arc::clone(&other), partition));
    let ears: Vec<_> = (0..PARTITIONS).map(ear).collect();
    let writers = Writers::start(&log);
    writers.go_on().await;
    let first = engine::leader(&kafka, "events", 0).await;
    brokers.script_on(first, "kill");
    writers.go_on().await;
    brokers.script_on(first, "restart");
    let second = engine::leader(&kafka, "events", 0).await;
    assert_ne!(first, second);
    brokers.script_on(second, "pause");
    writers.go_on().await;
    brokers.script_on(second, "resume");
    writers.go_on().await;
    let later = open(&engine::connect(kafka.config().clone())).await;
    for ((partition, mut written), ear) in (0..).zip(writers.stop().await).zip(ears) {
        assert!(written.failures.is_empty(), "{:?}", written.failures);
        let end = Bytes::copy_from_slice(&END.to_be_bytes());
        let end = log.append(partition, Epoch(2), vec![end]).await.unwrap();
        written.acknowledged.push((end[0], END));
        let heard = ear.await.unwrap();
        let found: Vec<_> = heard.iter().map(|it| (it.position, number(it))).collect();
        assert_eq!(found, written.acknowledged);
        assert_eq!(hear(Arc::clone(&later), partition).await, heard);
    }
}
