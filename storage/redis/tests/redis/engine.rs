//! The engine that the tests use, and keys of its own for each of them.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use guildhall_model::Rate;
use guildhall_redis::{Config, RedisQuotas};
use redis::aio::MultiplexedConnection;

/// Where the engine is: what `deploy/engines/redis start DIR` prints.
const ENGINE: &str = "GUILDHALL_TEST_REDIS";
/// Whether tests without an engine fail.
const ENGINES: &str = "GUILDHALL_TEST_ENGINES";
/// What nodes wait for: a machine that runs many tests may keep a node itself busy for longer than it
/// would wait for its engine.
const PATIENCE: Duration = Duration::from_millis(800);
/// Longer than any of these tests, so that what a test leaves behind goes by itself.
pub(crate) const LONG_MS: u32 = 600_000;

/// Keys that no other test has.
pub(crate) struct Keys {
    url: String,
    prefix: String,
}

impl Keys {
    /// Some in the engine that the environment names.
    pub(crate) fn fresh() -> Self {
        Self::of(&engine())
    }

    /// Some in this engine.
    pub(crate) fn of(url: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            url: url.to_owned(),
            prefix: format!("test-{}-{number}:", std::process::id()),
        }
    }

    /// One node's counts.
    pub(crate) async fn node(&self) -> RedisQuotas {
        self.open(self.patient()).await
    }

    /// How a node reaches the engine.
    pub(crate) fn patient(&self) -> Config {
        self.config().with_patience(PATIENCE)
    }

    /// How a node reaches the engine, with the usual patience.
    pub(crate) fn config(&self) -> Config {
        Config::parse(&self.url).unwrap()
    }

    /// One node's counts, reached like this.
    pub(crate) async fn open(&self, config: Config) -> RedisQuotas {
        RedisQuotas::open(&config, &self.prefix).await.unwrap()
    }

    /// The engine's name of a caller's key.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}limit:{key}", self.prefix)
    }

    /// An operator's own connection.
    pub(crate) async fn shell(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Milliseconds until the key goes by itself; negative where it does not, or is not there.
    pub(crate) async fn left_ms(&self, key: &str) -> i64 {
        let mut shell = self.shell().await;
        let mut ask = redis::cmd("PTTL");
        ask.arg(self.name(key));
        ask.query_async(&mut shell).await.unwrap()
    }
}

/// So often in a window that no test sees the end of.
pub(crate) fn rate(count: u32) -> Rate {
    Rate::new(count, LONG_MS).unwrap()
}

/// The address of the engine. Without one the program ends here, well or badly.
pub(crate) fn engine() -> String {
    if let Some(url) = std::env::var_os(ENGINE) {
        return url.into_string().unwrap();
    }
    let how = format!("{ENGINE} names no engine (deploy/engines/redis start DIR)");
    assert!(
        std::env::var_os(ENGINES).is_none_or(|wanted| wanted != "required"),
        "{how}"
    );
    // Past the harness, which would keep it to itself.
    let _ = writeln!(std::io::stderr().lock(), "NOT RUN: guildhall-redis, {how}");
    std::process::exit(0)
}
