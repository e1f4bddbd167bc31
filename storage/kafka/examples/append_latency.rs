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

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::StreamExt;
use guildhall_kafka::topics::Topics;
use guildhall_kafka::{ClusterConfig, Kafka, KafkaLog, LogConfig, Topic};
use guildhall_model::{Epoch, Position};
use guildhall_ports::Log;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::sync::Notify;

const PARTITIONS: u16 = 64;
const ROUNDS: usize = 4;
const RECORD_BYTES: usize = 400;
/// Appends of one round, one at a time.
const IN_TURN: usize = 400;
/// Appends a second at a fixed rate, and for how long.
const RATES: [u32; 2] = [200, 1_000];
const RATE_LASTS: Duration = Duration::from_secs(3);
const EPOCH: Epoch = Epoch(1);
/// The ways of appending: one at a time, and each rate.
const WAYS: usize = 1 + RATES.len();
const IN_TURN_WAY: usize = 0;
/// The way of appends that nobody measures.
const UNMEASURED: usize = WAYS;

/// Milliseconds that appends wait for company.
const LINGERS: [u32; 3] = [0, 1, 5];

struct Subject {
    linger_ms: u32,
    log: Arc<KafkaLog>,
    began: Instant,
    acknowledged: [Histogram<u64>; WAYS],
    heard: Arc<Heard>,
}

/// What followers have heard.
#[derive(Default)]
struct Heard {
    tally: Mutex<Tally>,
    more: Notify,
}

struct Tally {
    took: [Histogram<u64>; WAYS],
    records: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            took: std::array::from_fn(|_| histogram()),
            records: 0,
        }
    }
}

