//! Measures appends against a real broker: one at a time, and at a fixed rate over some
//! partitions whether or not the former ones are answered. The settings take turns within one
//! run, so that what else the machine does falls on all of them.
//!
//! ```text
//! GUILDHALL_TEST_KAFKA=HOST:PORT cargo run -p guildhall-kafka --example append_latency
//! ```

#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that fails has nothing to tell"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_kafka::topics::Topics;
use guildhall_kafka::{ClusterConfig, Kafka, KafkaLog, LogConfig, Topic};
use guildhall_model::{Epoch, Position};
use guildhall_ports::Log;
use hdrhistogram::Histogram;

const PARTITIONS: u16 = 64;
const ROUNDS: usize = 4;
const RECORD_BYTES: usize = 400;
/// Appends of one round, one at a time.
const IN_TURN: usize = 400;
/// Appends a second at a fixed rate, and for how long.
const RATES: [u32; 2] = [200, 1_000];
const RATE_LASTS: Duration = Duration::from_secs(3);
const EPOCH: Epoch = Epoch(1);

/// Milliseconds that appends wait for company.
const LINGERS: [u32; 3] = [0, 1, 5];

struct Subject {
    linger_ms: u32,
    log: Arc<KafkaLog>,
    in_turn: Histogram<u64>,
    at_rate: [Histogram<u64>; RATES.len()],
}

#[tokio::main]
async fn main() {
    let mut subjects = Vec::new();
    for linger_ms in LINGERS {
        subjects.push(Subject::new(linger_ms).await);
    }
    for subject in &mut subjects {
        // The first append of all waits for the producer's own id.
        append(&subject.log, 0).await;
    }
    let mut reads = Histogram::new(3).unwrap();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        for subject in &mut subjects {
            subject.in_turn().await;
        }
        for (n, rate) in RATES.into_iter().enumerate() {
            for subject in &mut subjects {
                subject.at_rate(n, rate).await;
            }
        }
        read_behind_appends(&subjects[0].log, &mut reads).await;
    }
    println!("milliseconds, p50 / p99 / max; {RECORD_BYTES} B a record, {PARTITIONS} partitions");
    println!(
        "| linger | one at a time | {} |",
        RATES.map(|rate| format!("{rate}/s")).join(" | ")
    );
    for subject in &subjects {
        let at_rate: Vec<_> = subject.at_rate.iter().map(figures).collect();
        let in_turn = figures(&subject.in_turn);
        println!(
            "| {} | {in_turn} | {} |",
            subject.linger_ms,
            at_rate.join(" | ")
        );
    }
    println!(
        "append and then read at its place, the read alone: {}",
        figures(&reads)
    );
    read_whole(&subjects[0].log).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "an engine is told of by nothing else"
)]
fn brokers() -> String {
    std::env::var("GUILDHALL_TEST_KAFKA").expect("GUILDHALL_TEST_KAFKA names a broker")
}

impl Subject {
    async fn new(linger_ms: u32) -> Self {
        let cluster = ClusterConfig {
            linger_ms,
            topic_prefix: format!("latency-{:08x}.", fastrand::u32(..)),
            ..ClusterConfig::new(brokers())
        };
        let kafka = Kafka::connect(cluster).unwrap();
        let topics = Topics {
            event_partitions: PARTITIONS,
            session_partitions: 1,
            replication: 1,
            in_sync_min: 1,
            ..Topics::default()
        };
        kafka.prepare(&topics).await.unwrap();
        let config = LogConfig {
            partitions: PARTITIONS,
            ..LogConfig::default()
        };
        let log = KafkaLog::open(&kafka, Topic::Events, config).await;
        let histogram = || Histogram::new(3).unwrap();
        Self {
            linger_ms,
            log: Arc::new(log.unwrap()),
            in_turn: histogram(),
            at_rate: RATES.map(|_| histogram()),
        }
    }

    async fn in_turn(&mut self) {
        for n in 0..IN_TURN {
            let took = append(&self.log, u16::try_from(n).unwrap() % PARTITIONS).await;
            self.in_turn.record(took).unwrap();
        }
    }

    async fn at_rate(&mut self, which: usize, rate: u32) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        let began = Instant::now();
        let mut appends = Vec::new();
        while began.elapsed() < RATE_LASTS {
            ticks.tick().await;
            let log = Arc::clone(&self.log);
            let partition = fastrand::u16(..PARTITIONS);
            appends.push(tokio::spawn(async move { append(&log, partition).await }));
        }
        for append in appends {
            self.at_rate[which].record(append.await.unwrap()).unwrap();
        }
    }
}

fn record() -> Vec<Bytes> {
    vec![Bytes::from(vec![7; RECORD_BYTES])]
}

/// Appends one record and says how many microseconds that took.
async fn append(log: &KafkaLog, partition: u16) -> u64 {
    let began = Instant::now();
    log.append(partition, EPOCH, record()).await.unwrap();
    micros(began)
}

async fn read_behind_appends(log: &KafkaLog, reads: &mut Histogram<u64>) {
    for n in 0..IN_TURN {
        let partition = u16::try_from(n).unwrap() % PARTITIONS;
        let appended = log.append(partition, EPOCH, record()).await.unwrap();
        let began = Instant::now();
        let slice = log.read(partition, appended[0], 1).await.unwrap();
        reads.record(micros(began)).unwrap();
        assert_eq!(slice.records[0].position, appended[0]);
    }
}

/// As who takes a partition over.
async fn read_whole(log: &KafkaLog) {
    let records = vec![Bytes::from(vec![7; RECORD_BYTES]); 50_000];
    log.append(0, EPOCH, records).await.unwrap();
    let (began, mut bytes, mut from) = (Instant::now(), 0, Position::START);
    loop {
        let slice = log.read(0, from, 1 << 20).await.unwrap();
        if slice.records.is_empty() {
            break;
        }
        bytes += slice.records.iter().map(|r| r.payload.len()).sum::<usize>();
        from = slice.next;
    }
    let took = began.elapsed().as_millis();
    println!(
        "a partition read to its end: {} KB in {took} ms",
        bytes / 1_000
    );
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn figures(histogram: &Histogram<u64>) -> String {
    let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    format!("{:.2} / {:.2} / {:.1}", ms(0.5), ms(0.99), ms(1.0))
}
