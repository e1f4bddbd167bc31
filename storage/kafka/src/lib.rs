//! The logs and snapshots of a cluster on Apache Kafka.
//!
//! [`Kafka`] is the way to the brokers that all parts of a process share. An append of
//! [`KafkaLog`] goes through [`lanes`] to a producer, a read through [`readers`] to a consumer, and
//! [`followers`] share one more; [`topics`] makes and checks what all need.

mod away;
pub mod config;
mod connection;
mod failure;
mod followers;
mod frame;
mod known;
mod lanes;
pub mod log;
mod metrics;
mod place;
mod producer;
mod readers;
mod refusal;
mod security;
pub mod snapshots;
pub mod topics;

pub use config::{ClusterConfig, LogConfig, Topic};
pub use connection::Kafka;
pub use log::KafkaLog;
pub use security::{Login, Mechanism, Security, Tls};
pub use snapshots::KafkaSnapshots;