#[tokio::main]
async fn main() {
    let mut subjects = Vec::new();
    for linger_ms in LINGERS {
        subjects.push(Subject::new(linger_ms).await);
    }
    let mut reads = histogram();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        for subject in &mut subjects {
            subject.in_turn().await;
        }
        for (n, rate) in (1..).zip(RATES) {
            for subject in &mut subjects {
                subject.at_rate(n, rate).await;
            }
        }
        subjects[0].read_behind_appends(&mut reads).await;
    }
    println!(
        "milliseconds, p50 / p99 / max; {RECORD_BYTES} B a record, {PARTITIONS} partitions, all followed"
    );
    println!(
        "| linger | until | one at a time | {} |",
        RATES.map(|rate| format!("{rate}/s")).join(" | ")
    );
    for subject in &subjects {
        let tally = subject.heard.tally.lock();
        for (until, took) in [
            ("acknowledged", &subject.acknowledged),
            ("heard", &tally.took),
        ] {
            let took: Vec<_> = took.iter().map(figures).collect();
            println!("| {} | {until} | {} |", subject.linger_ms, took.join(" | "));
        }
    }
    println!(
        "append and then read at its place, the read alone: {}",
        figures(&reads)
    );
    subjects[0].read_whole().await;
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
        let kafka = Kafka::connect(cluster.clone()).unwrap();
        let topics = Topics {
            event_partitions: PARTITIONS,
            session_partitions: 1,
            ..Topics::default()
        };
        kafka.prepare(&topics).await.unwrap();
        let subject = Self {
            linger_ms,
            log: Arc::new(open(&kafka).await),
            began: Instant::now(),
            acknowledged: std::array::from_fn(|_| histogram()),
            heard: Arc::default(),
        };
        let follower = open(&Kafka::connect(cluster).unwrap()).await;
        for partition in 0..PARTITIONS {
            // The first append of all waits for the producer's own id, and the first record for
            // the consumer to know its partition.
            subject.follow(&follower, partition);
            append(&subject.log, partition, subject.record(UNMEASURED)).await;
        }
        subject.heard.until(PARTITIONS.into()).await;
        subject
    }

    fn follow(&self, log: &KafkaLog, partition: u16) {
        let mut slices = log.follow(partition, Position::START, 1 << 20);
        let (began, heard) = (self.began, Arc::clone(&self.heard));
        tokio::spawn(async move {
            while let Some(slice) = slices.next().await {
                let now = began.elapsed();
                heard.note(now, slice.unwrap().records.iter().map(|it| &it.payload));
            }
        });
    }

    /// A record that says how and when it was appended.
    fn record(&self, way: usize) -> Bytes {
        let mut record = BytesMut::with_capacity(RECORD_BYTES);
        record.put_u64(way as u64);
        record.put_u64(u64::try_from(self.began.elapsed().as_micros()).unwrap());
        record.put_bytes(7, RECORD_BYTES - record.len());
        record.freeze()
    }

    async fn in_turn(&mut self) {
        for n in 0..IN_TURN {
            let (partition, heard) = (u16::try_from(n).unwrap() % PARTITIONS, self.heard.count());
            let took = append(&self.log, partition, self.record(IN_TURN_WAY)).await;
            self.acknowledged[IN_TURN_WAY].record(took).unwrap();
            self.heard.until(heard + 1).await;
        }
    }

    async fn at_rate(&mut self, way: usize, rate: u32) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        let (began, heard) = (Instant::now(), self.heard.count());
        let mut appends = Vec::new();
        while began.elapsed() < RATE_LASTS {
            ticks.tick().await;
            let (log, record) = (Arc::clone(&self.log), self.record(way));
            let partition = fastrand::u16(..PARTITIONS);
            appends.push(tokio::spawn(async move {
                append(&log, partition, record).await
            }));
        }
        let count = appends.len();
        for append in appends {
            let took = append.await.unwrap();
            self.acknowledged[way].record(took).unwrap();
        }
        self.heard.until(heard + count).await;
    }

    async fn read_behind_appends(&self, reads: &mut Histogram<u64>) {
        for n in 0..IN_TURN {
            let partition = u16::try_from(n).unwrap() % PARTITIONS;
            let records = vec![self.record(UNMEASURED)];
            let appended = self.log.append(partition, EPOCH, records).await.unwrap();
            let began = Instant::now();
            let slice = self.log.read(partition, appended[0], 1).await.unwrap();
            reads.record(micros(began)).unwrap();
            assert_eq!(slice.records[0].position, appended[0]);
        }
    }

    /// As who takes a partition over.
    async fn read_whole(&self) {
        let records = vec![self.record(UNMEASURED); 50_000];
        self.log.append(0, EPOCH, records).await.unwrap();
        let (began, mut bytes, mut from) = (Instant::now(), 0, Position::START);
        loop {
            let slice = self.log.read(0, from, 1 << 20).await.unwrap();
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
}

impl Heard {
    fn note<'a>(&self, now: Duration, records: impl Iterator<Item = &'a Bytes>) {
        let mut tally = self.tally.lock();
        for record in records {
            let number = |at: usize| u64::from_be_bytes(record[at..at + 8].try_into().unwrap());
            tally.records += 1;
            let took = now.saturating_sub(Duration::from_micros(number(8)));
            let way = usize::try_from(number(0)).unwrap();
            if let Some(histogram) = tally.took.get_mut(way) {
                let took = u64::try_from(took.as_micros()).unwrap();
                histogram.record(took).unwrap();
            }
        }
        drop(tally);
        self.more.notify_waiters();
    }

    fn count(&self) -> usize {
        self.tally.lock().records
    }

    async fn until(&self, count: usize) {
        loop {
            let more = self.more.notified();
            if count <= self.count() {
                return;
            }
            more.await;
        }
    }
}

async fn open(kafka: &Arc<Kafka>) -> KafkaLog {
    let config = LogConfig {
        partitions: PARTITIONS,
        ..LogConfig::default()
    };
    let log = KafkaLog::open(kafka, Topic::Events, config).await;
    log.unwrap()
}

/// Appends one record and says how many microseconds that took.
async fn append(log: &KafkaLog, partition: u16, record: Bytes) -> u64 {
    let began = Instant::now();
    log.append(partition, EPOCH, vec![record]).await.unwrap();
    micros(began)
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap()
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn figures(histogram: &Histogram<u64>) -> String {
    let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    format!("{:.2} / {:.2} / {:.1}", ms(0.5), ms(0.99), ms(1.0))
}
