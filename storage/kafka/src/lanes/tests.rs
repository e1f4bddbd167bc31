//! Lanes on brokers that librdkafka plays itself, which answer what they are told to.

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;
use crate::away::Away;
use crate::config::ClusterConfig;
use crate::known::Known;

const TOPIC: &str = "test.events";
type Brokers = MockCluster<'static, DefaultProducerContext>;

fn brokers() -> Brokers {
    let brokers = MockCluster::new(1).unwrap();
    brokers.create_topic(TOPIC, 4, 1).unwrap();
    brokers
}

fn lanes(brokers: &Brokers, config: LogConfig) -> Arc<Lanes> {
    let mut cluster = ClusterConfig::new(brokers.bootstrap_servers());
    cluster.ack_timeout_ms = 5_000;
    let seen = (Away::default(), Known::default());
    let producer = Producer::start("events log", &cluster, 1 << 20, seen).unwrap();
    Arc::new(Lanes::new(
        Topic::Events,
        TOPIC.to_owned(),
        config,
        producer,
    ))
}

fn config() -> LogConfig {
    LogConfig {
        partitions: 4,
        ..LogConfig::default()
    }
}

fn records(lengths: &[usize]) -> Vec<Bytes> {
    let record = |&length: &usize| Bytes::from(vec![7; length]);
    lengths.iter().map(record).collect()
}

async fn append(lanes: &Arc<Lanes>, lengths: &[usize]) -> Outcome {
    let mut positions = Vec::new();
    for answer in lanes.push(0, Epoch(1), records(lengths))? {
        positions.extend(answer.await.unwrap()?);
    }
    Ok(positions)
}

fn places(positions: &[Position]) -> Vec<(i64, usize)> {
    let place = |&position: &Position| {
        let place = Place::of(position);
        (place.offset, place.index)
    };
    positions.iter().map(place).collect()
}

#[tokio::test]
async fn records_of_a_call_share_a_kafka_record_up_to_its_bounds() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    let together = append(&lanes, &[1, 2, 3]).await.unwrap();
    assert_eq!(places(&together), [(0, 0), (0, 1), (0, 2)]);
    let half = BATCH_BYTES / 2;
    let apart = append(&lanes, &[half, half, 2 * half, 1, 1]).await.unwrap();
    assert_eq!(places(&apart), [(1, 0), (2, 0), (3, 0), (4, 0), (4, 1)]);
    let many = append(&lanes, &vec![0; RECORDS_MAX + 1]).await.unwrap();
    assert_eq!(
        places(&many[RECORDS_MAX - 1..]),
        [(5, RECORDS_MAX - 1), (6, 0)]
    );
    assert_eq!(append(&lanes, &[]).await.unwrap(), []);
    assert_eq!(lanes.fill.lock().appends, 0);
    assert_eq!(lanes.fill.lock().bytes, 0);
}

#[tokio::test]
async fn what_waits_behind_a_kafka_record_forms_the_next_one_by_epochs() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    let mut answers = Vec::new();
    for epoch in [1, 1, 1, 2, 2, 1] {
        answers.extend(lanes.push(0, Epoch(epoch), records(&[9])).unwrap());
    }
    let mut found = Vec::new();
    for answer in answers {
        found.extend(places(&answer.await.unwrap().unwrap()));
    }
    assert_eq!(found, [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]);
}

#[tokio::test]
async fn a_failure_takes_all_with_it_that_waits_behind_it_and_nothing_else() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    append(&lanes, &[1]).await.unwrap();
    // Not to be retried: the broker will never take this record.
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    brokers.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.extend(lanes.push(0, Epoch(1), records(&[1])).unwrap());
    }
    for answer in answers {
        let failed = answer.await.unwrap();
        assert!(matches!(failed, Err(Failure::Unavailable { .. })));
    }
    assert_eq!(lanes.fill.lock().appends, 0);
    // The one that was stored before is followed by the one that is called now.
    let later = append(&lanes, &[1]).await.unwrap();
    assert_eq!(places(&later), [(1, 0)]);
}

#[tokio::test]
async fn a_retry_is_neither_a_failure_nor_stored_twice() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    append(&lanes, &[1]).await.unwrap();
    let not_now = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    brokers.request_errors(RDKafkaApiKey::Produce, &[not_now, not_now]);
    assert_eq!(places(&append(&lanes, &[1]).await.unwrap()), [(1, 0)]);
    assert_eq!(places(&append(&lanes, &[1]).await.unwrap()), [(2, 0)]);
}

/// librdkafka's producer is dead for good after this one.
#[tokio::test]
async fn a_producer_that_lost_track_is_replaced_without_a_hand() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    for round in 0..3 {
        append(&lanes, &[1]).await.unwrap();
        let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        brokers.request_errors(RDKafkaApiKey::Produce, &[lost]);
        let failed = append(&lanes, &[1]).await;
        assert!(
            matches!(failed, Err(Failure::Unavailable { .. })),
            "{round}"
        );
        append(&lanes, &[1]).await.unwrap();
    }
    // The other partitions had no part in it, and go on through the new producer.
    let other = lanes.push(3, Epoch(1), records(&[1])).unwrap();
    for answer in other {
        answer.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn closing_answers_what_waits_and_refuses_what_comes() {
    let brokers = brokers();
    let lanes = lanes(&brokers, config());
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.extend(lanes.push(0, Epoch(1), records(&[1])).unwrap());
    }
    let closing = Arc::clone(&lanes);
    let closed = tokio::task::spawn_blocking(move || closing.close(Duration::from_secs(10)));
    closed.await.unwrap().unwrap();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert!(matches!(append(&lanes, &[1]).await, Err(Failure::Closing)));
}

#[tokio::test]
async fn who_waits_hears_when_the_log_is_gone() {
    let brokers = brokers();
    brokers.broker_down(1).unwrap();
    let lanes = lanes(&brokers, config());
    let mut answers = lanes.push(0, Epoch(1), records(&[1])).unwrap();
    answers.extend(lanes.push(0, Epoch(1), records(&[1])).unwrap());
    drop(lanes);
    for answer in answers {
        assert!(!matches!(answer.await, Ok(Ok(_))));
    }
}
