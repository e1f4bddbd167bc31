//! A clock that stands until it is moved, and random numbers that repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use guildhall_model::Timestamp;
use parking_lot::Mutex;

use crate::env::{Clock, Env, Random};

/// A clock that a test sets. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct FakeClock {
    now_ms: Arc<AtomicI64>,
}

impl FakeClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now_ms: Arc::new(AtomicI64::new(now.0)),
        }
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }

    /// Moves the clock by `ms` milliseconds, which may be negative.
    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// A world with this clock and the random numbers of `seed`.
    pub fn env(&self, seed: u64) -> Env {
        Env {
            clock: Arc::new(self.clone()),
            random: Arc::new(FakeRandom::seeded(seed)),
        }
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }
}

/// Random numbers that anybody can predict: the `SplitMix64` sequence of a seed.
#[derive(Debug)]
pub struct FakeRandom {
    state: Mutex<u64>,
}

impl FakeRandom {
    /// The numbers of `seed`, the same in every run.
    pub fn seeded(seed: u64) -> Self {
        Self {
            state: Mutex::new(seed),
        }
    }
}

impl Random for FakeRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock();
        for part in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            part.copy_from_slice(&mixed.to_le_bytes()[..part.len()]);
        }
    }
}
