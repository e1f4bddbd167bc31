//! Counts in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{Rate, Timestamp, Window};
use parking_lot::Mutex;

use super::Outage;
use crate::env::Env;
use crate::error::Failure;
use crate::quotas::{Count, KEY_BYTES_MAX, Quotas};

/// Counts that can be forgotten or made unreachable. Clones are the same counts.
#[derive(Clone)]
pub struct FakeQuotas {
    env: Env,
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    windows: Mutex<HashMap<String, Window>>,
}

impl FakeQuotas {
    /// No counts, by this clock.
    pub fn new(env: Env) -> Self {
        Self {
            env,
            store: Arc::default(),
        }
    }

    /// Every call fails like this from now on; `None` ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
    }

    fn check(&self, key: &str) -> Result<(), Failure> {
        self.store.outage.check()?;
        if key.len() > KEY_BYTES_MAX {
            return Err(Failure::unavailable("the counts", "the key is too long"));
        }
        Ok(())
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.store.windows.lock().clear();
    }
}

#[async_trait]
impl Quotas for FakeQuotas {
    async fn take(&self, key: &str, rate: Rate) -> Result<Count, Failure> {
        self.check(key)?;
        let now = self.env.steady();
        let mut windows = self.store.windows.lock();
        let window = windows
            .entry(key.to_owned())
            .or_insert_with(|| Window::fresh(rate, now));
        let is_allowed = window.take(rate, now);
        Ok(count(is_allowed, *window, rate, now))
    }

    async fn look(&self, key: &str, rate: Rate) -> Result<Count, Failure> {
        self.check(key)?;
        let now = self.env.steady();
        let window = self.store.windows.lock().get(key).copied();
        let window = window.filter(|window| !window.is_over(now));
        let window = window.unwrap_or(Window::fresh(rate, now));
        Ok(count(0 < window.remaining(rate), window, rate, now))
    }
}

fn count(is_allowed: bool, window: Window, rate: Rate, now: Timestamp) -> Count {
    let left_ms = u32::try_from(window.ends_at.ms_since(now)).unwrap_or(u32::MAX);
    Count {
        is_allowed,
        used: window.used.min(rate.count()),
        left_ms: left_ms.min(rate.window_ms()),
    }
}

impl fmt::Debug for FakeQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeQuotas")
    }
}
