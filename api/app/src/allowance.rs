//! How often each of many may do something: one fixed window per key, and a bound on the windows.
//!
//! A window begins with the first use and ends its length later, as Discord's buckets do: clients
//! are told when it ends, and may then use the whole allowance again. Time is handed in.

use std::collections::HashMap;
use std::hash::Hash;

use guildhall_model::limits::{RATE_SWEEP_MS, RATE_WINDOWS_MAX};
use guildhall_model::{Rate, Timestamp};

/// A full table forgets this share of its windows at once, so that a flood of new keys pays for a
/// look through the table only now and then.
const FORGOTTEN_SHARE: usize = 4;

/// What became of one use of an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// It was allowed. What was not allowed uses nothing up.
    pub is_allowed: bool,
    /// How often per window.
    pub limit: u32,
    /// How often still in this window.
    pub remaining: u32,
    /// When the window ends.
    pub ends_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    used: u32,
    ends_at: Timestamp,
}

/// The windows of many keys, of which at most [`RATE_WINDOWS_MAX`] are remembered.
///
/// A full table drops the windows that are over. If that does not help it drops those that end
/// soonest: a few callers get their allowance back early, and nobody is refused for what others do.
#[derive(Debug)]
pub struct Allowances<K> {
    windows: HashMap<K, Window>,
    swept_at: Timestamp,
}

impl<K> Default for Allowances<K> {
    fn default() -> Self {
        Self {
            windows: HashMap::new(),
            swept_at: Timestamp(0),
        }
    }
}

impl<K: Eq + Hash + Copy> Allowances<K> {
    /// Uses the key's allowance once, if it is not used up. A key has always the same rate.
    pub fn take(&mut self, key: K, rate: Rate, now: Timestamp) -> Taken {
        if now.ms_since(self.swept_at) >= RATE_SWEEP_MS {
            self.sweep(now);
        }
        if RATE_WINDOWS_MAX <= self.windows.len() && !self.windows.contains_key(&key) {
            self.make_room(now);
        }
        let fresh = Window {
            used: 0,
            ends_at: now.plus_ms(rate.window_ms().into()),
        };
        let window = self.windows.entry(key).or_insert(fresh);
        if window.ends_at <= now {
            *window = fresh;
        }
        let is_allowed = window.used < rate.count();
        if is_allowed {
            window.used += 1;
        }
        Taken {
            is_allowed,
            ..told(*window, rate)
        }
    }

    /// Whether the key's allowance is used up, and what is left of it, without using it.
    pub fn look(&self, key: &K, rate: Rate, now: Timestamp) -> Taken {
        let window = self.windows.get(key).filter(|window| now < window.ends_at);
        let fresh = Window {
            used: 0,
            ends_at: now.plus_ms(rate.window_ms().into()),
        };
        told(window.copied().unwrap_or(fresh), rate)
    }

    /// How many windows are remembered.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// No window is remembered.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    fn sweep(&mut self, now: Timestamp) {
        self.windows.retain(|_, window| now < window.ends_at);
        // A flood leaves no memory behind.
        self.windows.shrink_to(self.windows.len() * 2);
        self.swept_at = now;
    }

    fn make_room(&mut self, now: Timestamp) {
        self.sweep(now);
        if self.windows.len() < RATE_WINDOWS_MAX {
            return;
        }
        let mut left = RATE_WINDOWS_MAX / FORGOTTEN_SHARE;
        let mut ends: Vec<_> = self.windows.values().map(|window| window.ends_at).collect();
        let (_, &mut last, _) = ends.select_nth_unstable(left);
        // Of many that end together only as many go as must.
        self.windows.retain(|_, window| {
            let goes = window.ends_at <= last && 0 < left;
            left -= usize::from(goes);
            !goes
        });
    }
}

fn told(window: Window, rate: Rate) -> Taken {
    let remaining = rate.count().saturating_sub(window.used);
    Taken {
        is_allowed: 0 < remaining,
        limit: rate.count(),
        remaining,
        ends_at: window.ends_at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(count: u32, window_ms: u32) -> Rate {
        Rate::new(count, window_ms).unwrap()
    }

    #[test]
    fn a_window_allows_its_count_and_then_nothing_until_it_ends() {
        let mut all = Allowances::default();
        let two = rate(2, 1_000);
        let taken: Vec<_> = [0, 400, 999, 1_000]
            .map(|now| all.take("a", two, Timestamp(now)))
            .map(|taken| (taken.is_allowed, taken.remaining, taken.ends_at.0))
            .into();
        assert_eq!(
            taken,
            [
                (true, 1, 1_000),
                (true, 0, 1_000),
                (false, 0, 1_000),
                (true, 1, 2_000)
            ]
        );
    }

    #[test]
    fn a_look_uses_nothing_up() {
        let mut all = Allowances::default();
        let one = rate(1, 1_000);
        assert!(all.look(&"a", one, Timestamp(0)).is_allowed);
        assert!(all.take("a", one, Timestamp(0)).is_allowed);
        assert!(!all.look(&"a", one, Timestamp(999)).is_allowed);
        assert!(all.look(&"a", one, Timestamp(1_000)).is_allowed);
    }

    #[test]
    fn windows_that_are_over_are_dropped() {
        let mut all = Allowances::default();
        for key in 0..1_000 {
            all.take(key, rate(1, 1_000), Timestamp(1));
        }
        all.take(
            1_000,
            rate(1, 1_000),
            Timestamp(RATE_SWEEP_MS.cast_signed()),
        );
        assert_eq!(all.len(), 1);
        assert!(all.windows.capacity() < 100);
    }

    #[test]
    fn a_flood_of_keys_stays_within_the_bound_and_keeps_the_longest_windows() {
        let mut all = Allowances::default();
        let (short, long) = (rate(1, 1_000), rate(1, 60_000));
        all.take(usize::MAX, long, Timestamp(0));
        for key in 0..10 * RATE_WINDOWS_MAX {
            // Whoever is new is let in, however many there are.
            assert!(all.take(key, short, Timestamp(1)).is_allowed);
            assert!(all.len() <= RATE_WINDOWS_MAX);
        }
        assert!(
            RATE_WINDOWS_MAX / 2 < all.len(),
            "no more is forgotten than must be"
        );
        assert!(!all.take(usize::MAX, long, Timestamp(2)).is_allowed);
    }

    proptest! {
        #[test]
        fn no_window_allows_more_than_its_count_and_keys_do_not_touch_each_other(
            count in 1_u32..5,
            window_ms in 1_u32..50,
            uses in prop::collection::vec((0_u8..3, 0_i64..20), 1..200),
        ) {
            let rate = rate(count, window_ms);
            let mut all = Allowances::default();
            let mut alone = [(); 3].map(|()| Allowances::default());
            let mut granted: [Vec<i64>; 3] = Default::default();
            let mut now = 0;
            for (key, pause) in uses {
                now += pause;
                let taken = all.take(key, rate, Timestamp(now));
                prop_assert_eq!(taken, alone[usize::from(key)].take(key, rate, Timestamp(now)));
                prop_assert!(taken.is_allowed || now < taken.ends_at.0);
                prop_assert!(taken.ends_at.0 <= now + i64::from(window_ms));
                let granted = &mut granted[usize::from(key)];
                if taken.is_allowed {
                    granted.push(now);
                }
                let begins = taken.ends_at.0 - i64::from(window_ms);
                let within = granted.iter().filter(|&&at| begins <= at).count();
                prop_assert_eq!(within, usize::try_from(count - taken.remaining).unwrap());
            }
        }
    }
}
