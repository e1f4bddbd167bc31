//! Calls and their answers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use guildhall_cluster::link::bounds::{BODY_BYTES_MAX, CALLS_ANSWERED_MAX, CALLS_IN_FLIGHT_MAX};
use guildhall_cluster::link::{Lane, LinkError};
use guildhall_model::NodeId;

use crate::desk::{Node, PATIENCE, soon};

#[tokio::test]
async fn a_slow_call_does_not_hold_up_others() {
    let (one, two) = Node::pair().await;
    let slow = one.call(&two, "wait");
    let quick = async {
        two.has_begun("wait").await;
        assert_eq!(one.call(&two, "quick").await.unwrap(), "quick");
        two.desk.gate.add_permits(1);
    };
    let (slow, ()) = soon(async { tokio::join!(slow, quick) }).await;
    assert_eq!(slow.unwrap(), "wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_are_answered_once_each() {
    let (one, two) = Node::pair().await;
    two.links.set_peers(vec![one.peer()]);
    two.is_up(&one).await;
    let calls = stream::iter(0..10_000)
        .map(|number| {
            let (from, to) = if number % 2 == 0 {
                (&one, &two)
            } else {
                (&two, &one)
            };
            let lane = if number % 3 == 0 {
                Lane::Bulk
            } else {
                Lane::Control
            };
            async move {
                let body = number.to_string();
                let answer = from.call_on(lane, to, &body).await;
                assert_eq!(answer, Ok(body));
            }
        })
        .buffer_unordered(1_000);
    assert_eq!(soon(calls.count()).await, 10_000);
    for node in [&one, &two] {
        let seen = node.has_seen(|seen| seen.at_once.0 == 0).await;
        assert_eq!(seen.calls.len(), 5_000);
        assert!(seen.calls.values().all(|&times| times == 1));
    }
}

#[tokio::test]
async fn a_caller_hears_when_too_much_is_under_way() {
    let (one, two) = Node::pair().await;
    let mut calls: FuturesUnordered<_> = (0..CALLS_IN_FLIGHT_MAX)
        .map(|number| {
            let body = Bytes::from(format!("wait {number}"));
            one.links.call(two.id, Lane::Control, body, PATIENCE)
        })
        .collect();
    assert!(calls.next().now_or_never().is_none(), "nothing is answered");
    assert_eq!(one.call(&two, "quick").await, Err(LinkError::Busy));
    let on_another_lane = one.call_on(Lane::Bulk, &two, "quick").await;
    assert_eq!(on_another_lane.unwrap(), "quick");
    two.has_seen(|seen| seen.at_once.0 == CALLS_ANSWERED_MAX)
        .await;
    two.desk.gate.add_permits(CALLS_IN_FLIGHT_MAX);
    let answers: Vec<_> = soon(calls.collect()).await;
    assert_eq!(answers.len(), CALLS_IN_FLIGHT_MAX);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(one.call(&two, "quick").await.unwrap(), "quick");
    let seen = two.has_seen(|seen| seen.at_once.0 == 0).await;
    assert_eq!(seen.at_once.1, CALLS_ANSWERED_MAX);
}

#[tokio::test]
async fn the_largest_call_is_carried_and_a_larger_one_refused() {
    let (one, two) = Node::pair().await;
    let call = |bytes| {
        let body = Bytes::from(vec![b'.'; bytes]);
        one.links.call(two.id, Lane::Bulk, body, PATIENCE)
    };
    assert_eq!(call(BODY_BYTES_MAX).await.unwrap().len(), BODY_BYTES_MAX);
    assert_eq!(call(BODY_BYTES_MAX + 1).await, Err(LinkError::TooLarge));
    let told = one
        .links
        .tell(two.id, Lane::Bulk, Bytes::from(vec![0; BODY_BYTES_MAX + 1]));
    assert_eq!(told, Err(LinkError::TooLarge));
}

#[tokio::test]
async fn a_call_whose_answer_cannot_be_given_is_lost() {
    let (one, two) = Node::pair().await;
    assert_eq!(one.call(&two, "panic").await, Err(LinkError::Lost));
    assert_eq!(one.call(&two, "large").await, Err(LinkError::Lost));
    assert_eq!(one.call(&two, "quick").await.unwrap(), "quick");
}

#[tokio::test]
async fn a_call_without_an_answer_in_time_is_overdue() {
    let (one, two) = Node::pair().await;
    let body = Bytes::from("wait");
    let within = Duration::from_millis(20);
    let call = one.links.call(two.id, Lane::Control, body, within);
    assert_eq!(soon(call).await, Err(LinkError::Overdue));
    two.desk.gate.add_permits(1);
    // Its late answer is for nobody, and the next call has its own.
    assert_eq!(one.call(&two, "quick").await.unwrap(), "quick");
}

#[tokio::test]
async fn one_way_messages_come_in_order() {
    let (one, two) = Node::pair().await;
    let messages: Vec<Bytes> = (0..1_000).map(|it| Bytes::from(it.to_string())).collect();
    for message in &messages {
        let told = one.links.tell(two.id, Lane::Control, message.clone());
        assert_eq!(told, Ok(()));
    }
    let seen = two.has_seen(|seen| seen.told.len() == messages.len()).await;
    let expected: Vec<_> = messages.into_iter().map(|it| (one.id, it)).collect();
    assert_eq!(seen.told, expected);
}

#[tokio::test]
async fn who_is_not_on_the_list_is_not_reachable() {
    let (one, two) = Node::pair().await;
    let stranger = NodeId(9);
    let call = one
        .links
        .call(stranger, Lane::Control, Bytes::new(), PATIENCE);
    assert_eq!(call.await, Err(LinkError::Unreachable));
    let told = one.links.tell(stranger, Lane::Control, Bytes::new());
    assert_eq!(told, Err(LinkError::Unreachable));
    let stream = one.links.open_stream(stranger, Bytes::new()).await;
    assert_eq!(stream.err(), Some(LinkError::Unreachable));
    // Who is called does not call by that.
    assert_eq!(two.call(&one, "quick").await, Err(LinkError::Unreachable));
}
