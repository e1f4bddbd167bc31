//! What the called side does with frames that a node should not send, and with its bounds.

use async_trait::async_trait;
use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::runtime::Builder;

use super::super::Lane;
use super::super::answers::ByteStream;
use super::super::batch::Messages;
use super::*;

/// Answers each call with its body.
struct Echo;

#[async_trait]
impl Answers for Echo {
    async fn answer(&self, _: NodeId, call: Bytes) -> Bytes {
        call
    }

    fn heard(&self, _: NodeId, _: Bytes) {}

    async fn stream(&self, _: NodeId, _: Bytes, _: ByteStream) {}
}

/// How a connection ends over which these frames come and then nothing more.
async fn end_of(frames: &[&[u8]]) -> Ended {
    let (mut near, far) = duplex(1024 * 1024);
    for frame in frames {
        near.write_u32(frame.len().try_into().unwrap())
            .await
            .unwrap();
        near.write_all(frame).await.unwrap();
    }
    near.shutdown().await.unwrap();
    let answers: Arc<dyn Answers> = Arc::new(Echo);
    let metrics = LaneMetrics::of(Lane::Control);
    answer_lane(far, NodeId(1), &answers, &Room::default(), &metrics).await
}

fn frame(number: u64, messages: &[Message]) -> Bytes {
    let mut batch = Batch::new(number);
    for message in messages {
        batch.add(message);
    }
    batch.into_bytes()
}

#[tokio::test]
async fn a_caller_that_sends_answers_is_closed() {
    let call = Message::Call {
        id: 1,
        body: Bytes::new(),
    };
    let answer = Message::Answer {
        id: 1,
        body: Bytes::new(),
    };
    let good = frame(0, &[call]);
    assert!(matches!(end_of(&[&good]).await, Ended::Closed));
    let bad = frame(1, &[answer]);
    assert!(matches!(end_of(&[&good, &bad]).await, Ended::Unexpected));
    let none = frame(1, &[Message::NoAnswer { id: 1 }]);
    assert!(matches!(end_of(&[&good, &none]).await, Ended::Unexpected));
}

#[tokio::test]
async fn a_frame_that_is_missing_or_comes_twice_is_noticed() {
    let (first, third) = (frame(0, &[]), frame(2, &[]));
    for second in [&first, &third] {
        let ended = end_of(&[&first, second]).await;
        assert!(matches!(ended, Ended::OutOfOrder { expected: 1, .. }));
        assert!(ended.is_violation());
    }
}

#[tokio::test]
async fn while_too_many_answers_wait_no_call_is_begun() {
    let replies = Replies::default();
    replies.has_room().await;
    let body = Bytes::from(vec![0; BODY_BYTES_MAX]);
    replies.push(Message::Answer { id: 1, body });
    assert!(replies.has_room().now_or_never().is_none());
    let mut batch = Batch::new(0);
    replies.fill(&mut batch);
    assert!(Messages::of(&batch.into_bytes(), 0).is_ok());
    replies.has_room().await;
}

proptest! {
    #[test]
    fn garbage_in_a_frame_ends_the_connection_without_harm(
        garbage in prop::collection::vec(any::<u8>(), 0..300),
        is_numbered: bool,
    ) {
        let mut bytes = if is_numbered { frame(0, &[]).to_vec() } else { Vec::new() };
        bytes.extend(garbage);
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let ended = runtime.block_on(end_of(&[&bytes]));
        prop_assert!(matches!(ended, Ended::Closed) || ended.is_violation(), "{ended}");
    }
}
