//! How often something may be done: a count per window of time.

use crate::Timestamp;
use crate::limits::{RATE_COUNT_MAX, RATE_WINDOW_MS_MAX};

/// At most `count` times per window of `window_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    window_ms: u32,
}

impl Rate {
    /// A rate; `None` unless both numbers are from 1 to their bound in [`crate::limits`].
    pub const fn new(count: u32, window_ms: u32) -> Option<Self> {
        let is_rate = 0 < count
            && count <= RATE_COUNT_MAX
            && 0 < window_ms
            && window_ms <= RATE_WINDOW_MS_MAX;
        if is_rate {
            Some(Self { count, window_ms })
        } else {
            None
        }
    }

    /// How often.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Milliseconds within which.
    pub const fn window_ms(self) -> u32 {
        self.window_ms
    }
}

/// One window of a rate. It begins with the first use and ends its length later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How often it was used.
    pub used: u32,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl Window {
    /// One that begins now and is not used yet.
    pub const fn fresh(rate: Rate, now: Timestamp) -> Self {
        Self {
            used: 0,
            ends_at: now.plus_ms(rate.window_ms as i64),
        }
    }

    /// It has ended.
    pub fn is_over(self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// How often it can still be used.
    pub const fn remaining(self, rate: Rate) -> u32 {
        rate.count().saturating_sub(self.used)
    }

    /// Uses it once, or a fresh one where it has ended. False if it is used up: what is not allowed
    /// uses nothing.
    pub fn take(&mut self, rate: Rate, now: Timestamp) -> bool {
        if self.is_over(now) {
            *self = Self::fresh(rate, now);
        }
        let is_allowed = 0 < self.remaining(rate);
        self.used += u32::from(is_allowed);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_allows_something_and_has_an_end() {
        for (count, window_ms, is_rate) in [
            (1, 1, true),
            (RATE_COUNT_MAX, RATE_WINDOW_MS_MAX, true),
            (0, 1, false),
            (1, 0, false),
            (RATE_COUNT_MAX + 1, 1, false),
            (1, RATE_WINDOW_MS_MAX + 1, false),
        ] {
            assert_eq!(Rate::new(count, window_ms).is_some(), is_rate);
        }
    }
    #[test]
    fn a_window_allows_its_count_until_it_ends() {
        let rate = Rate::new(2, 1_000).unwrap();
        let mut window = Window::fresh(rate, Timestamp(5));
        let taken = [5, 1_000, 1_004, 1_005].map(|now| window.take(rate, Timestamp(now)));
        assert_eq!(taken, [true, true, false, true]);
        assert_eq!((window.used, window.ends_at), (1, Timestamp(2_005)));
        // A rate that was made smaller meanwhile.
        assert_eq!(Window { used: 9, ..window }.remaining(rate), 0);
    }
}
