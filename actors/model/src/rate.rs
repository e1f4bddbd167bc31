//! How often something may be done: a count per window of time.

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
}
