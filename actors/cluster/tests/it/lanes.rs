//! The two lanes to a peer, of which one may be full.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use guildhall_cluster::link::bounds::{CALLS_ANSWERED_BYTES_MAX, QUEUE_BYTES_MAX};
use guildhall_cluster::link::{Lane, LinkError};

use crate::desk::{Node, PATIENCE, soon};

const LARGE: usize = 1024 * 1024;

#[tokio::test]
async fn a_full_bulk_lane_does_not_hold_up_control() {
    let (one, two) = Node::pair().await;
    let mut calls = FuturesUnordered::new();
    // Nobody answers these, so the other side soon reads no more and the queue fills up.
    let full = soon(async {
        loop {
            let mut body = vec![b'.'; LARGE];
            body[..4].copy_from_slice(b"wait");
            calls.push(one.links.call(two.id, Lane::Bulk, body.into(), PATIENCE));
            tokio::select! {
                biased;
                Some(answer) = calls.next() => break answer,
                () = tokio::task::yield_now() => {}
            }
        }
    });
    assert_eq!(full.await, Err(LinkError::Busy));
    let under_way = calls.len();
    assert!(under_way * LARGE > QUEUE_BYTES_MAX, "{under_way}");
    let told = one
        .links
        .tell(two.id, Lane::Bulk, Bytes::from(vec![0; LARGE]));
    assert_eq!(told, Err(LinkError::Busy));

    for number in 0..100 {
        let body = number.to_string();
        assert_eq!(one.call(&two, &body).await.unwrap(), body);
    }
    let control = one.links.tell(two.id, Lane::Control, Bytes::from("told"));
    assert_eq!(control, Ok(()));
    two.has_seen(|seen| seen.told.len() == 1).await;

    let at_once = two.desk.seen.borrow().at_once.1;
    // Beside those of the bulk lane there was one of the control lane at a time.
    assert!((at_once - 1) * LARGE <= CALLS_ANSWERED_BYTES_MAX as usize);
    two.desk.gate.add_permits(under_way);
    let answers: Vec<_> = soon(calls.collect()).await;
    assert_eq!(answers.len(), under_way);
    assert!(answers.iter().all(Result::is_ok));
}

#[tokio::test]
async fn many_large_answers_arrive_while_few_of_them_wait() {
    let (one, two) = Node::pair().await;
    let body = Bytes::from(vec![b'.'; LARGE]);
    let call = || async {
        let answer = loop {
            let call = one.links.call(two.id, Lane::Bulk, body.clone(), PATIENCE);
            match call.await {
                Err(LinkError::Busy) => tokio::task::yield_now().await,
                answer => break answer,
            }
        };
        assert!(answer.unwrap() == body);
    };
    let calls: FuturesUnordered<_> = (0..64).map(|_| call()).collect();
    assert_eq!(soon(calls.count()).await, 64);
}
