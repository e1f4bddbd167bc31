//! `guildhall migrate`: what the engines of a cluster lack, and making it.

use std::fmt::Write;

use anyhow::Context;
use guildhall_kafka::Kafka;
use guildhall_kafka::topics::Topics;
use guildhall_postgres::migrations::State;

use super::reached::{Reached, reached};
use crate::config::Config;
use crate::engines::Migration;

/// What is told about it.
pub(crate) struct Answer {
    /// For people.
    pub(crate) text: String,
    /// Nodes of this version can work with the engines.
    pub(crate) is_ready: bool,
}

/// Looks, or does it.
pub(crate) async fn migrate(config: &Config, wanted: Migration) -> anyhow::Result<Answer> {
    match wanted {
        Migration::Status => status(config).await,
        Migration::Plan => {
            let (text, is_ready) = (plan(config).await?, true);
            Ok(Answer { text, is_ready })
        }
        Migration::Apply => {
            let (text, is_ready) = (apply(config).await?, true);
            Ok(Answer { text, is_ready })
        }
    }
}

/// How far every engine has come, whatever it has. Changes nothing.
async fn status(config: &Config) -> anyhow::Result<Answer> {
    let Reached {
        postgres,
        kafka,
        cql,
        ..
    } = reached(config)?;
    let (mut text, mut is_ready) = (String::new(), true);
    let steps = guildhall_postgres::migrations::status(&postgres).await;
    for step in steps.context("PostgreSQL cannot be used")? {
        let state = match step.state {
            State::Applied => "applied",
            State::Pending => "missing",
            State::Different => "applied in another form, by another program",
            State::Unknown => "of a newer program",
        };
        is_ready &= step.state == State::Applied;
        let (number, name) = (step.version, step.description);
        writeln!(text, "PostgreSQL {number}: {name}: {state}")?;
    }
    let tables = guildhall_scylla::migrate::status(&cql).await;
    let tables = tables.context("the CQL engine cannot be used")?;
    is_ready &= tables.found == tables.wanted;
    let (found, wanted) = (tables.found, tables.wanted);
    writeln!(text, "CQL: migration {found} of {wanted}")?;
    let (kafka, topics) = (Kafka::connect(kafka)?, topics(config));
    let missing = kafka.missing(&topics).await;
    let missing = missing.context("the topics of Kafka cannot be used")?;
    is_ready &= missing.is_empty();
    if missing.is_empty() {
        text.push_str(&replicas(&kafka, &topics).await?);
    } else {
        writeln!(text, "Kafka: missing: {}", missing.join(", "))?;
    }
    Ok(Answer { text, is_ready })
}

/// What every engine lacks, as text for people. Changes nothing.
async fn plan(config: &Config) -> anyhow::Result<String> {
    let Reached {
        postgres,
        kafka,
        cql,
        ..
    } = reached(config)?;
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
    let missing = Kafka::connect(kafka)?.missing(&topics(config)).await;
    for topic in missing.context("the topics of Kafka cannot be used")? {
        writeln!(text, "Kafka: the topic {topic}")?;
    }
    Ok(text)
}

/// Brings every engine to where this version needs it, and says what it did. May be repeated.
async fn apply(config: &Config) -> anyhow::Result<String> {
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
    let (kafka, topics) = (Kafka::connect(kafka)?, topics(config));
    let prepared = kafka.prepare(&topics).await;
    prepared.context("the topics of Kafka cannot be prepared")?;
    text.push_str(&replicas(&kafka, &topics).await?);
    Ok(text)
}

/// The topics of the cluster.
fn topics(config: &Config) -> Topics {
    Topics {
        event_partitions: config.delivery.event_partitions,
        session_partitions: config.delivery.session_partitions,
        replicas: config.cluster.kafka_replicas,
        ..Topics::default()
    }
}

/// On how many brokers the topics are, as text for people, and which of them are on others than they were to
/// be: only Kafka's own tools move what is there.
async fn replicas(kafka: &Kafka, topics: &Topics) -> anyhow::Result<String> {
    let found = kafka.replicas(topics).await;
    let found = found.context("the topics of Kafka cannot be looked at")?;
    let mut text = "Kafka: all topics are there".to_owned();
    if let Some(least) = found.iter().map(|(_, replicas)| replicas).min() {
        write!(text, ", each record on {least} of its brokers")?;
    }
    text.push('\n');
    let wanted = topics.replicas;
    for (topic, found) in found {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            writeln!(
                text,
                "Kafka: the topic {topic} is on {found} of its brokers, and cluster.kafka_replicas is \
                 {wanted}: kafka-reassign-partitions moves it, and its min.insync.replicas should be one less"
            )?;
        }
    }
    Ok(text)
}
