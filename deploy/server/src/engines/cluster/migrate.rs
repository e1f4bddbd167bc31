//! `guildhall migrate`: what the engines of a cluster lack, and making it.

use std::fmt::Write;

use anyhow::Context;
use guildhall_kafka::Kafka;
use guildhall_kafka::topics::Topics;

use super::{Reached, reached};
use crate::config::Config;

/// What every engine lacks, as text for people. Changes nothing.
pub(crate) async fn plan(config: &Config) -> anyhow::Result<String> {
    let Reached { postgres, cql, .. } = reached(config)?;
    let mut text = String::new();
    let tables = guildhall_postgres::migrations::plan(&postgres).await;
    for step in tables.context("PostgreSQL cannot be used")? {
        writeln!(text, "PostgreSQL {}: {}", step.version, step.description)?;
    }
    let tables = guildhall_scylla::migrate::plan(&cql).await;
    for step in tables.context("the CQL engine cannot be used")? {
        writeln!(text, "CQL {}: {}", step.number, step.name)?;
    }
    if text.is_empty() {
        text.push_str("all tables are as this version needs them\n");
    }
    text.push_str(
        "Kafka: topics that are missing are made; those that are there stay as they are\n",
    );
    Ok(text)
}

/// Brings every engine to where this version needs it, and says what it did. May be repeated.
pub(crate) async fn apply(config: &Config) -> anyhow::Result<String> {
    let Reached {
        postgres,
        kafka,
        cql,
        ..
    } = reached(config)?;
    let mut text = String::new();
    let done = guildhall_postgres::migrations::apply(&postgres).await;
    let done = done.context("PostgreSQL cannot be migrated")?;
    writeln!(text, "PostgreSQL: {} migration(s)", done.len())?;
    let done = guildhall_scylla::migrate::apply(&cql).await;
    let done = done.context("the CQL engine cannot be migrated")?;
    writeln!(text, "CQL: {} migration(s)", done.len())?;
    let replication = config.cluster.kafka_replicas;
    let topics = Topics {
        event_partitions: config.delivery.event_partitions,
        session_partitions: config.delivery.session_partitions,
        replication,
        // One broker may fail, where there are enough.
        in_sync_min: replication.saturating_sub(1).max(1),
        ..Topics::default()
    };
    let prepared = Kafka::connect(kafka)?.prepare(&topics).await;
    prepared.context("the topics of Kafka cannot be prepared")?;
    writeln!(text, "Kafka: all topics are there")?;
    Ok(text)
}
