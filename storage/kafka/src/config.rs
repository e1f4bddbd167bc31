//! What an operator chooses about Kafka, and the bounds that nobody chooses.

use std::time::Duration;

use guildhall_ports::crash::Point;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::security::Security;

/// Bytes of one Kafka record of ours at most. It has room for the longest record of the log, and
/// topics and clients are set to take it.
pub(crate) const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What Kafka puts around a record, generously.
pub(crate) const RECORD_OVERHEAD_BYTES: usize = 64 * 1024;
/// Bytes that one fetch of a partition asks for, and so about what a read of a single record
/// costs at most.
pub(crate) const FETCH_BYTES: usize = 256 * 1024;

/// Which of the two logs. They share nothing but the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Every event, once.
    Events,
    /// What each session received, by reference.
    Frames,
}

impl Topic {
    /// The topic's name after the prefix, also as the label of its metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Frames => "frames",
        }
    }

    /// The name under which failures speak of the log.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Events => "events log",
            Self::Frames => "frames log",
        }
    }

    /// Where a batch is on its way and not acknowledged.
    pub(crate) const fn written(self) -> Point {
        match self {
            Self::Events => Point::EventsWritten,
            Self::Frames => Point::FramesWritten,
        }
    }

    /// Where it is acknowledged and nobody knows.
    pub(crate) const fn synced(self) -> Point {
        match self {
            Self::Events => Point::EventsSynced,
            Self::Frames => Point::FramesSynced,
        }
    }
}

/// How the brokers are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Some of the brokers as `HOST:PORT`, separated by commas; they name the others.
    pub brokers: String,
    /// How we know the brokers, and how they know us.
    pub security: Security,
    /// What the names of our topics begin with.
    pub topic_prefix: String,
    /// Milliseconds after which an append that no broker has acknowledged fails. A change of a
    /// partition's leader must fit in.
    pub ack_timeout_ms: u64,
    /// Milliseconds that anything else may take: a read, a look at the end, a request to make
    /// topics.
    pub request_timeout_ms: u64,
    /// Milliseconds that an append may wait for others to share its request. Measured in
    /// `deploy/docs/decisions/0014-logs-on-kafka.md`.
    pub linger_ms: u32,
}

impl ClusterConfig {
    /// The defaults for these brokers.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            security: Security::default(),
            topic_prefix: "guildhall.".to_owned(),
            ack_timeout_ms: 10_000,
            request_timeout_ms: 10_000,
            linger_ms: 0,
        }
    }

    pub(crate) const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// A topic's whole name.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.topic_prefix)
    }

    /// What all clients have in common.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "guildhall")
            // A node that idles must not lose its first request to a connection that is gone.
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            // A broker that stands still is given up early enough for its successor to be asked in time.
            .set(
                "socket.timeout.ms",
                (self.request_timeout_ms * 2 / 5).max(2_000).to_string(),
            )
            // Back soon after the broker is, without a storm while it is away.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("log.connection.close", "true")
            .set(
                "message.max.bytes",
                (RECORD_BYTES_MAX + RECORD_OVERHEAD_BYTES).to_string(),
            );
        self.security.apply(&mut client);
        // Lost connections are not told in any other way, nor what they may come from.
        client.set_log_level(RDKafkaLogLevel::Info);
        client
    }

    /// What all consumers have in common.
    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut consumer = self.client();
        consumer
            // The library wants a name; nothing ever joins or commits.
            .set("group.id", "guildhall-without-a-group")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("max.poll.interval.ms", "86400000")
            .set("check.crcs", "true")
            .set("fetch.message.max.bytes", FETCH_BYTES.to_string())
            .set("fetch.error.backoff.ms", "20");
        consumer
    }
}

/// The settings of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Partitions of the topic. Fixed for the life of a cluster.
    pub partitions: u16,
    /// Milliseconds that a record is kept at least, even when it is released.
    pub retention_ms: u64,
    /// Appends that wait for Kafka at most; one more is refused.
    pub queue_appends_max: usize,
    /// Bytes that wait for Kafka at most; more are refused.
    pub queue_bytes_max: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            partitions: 64,
            retention_ms: 24 * 3_600 * 1_000,
            queue_appends_max: 65_536,
            queue_bytes_max: 64 * 1024 * 1024,
        }
    }
}
