//! The engine is killed, hangs, is emptied, or is not there at all.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_ports::quotas::Count;
use guildhall_ports::{Failure, Quotas};
use guildhall_redis::RedisQuotas;
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::engine::{Keys, rate};
use crate::victim::Engine;

/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_secs(2);
/// Longer than a node needs to find its engine again.
const BACK: Duration = Duration::from_secs(30);

async fn is_away(node: &RedisQuotas) {
    let asked = timeout(BOUND, node.take("someone", rate(1_000))).await;
    let answer = asked.expect("it is answered in time");
    assert!(
        matches!(answer, Err(Failure::Unavailable { .. })),
        "{answer:?}"
    );
}

/// Asks until there is an answer.
async fn comes_back(node: &RedisQuotas) -> Count {
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

/// What a subscriber writes, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, which alone has this recorder and this log.
#[tokio::test]
async fn who_is_alone_says_so_once_and_counts_it_and_never_tells_the_password() {
    let engine = Engine::start();
    let log = Kept::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || written.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let recorder = PrometheusBuilder::new().build_recorder();
    let measured = recorder.handle();
    let _measuring = metrics::set_default_local_recorder(&recorder);

    // It has no password, and says that it is none.
    let keys = Keys::of(&format!("redis://someone:sesame@{}", engine.host()));
    let refused = keys.node().await;
    for _ in 0..100 {
        is_away(&refused).await;
    }
    drop(refused);
    let node = engine.keys().node().await;
    engine.tell("pause");
    for _ in 0..50 {
        is_away(&node).await;
    }
    engine.tell("resume");
    comes_back(&node).await;

    let log = String::from_utf8(log.0.lock().clone()).unwrap();
    assert_eq!(log.matches("Redis is away").count(), 2, "{log}");
    assert_eq!(log.matches("Redis is back").count(), 1, "{log}");
    assert!(!log.contains("sesame"), "{log}");
    let measured = measured.render();
    let count = |name: &str| {
        let line = measured.lines().find(|line| line.starts_with(name));
        let value = line.unwrap_or_else(|| panic!("{name} is not in {measured}"));
        value.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(count("guildhall_redis_alone_total") >= 150.0);
    assert!((count("guildhall_redis_overdue_total") - 1.0).abs() < f64::EPSILON);
    assert!(count("guildhall_redis_take_seconds_count") >= 1.0);
}
