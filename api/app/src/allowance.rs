//! How often each of many may do something: one fixed window per key, and a bound on the windows.
//!
//! A window begins with the first use and ends its length later, as Discord's buckets do: clients
//! are told when it ends, and may then use the whole allowance again. Time is handed in.
//!
//! Where nodes share their counts each use is counted here all the same, and what all of them have
//! counted is laid over it. So a node that the others' counts are lost to goes on from what it
//! knew, and however often they are lost it allows no more than it would alone.

mod shared;
mod table;

use std::collections::HashMap;
use std::hash::Hash;

use guildhall_model::limits::{RATE_SWEEP_MS, RATE_WINDOWS_MAX};
use guildhall_model::{Rate, Timestamp, Window};
pub use guildhall_ports::quotas::Count;
pub use shared::Shared;

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

impl Taken {
    /// What is left by this node's count, or by what all nodes have counted where that is less.
    fn or_tighter(self, rate: Rate, count: Count, now: Timestamp) -> Self {
        let all = Window {
            used: count.used,
            ends_at: now.plus_ms(count.left_ms.into()),
        };
        let all = told(all, rate);
        if self.remaining < all.remaining {
            self
        } else {
            all
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    window: Window,
    /// The window may not end before, so that two ends lie at least its length apart.
    least_end: Timestamp,
}

impl Kept {
    fn fresh(rate: Rate, now: Timestamp) -> Self {
        Self {
            window: Window::fresh(rate, now),
            least_end: now,
        }
    }

    fn take(&mut self, rate: Rate, now: Timestamp) -> bool {
        if self.window.is_over(now) {
            self.least_end = self.window.ends_at.plus_ms(rate.window_ms().into());
        }
        self.window.take(rate, now)
    }
}

/// The windows of many keys, of which at most [`RATE_WINDOWS_MAX`] are remembered.
///
/// A full table drops the windows that are over. If that does not help it drops those that end
/// soonest: a few callers get their allowance back early, and nobody is refused for what others do.
#[derive(Debug)]
pub struct Allowances<K> {
    windows: HashMap<K, Kept>,
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
        let kept = self.windows.entry(key);
        let kept = kept.or_insert_with(|| Kept::fresh(rate, now));
        let is_allowed = kept.take(rate, now);
        Taken {
            is_allowed,
            ..told(kept.window, rate)
        }
    }

    /// Whether the key's allowance is used up, and what is left of it, without using it.
    pub fn look(&self, key: &K, rate: Rate, now: Timestamp) -> Taken {
        let kept = self.windows.get(key).map(|kept| kept.window);
        let window = kept.filter(|window| !window.is_over(now));
        told(window.unwrap_or(Window::fresh(rate, now)), rate)
    }

    /// Lays what all nodes have counted over a use that was allowed by [`Self::take`] before. The
    /// window of all is the one that counts, and a node's own ends with it; but where all have
    /// forgotten theirs, the node keeps its own until its end.
    pub fn settle(&mut self, key: K, rate: Rate, count: Count, now: Timestamp) -> Taken {
        let left_ms = count.left_ms.clamp(1, rate.window_ms());
        let used = if count.is_allowed {
            count.used.min(rate.count())
        } else {
            rate.count()
        };
        let shared = Window {
            used,
            ends_at: now.plus_ms(left_ms.into()),
        };
        // Its window may have been forgotten, or have ended, while the others were asked.
        let kept = self.windows.get_mut(&key);
        let kept = kept.filter(|kept| !kept.window.is_over(now));
        let Some(Kept { window, least_end }) = kept else {
            return Taken {
                is_allowed: count.is_allowed,
                ..told(shared, rate)
            };
        };
        window.ends_at = window.ends_at.min(shared.ends_at.max(*least_end));
        if window.ends_at <= shared.ends_at {
            window.used = window.used.max(shared.used);
        } else if !count.is_allowed {
            // The others' window is over sooner, and what they refuse uses nothing up.
            window.used = window.used.saturating_sub(1);
        }
        let (own, all) = (told(*window, rate), told(shared, rate));
        let is_own_tighter = (own.remaining, all.ends_at) < (all.remaining, own.ends_at);
        Taken {
            is_allowed: count.is_allowed,
            ..if is_own_tighter { own } else { all }
        }
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
        self.windows.retain(|_, kept| !kept.window.is_over(now));
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
        let mut ends: Vec<_> = self
            .windows
            .values()
            .map(|kept| kept.window.ends_at)
            .collect();
        let (_, &mut last, _) = ends.select_nth_unstable(left);
        // Of many that end together only as many go as must.
        self.windows.retain(|_, kept| {
            let goes = kept.window.ends_at <= last && 0 < left;
            left -= usize::from(goes);
            !goes
        });
    }
}

fn told(window: Window, rate: Rate) -> Taken {
    let remaining = window.remaining(rate);
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

    fn count(is_allowed: bool, used: u32, left_ms: u32) -> Count {
        Count {
            is_allowed,
            used,
            left_ms,
        }
    }

    #[test]
    fn what_all_have_counted_is_laid_over_what_one_has() {
        let mut all = Allowances::default();
        let five = rate(5, 1_000);
        let own = all.take("a", five, Timestamp(10));
        assert_eq!((own.remaining, own.ends_at.0), (4, 1_010));
        let settled = all.settle("a", five, count(true, 3, 400), Timestamp(11));
        let expected = Taken {
            is_allowed: true,
            limit: 5,
            remaining: 2,
            ends_at: Timestamp(411),
        };
        assert_eq!(settled, expected);
        assert_eq!(all.look(&"a", five, Timestamp(410)), expected);
        assert_eq!(all.look(&"a", five, Timestamp(411)).remaining, 5);
    }

    #[test]
    fn what_all_refuse_is_refused_until_their_window_ends_without_asking_again() {
        let mut all = Allowances::default();
        let five = rate(5, 1_000);
        assert!(all.take("a", five, Timestamp(10)).is_allowed);
        let refused = all.settle("a", five, count(false, 5, 400), Timestamp(10));
        assert_eq!((refused.is_allowed, refused.remaining), (false, 0));
        let again = all.take("a", five, Timestamp(409));
        assert_eq!((again.is_allowed, again.ends_at.0), (false, 410));
        assert!(all.take("a", five, Timestamp(410)).is_allowed);
    }

    #[test]
    fn where_all_have_forgotten_a_node_keeps_its_own_count() {
        let mut all = Allowances::default();
        let two = rate(2, 1_000);
        for (now, used) in [(0, 1), (10, 2)] {
            all.take("a", two, Timestamp(now));
            all.settle("a", two, count(true, used, 500), Timestamp(now));
        }
        assert!(!all.take("a", two, Timestamp(499)).is_allowed);
        assert!(all.take("a", two, Timestamp(500)).is_allowed);
        // Others were quicker, so the window of all is half over; but this node had its share.
        let settled = all.settle("a", two, count(true, 1, 500), Timestamp(500));
        assert_eq!((settled.remaining, settled.ends_at.0), (1, 1_500));
        assert!(all.take("a", two, Timestamp(501)).is_allowed);
        all.settle("a", two, count(true, 2, 499), Timestamp(501));
        assert!(!all.take("a", two, Timestamp(1_000)).is_allowed);
    }

    #[test]
    fn a_window_that_others_began_earlier_does_not_hold_off_a_node_after_its_end() {
        let mut all = Allowances::default();
        let two = rate(2, 1_000);
        // Alone, with a window until 1,000, and then another one until 2,000.
        all.take("a", two, Timestamp(0));
        assert!(all.take("a", two, Timestamp(1_000)).is_allowed);
        let refused = all.settle("a", two, count(false, 2, 300), Timestamp(1_000));
        assert_eq!((refused.is_allowed, refused.ends_at.0), (false, 1_300));
        for now in [1_300, 1_301] {
            assert!(all.take("a", two, Timestamp(now)).is_allowed);
        }
    }

    proptest! {
        #[test]
        fn whatever_all_have_counted_a_node_allows_no_more_than_it_would_alone(
            uses in prop::collection::vec(
                (0_i64..30, prop::option::of((any::<bool>(), 0_u32..9, 0_u32..90))),
                1..200,
            ),
        ) {
            let (count_max, window_ms) = (3, 50);
            let rate = rate(count_max, window_ms);
            let window_ms = i64::from(window_ms);
            let mut all = Allowances::default();
            let mut granted = Vec::new();
            let mut now = 0;
            for (pause, said) in uses {
                now += pause;
                let mut taken = all.take("a", rate, Timestamp(now));
                if let (true, Some((is_allowed, used, left_ms))) = (taken.is_allowed, said) {
                    let said = count(is_allowed, used, left_ms);
                    taken = all.settle("a", rate, said, Timestamp(now));
                }
                prop_assert!(now < taken.ends_at.0 && taken.ends_at.0 <= now + window_ms);
                if taken.is_allowed {
                    granted.push(now);
                }
            }
            // As of windows one after the other, of which the first may be short.
            for (n, from) in granted.iter().enumerate() {
                for (m, to) in granted.iter().enumerate().skip(n) {
                    let windows = (to - from) / window_ms + 2;
                    let most = i64::from(count_max) * windows;
                    prop_assert!(i64::try_from(m - n + 1).unwrap() <= most);
                }
            }
        }

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
