//! When a client is replaced, on brokers that librdkafka plays itself.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::sync::oneshot;

use super::*;

const TOPIC: &str = "test.events";
type Brokers = MockCluster<'static, DefaultProducerContext>;

/// Two brokers, each of which leads a partition.
fn brokers() -> Brokers {
    let brokers = MockCluster::new(2).unwrap();
    brokers.create_topic(TOPIC, 2, 1).unwrap();
    for (partition, broker) in [(0, 1), (1, 2)] {
        brokers
            .partition_leader(TOPIC, partition, Some(broker))
            .unwrap();
    }
    brokers
}

fn producer(brokers: &Brokers) -> Producer {
    let mut cluster = ClusterConfig::new(brokers.bootstrap_servers());
    cluster.ack_timeout_ms = 2_000;
    Producer::start("events log", &cluster, 1 << 20, Seen::default()).unwrap()
}

/// Hands a record over; the answer is what became of it.
fn send(producer: &Producer, partition: u16) -> oneshot::Receiver<Result<i64, KafkaError>> {
    let (tell, answer) = oneshot::channel();
    let parcel = Parcel {
        topic: TOPIC,
        partition,
        key: &[],
        value: Some(&[7]),
    };
    let on_delivery = Box::new(move |delivered| {
        let _ = tell.send(delivered);
    });
    producer.send(&parcel, on_delivery).unwrap();
    answer
}

fn client(producer: &Producer) -> *const BaseProducer<Answers> {
    Arc::as_ptr(&producer.running.lock().client)
}

#[tokio::test]
async fn a_client_to_which_nothing_is_acknowledged_in_time_is_replaced() {
    let brokers = brokers();
    let producer = producer(&brokers);
    let first = client(&producer);
    assert_eq!(send(&producer, 0).await.unwrap(), Ok(0));
    brokers.broker_down(1).unwrap();
    let timed_out = send(&producer, 0).await.unwrap().unwrap_err();
    assert_eq!(
        timed_out.rdkafka_error_code(),
        Some(RDKafkaErrorCode::MessageTimedOut)
    );
    brokers.broker_up(1).unwrap();
    assert!(send(&producer, 0).await.unwrap().is_ok());
    let second = client(&producer);
    assert_ne!(first, second);
    // Which is as good as any.
    assert!(send(&producer, 1).await.unwrap().is_ok());
    assert_eq!(client(&producer), second);
}

#[tokio::test]
async fn a_client_stays_while_one_broker_of_several_acknowledges() {
    let brokers = brokers();
    let producer = producer(&brokers);
    let first = client(&producer);
    assert_eq!(send(&producer, 0).await.unwrap(), Ok(0));
    brokers.broker_down(1).unwrap();
    let late = send(&producer, 0);
    assert_eq!(send(&producer, 1).await.unwrap(), Ok(0));
    assert!(late.await.unwrap().is_err());
    assert_eq!(send(&producer, 1).await.unwrap(), Ok(1));
    assert_eq!(client(&producer), first);
}

#[tokio::test]
async fn a_client_stays_whose_record_a_broker_refuses() {
    let brokers = brokers();
    let producer = producer(&brokers);
    let first = client(&producer);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    brokers.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    assert!(send(&producer, 0).await.unwrap().is_err());
    assert!(send(&producer, 0).await.unwrap().is_ok());
    assert_eq!(client(&producer), first);
}
