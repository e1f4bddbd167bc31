//! What nodes share, and what they leave behind.

use futures_util::future::join_all;
use guildhall_ports::Quotas;

use crate::engine::{Keys, LONG_MS, rate};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_one_window() {
    let keys = Keys::fresh();
    let nodes = [keys.node().await, keys.node().await, keys.node().await];
    let uses = (0..60_usize).map(|n| nodes[n % 3].take("someone", rate(10)));
    let counts = join_all(uses).await;
    let allowed = counts.iter().filter(|it| it.as_ref().unwrap().is_allowed);
    assert_eq!(allowed.count(), 10);
    for node in &nodes {
        let count = node.take("someone", rate(10)).await.unwrap();
        assert_eq!((count.is_allowed, count.used), (false, 10));
    }
}

#[tokio::test]
async fn installations_on_one_engine_do_not_touch_each_other() {
    let (ours, theirs) = (Keys::fresh().node().await, Keys::fresh().node().await);
    for node in [&ours, &theirs] {
        assert!(node.take("someone", rate(1)).await.unwrap().is_allowed);
        assert!(!node.take("someone", rate(1)).await.unwrap().is_allowed);
    }
}

#[tokio::test]
async fn every_key_goes_by_itself() {
    let keys = Keys::fresh();
    let node = keys.node().await;
    for _ in 0..3 {
        node.take("someone", rate(2)).await.unwrap();
        let left_ms = keys.left_ms("someone").await;
        assert!((1..=LONG_MS.into()).contains(&left_ms), "{left_ms}");
    }
}

/// An operator's tool may have taken its end from it, or the engine's clock was set.
#[tokio::test]
async fn a_key_that_would_stay_too_long_gets_an_end() {
    let keys = Keys::fresh();
    let node = keys.node().await;
    let mut shell = keys.shell().await;
    node.take("someone", rate(2)).await.unwrap();
    for verb in ["PERSIST", "PEXPIRE"] {
        let mut change = redis::cmd(verb);
        change.arg(keys.name("someone"));
        if verb == "PEXPIRE" {
            change.arg(i64::from(LONG_MS) * 1_000);
        }
        change.exec_async(&mut shell).await.unwrap();
        let count = node.take("someone", rate(2)).await.unwrap();
        assert!(count.is_allowed && count.left_ms <= LONG_MS, "{verb}");
        let left_ms = keys.left_ms("someone").await;
        assert!((1..=LONG_MS.into()).contains(&left_ms), "{verb}: {left_ms}");
    }
}
