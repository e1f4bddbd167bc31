//! The world outside: wall clock and randomness, so that a simulation can own both.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use guildhall_model::Timestamp;

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// Now, to the millisecond. May step back.
    fn now(&self) -> Timestamp;

    /// Milliseconds of a clock that never jumps. Only differences mean something, and only within
    /// one process: it is what windows and intervals are measured with.
    fn steady(&self) -> Timestamp {
        self.now()
    }
}

/// Draws random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` with numbers that nobody can predict.
    fn fill(&self, bytes: &mut [u8]);
}

/// The parts of the world that a component is given.
#[derive(Clone)]
pub struct Env {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// The source of secrets.
    pub random: Arc<dyn Random>,
}

impl Env {
    /// The machine's own clock and random numbers.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock {
                started: Instant::now(),
            }),
            random: Arc::new(SystemRandom),
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As [`Clock::steady`].
    pub fn steady(&self) -> Timestamp {
        self.clock.steady()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}

struct SystemClock {
    started: Instant,
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> Timestamp {
        let since = self.started.elapsed();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has a source of random numbers");
    }
}
