//! What a node says and counts when it is alone.

use std::cell::RefCell;
use std::io::Write;

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::engine::Keys;
use crate::outages::{comes_back, is_away};
use crate::victim::Engine;

thread_local! {
    /// The log of this thread, while it is captured.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.get_or_insert_default().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Captures everything that this thread logs from now on. The subscriber is the whole process's:
/// one thread's alone would not hear of places in the code that another thread came by first.
fn capture() {
    let is_capturing = dynamic_filter_fn(|_, _| LOG.with_borrow(Option::is_some));
    let layer = fmt::layer()
        .with_ansi(false)
        .with_writer(|| Captured)
        .with_filter(is_capturing);
    tracing::subscriber::set_global_default(Registry::default().with(layer))
        .expect("no other test has a subscriber");
    LOG.set(Some(Vec::new()));
}

/// On one thread, which alone has this recorder and this log.
#[tokio::test]
async fn who_is_alone_says_so_once_and_counts_it_and_never_tells_the_password() {
    let engine = Engine::start();
    capture();
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
    comes_back(&node).await;
    engine.tell("pause");
    for _ in 0..50 {
        is_away(&node).await;
    }
    engine.tell("resume");
    comes_back(&node).await;

    let log = LOG.take().expect("it was captured");
    let log = String::from_utf8(log).unwrap();
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
