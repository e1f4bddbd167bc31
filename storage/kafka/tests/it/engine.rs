//! The brokers of the tests: one that all share, and own ones for those that break theirs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use guildhall_kafka::topics::Topics;
use guildhall_kafka::{ClusterConfig, Kafka};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

const PATIENCE: Duration = Duration::from_secs(10);
/// Partitions of all topics.
pub(crate) const PARTITIONS: u16 = 9;

/// The address of the broker that all tests share; `None`, and a loud line, if there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "what runs the tests tells them of engines by nothing else"
)]
pub(crate) fn address() -> Option<String> {
    if let Ok(address) = std::env::var("GUILDHALL_TEST_KAFKA") {
        return Some(address);
    }
    let is_required = std::env::var("GUILDHALL_TEST_ENGINES").is_ok_and(|it| it == "required");
    assert!(!is_required, "GUILDHALL_TEST_KAFKA is not set");
    eprintln!("NOT RUN: no Apache Kafka (deploy/engines/kafka start DIR)");
    None
}

/// A cluster of a test's own on the shared broker: topics that no other test has.
pub(crate) async fn cluster() -> Option<Arc<Kafka>> {
    let kafka = connect(config(address()?));
    kafka.prepare(&topics()).await.unwrap();
    Some(kafka)
}

/// Settings for a cluster that nobody else has.
pub(crate) fn config(brokers: String) -> ClusterConfig {
    let mut config = ClusterConfig::new(brokers);
    config.topic_prefix = format!("test-{:016x}.", fastrand::u64(..));
    config
}

pub(crate) fn connect(config: ClusterConfig) -> Arc<Kafka> {
    Kafka::connect(config).unwrap()
}

pub(crate) fn topics() -> Topics {
    Topics {
        event_partitions: PARTITIONS,
        session_partitions: PARTITIONS,
        ..Topics::default()
    }
}

/// A broker that ends with the test, or several.
pub(crate) struct Broker {
    dir: tempfile::TempDir,
    pub(crate) address: String,
}

impl Broker {
    /// Starts one, if engines are to be had at all.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts some that share their partitions.
    pub(crate) fn start_several(count: u16) -> Option<Self> {
        Self::start_with(&[("GUILDHALL_KAFKA_BROKERS", &count.to_string())])
    }

    fn start_with(environment: &[(&str, &str)]) -> Option<Self> {
        address()?;
        let dir = tempfile::tempdir().unwrap();
        let told = run(script("start", dir.path()).envs(environment.iter().copied()));
        let address = told.trim().strip_prefix("GUILDHALL_TEST_KAFKA=");
        let address = address.expect("the script says where it is").to_owned();
        Some(Self { dir, address })
    }

    /// Starts one that is also reached by TLS and with a password.
    pub(crate) fn start_guarded() -> Option<Self> {
        Self::start_with(&[("GUILDHALL_GUARDED", "yes")])
    }

    /// The port of such a way in.
    pub(crate) fn guarded(&self, way: &str) -> String {
        let ways = std::fs::read_to_string(self.dir.path().join("guarded")).unwrap();
        let mut ways = ways.lines().filter_map(|line| line.split_once('='));
        ways.find(|(name, _)| *name == way).unwrap().1.to_owned()
    }

    /// Lets the script do something to it.
    pub(crate) fn script(&self, action: &str) {
        run(&mut script(action, self.dir.path()));
    }

    /// Lets the script do something to one of several.
    pub(crate) fn script_on(&self, number: i32, action: &str) {
        run(script(action, self.dir.path()).arg(number.to_string()));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        run(&mut script("kill", self.dir.path()));
    }
}

fn script(action: &str, dir: &Path) -> Command {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(root.join("deploy/engines/kafka"));
    command.arg(action).arg(dir);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The number of the broker that leads a partition of a topic.
pub(crate) async fn leader(kafka: &Arc<Kafka>, topic: &str, partition: usize) -> i32 {
    let config = kafka.config().clone();
    let topic = format!("{}{topic}", config.topic_prefix);
    let look = move || {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .create()
            .unwrap();
        let found = consumer.fetch_metadata(Some(&topic), PATIENCE).unwrap();
        found.topics()[0].partitions()[partition].leader()
    };
    tokio::task::spawn_blocking(look).await.unwrap()
}

/// The oldest offset that a partition of a topic keeps.
pub(crate) async fn first_offset(kafka: &Arc<Kafka>, topic: &str, partition: u16) -> i64 {
    let config = kafka.config().clone();
    let topic = format!("{}{topic}", config.topic_prefix);
    let look = move || {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .create()
            .unwrap();
        let watermarks = consumer.fetch_watermarks(&topic, partition.into(), PATIENCE);
        watermarks.unwrap().0
    };
    tokio::task::spawn_blocking(look).await.unwrap()
}
