//! A cluster whose topics are not as they must be is not worked on.

use guildhall_kafka::topics::Topics;
use guildhall_kafka::{KafkaLog, KafkaSnapshots, LogConfig, Topic};
use guildhall_ports::Failure;

use crate::engine;

#[tokio::test]
async fn a_log_without_a_topic_says_what_to_do() {
    let Some(address) = engine::address() else {
        return;
    };
    let kafka = engine::connect(engine::config(address));
    let log = KafkaLog::open(&kafka, Topic::Frames, LogConfig::default()).await;
    let Err(Failure::Unavailable { why, .. }) = log else {
        panic!("it was opened");
    };
    assert!(why.contains("frames: prepare the cluster first"), "{why}");
}

#[tokio::test]
async fn who_asks_what_is_missing_is_told_and_nothing_is_made() {
    let Some(address) = engine::address() else {
        return;
    };
    let kafka = engine::connect(engine::config(address));
    for _ in 0..2 {
        let missing = kafka.missing(&engine::topics()).await.unwrap();
        assert_eq!(missing.len(), 4, "{missing:?}");
    }
}

#[tokio::test]
async fn a_cluster_is_prepared_once_and_checked_again() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    kafka.prepare(&engine::topics()).await.unwrap();
    let missing = kafka.missing(&engine::topics()).await.unwrap();
    assert!(missing.is_empty(), "{missing:?}");
    let other = Topics {
        session_partitions: engine::PARTITIONS * 2,
        ..engine::topics()
    };
    let missing = kafka.missing(&other).await;
    assert!(matches!(missing, Err(Failure::Damaged { .. })));
    let Err(Failure::Damaged { why, .. }) = kafka.prepare(&other).await else {
        panic!("it was prepared");
    };
    assert!(
        why.contains("frames has 9 partitions, but the cluster is set to 18"),
        "{why}"
    );
}

#[tokio::test]
async fn another_number_of_partitions_is_never_opened() {
    let Some(kafka) = engine::cluster().await else {
        return;
    };
    for partitions in [engine::PARTITIONS - 1, engine::PARTITIONS + 1] {
        let config = LogConfig {
            partitions,
            ..LogConfig::default()
        };
        let log = KafkaLog::open(&kafka, Topic::Events, config).await;
        assert!(matches!(log, Err(Failure::Damaged { .. })), "{partitions}");
        let snapshots = KafkaSnapshots::open(&kafka, partitions).await;
        assert!(
            matches!(snapshots, Err(Failure::Damaged { .. })),
            "{partitions}"
        );
    }
}
