//! A broker that is away is no reason to fill the operator's log.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use guildhall_kafka::topics::Topics;
use guildhall_kafka::{ClusterConfig, Kafka, KafkaLog, LogConfig, Topic};
use guildhall_ports::Failure;

/// What is said at `info` and above by anybody.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The only test of its program, because it hears all threads.
#[tokio::test]
async fn a_broker_that_is_away_is_told_of_once() {
    let said = Said::default();
    let writer = said.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    // Nobody listens there any more.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let kafka = Kafka::connect(ClusterConfig {
        request_timeout_ms: 700,
        ..ClusterConfig::new(address.to_string())
    })
    .unwrap();
    for _ in 0..3 {
        let log = KafkaLog::open(&kafka, Topic::Events, LogConfig::default()).await;
        assert!(matches!(log, Err(Failure::Unavailable { .. })));
    }
    let prepared = kafka.prepare(&Topics::default()).await;
    assert!(matches!(prepared, Err(Failure::Unavailable { .. })));
    let said = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("Kafka cannot be reached"), "{said}");
}
