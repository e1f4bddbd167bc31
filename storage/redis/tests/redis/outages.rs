//! The engine is killed, hangs, is emptied, or is not there at all.

use std::time::{Duration, Instant};

use guildhall_ports::quotas::Count;
use guildhall_ports::{Failure, Quotas};
use guildhall_redis::RedisQuotas;
use tokio::time::timeout;

use crate::engine::rate;
use crate::victim::Engine;

/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_secs(2);
/// Longer than a node needs to find its engine again.
const BACK: Duration = Duration::from_secs(30);

pub(crate) async fn is_away(node: &RedisQuotas) {
    let asked = timeout(BOUND, node.take("someone", rate(1_000))).await;
    let answer = asked.expect("it is answered in time");
    assert!(
        matches!(answer, Err(Failure::Unavailable { .. })),
        "{answer:?}"
    );
}

/// Asks until there is an answer.
pub(crate) async fn comes_back(node: &RedisQuotas) -> Count {
    let asking = async {
        loop {
            if let Ok(count) = node.take("someone", rate(1_000)).await {
                return count;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(BACK, asking).await.expect("it is found again")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_was_away_is_used_again_and_nobody_has_to_help() {
    let engine = Engine::start();
    let keys = engine.keys();
    let nodes = [keys.node().await, keys.node().await];
    for (away, back) in [
        ("kill", "restart"),
        ("pause", "resume"),
        ("stop", "restart"),
    ] {
        let before = comes_back(&nodes[0]).await.used;
        engine.tell(away);
        for node in &nodes {
            is_away(node).await;
            // Nobody waits for it a second time.
            let began = Instant::now();
            for _ in 0..1_000 {
                is_away(node).await;
            }
            assert!(began.elapsed() < BOUND, "{away}");
        }
        engine.tell(back);
        let first = comes_back(&nodes[0]).await.used;
        let second = comes_back(&nodes[1]).await.used;
        assert_eq!(second, first + 1, "{away}: they share again");
        if away == "pause" {
            assert!(before < first, "it has forgotten nothing");
        } else {
            assert_eq!(first, 1, "it has forgotten everything");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_50_ms_for_an_engine_that_hangs() {
    let engine = Engine::start();
    let keys = engine.keys();
    let node = keys.open(keys.config()).await;
    comes_back(&node).await;
    engine.tell("pause");
    let began = Instant::now();
    is_away(&node).await;
    assert!(Duration::from_millis(50) <= began.elapsed());
    assert!(began.elapsed() < Duration::from_millis(500));
    engine.tell("resume");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_emptied_counts_from_the_beginning_without_a_failure() {
    let engine = Engine::start();
    let keys = engine.keys();
    let node = keys.node().await;
    let mut shell = keys.shell().await;
    for forgotten in [&["FLUSHALL"][..], &["SCRIPT", "FLUSH"], &["FLUSHALL"]] {
        let mut forget = redis::cmd(forgotten[0]);
        for word in &forgotten[1..] {
            forget.arg(*word);
        }
        let before = comes_back(&node).await.used;
        forget.exec_async(&mut shell).await.unwrap();
        let after = node.take("someone", rate(1_000)).await.unwrap().used;
        let expected = if forgotten == ["FLUSHALL"] {
            1
        } else {
            before + 1
        };
        assert_eq!(after, expected, "{forgotten:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_takes_nothing_more_is_away_until_it_does() {
    let engine = Engine::start();
    let keys = engine.keys();
    let node = keys.node().await;
    let mut shell = keys.shell().await;
    for (key, full, empty) in [
        ("maxmemory", "1", "0"),
        // As a replica that was made out of the primary.
        ("min-replicas-to-write", "1", "0"),
    ] {
        comes_back(&node).await;
        let mut set = async |value: &str| {
            let mut set = redis::cmd("CONFIG");
            set.arg("SET").arg(key).arg(value);
            set.exec_async(&mut shell).await.unwrap();
        };
        set(full).await;
        is_away(&node).await;
        set(empty).await;
        comes_back(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_after_the_node_is_found() {
    let engine = Engine::start();
    let keys = engine.keys();
    engine.tell("kill");
    let opened = timeout(BACK, keys.node()).await;
    let node = opened.expect("a node starts without it");
    is_away(&node).await;
    engine.tell("restart");
    comes_back(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_sees_that_the_engine_is_away_and_that_it_is_back() {
    let engine = Engine::start();
    let keys = engine.keys();
    let node = keys.node().await;
    let standing = node.standing();
    for (away, back) in [("pause", "resume"), ("kill", "restart")] {
        until(&node, false).await;
        engine.tell(away);
        until(&node, true).await;
        assert!(standing.away().is_some_and(|why| !why.is_empty()));
        engine.tell(back);
    }
    until(&node, false).await;
}

/// Looks until the engine is seen to be away, or there.
async fn until(node: &RedisQuotas, is_away: bool) {
    let looking = async {
        while node.standing().is_away() != is_away {
            node.look().await;
            tokio::task::yield_now().await;
        }
    };
    timeout(BACK, looking).await.expect("it is seen");
}
