//! What everything that counts uses for all nodes promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_model::Rate;
use guildhall_model::limits::{RATE_COUNT_MAX, RATE_WINDOW_MS_MAX};

use crate::error::Failure;
use crate::quotas::{Count, KEY_BYTES_MAX, Quotas};

/// Makes a test of each promise. `$fresh` names an async function that answers an `Arc<dyn Quotas>`
/// that has counted nothing, on the machine's clock, and whatever must live as long as it.
#[macro_export]
macro_rules! quotas_promises {
    ($fresh:path) => {
        $crate::promises! { quotas, $fresh:
            a_window_allows_its_count_and_then_nothing
            a_window_ends_as_it_told_and_then_allows_its_count_again
            what_is_not_allowed_makes_no_window_longer
            a_look_tells_how_a_window_stands_and_uses_nothing_up
            of_many_uses_at_once_no_more_are_allowed_than_the_rate_has
            keys_do_not_touch_each_other
            a_rate_that_was_made_smaller_allows_nothing_beyond_it
            the_largest_rate_and_the_longest_key_are_counted
            a_key_that_is_too_long_is_refused
        }
    };
}

type Store = Arc<dyn Quotas>;

/// Longer than any of these tests.
const LONG_MS: u32 = 600_000;

fn rate(count: u32, window_ms: u32) -> Rate {
    Rate::new(count, window_ms).unwrap()
}

async fn take(store: &Store, key: &str, rate: Rate) -> Count {
    let count = store.take(key, rate).await.unwrap();
    assert!((1..=rate.window_ms()).contains(&count.left_ms), "{count:?}");
    assert!(count.used <= rate.count(), "{count:?}");
    count
}

pub async fn a_window_allows_its_count_and_then_nothing(store: Store) {
    let three = rate(3, LONG_MS);
    let mut left_ms = LONG_MS;
    for (used, is_allowed) in [(1, true), (2, true), (3, true), (3, false), (3, false)] {
        let count = take(&store, "a", three).await;
        assert_eq!((count.used, count.is_allowed), (used, is_allowed));
        assert!(count.left_ms <= left_ms, "a window does not get longer");
        left_ms = count.left_ms;
    }
    assert!(LONG_MS / 2 < left_ms);
}

/// The times are those of the machine, so they are looked at from both sides.
pub async fn a_window_ends_as_it_told_and_then_allows_its_count_again(store: Store) {
    let two = rate(2, 200);
    let began = Instant::now();
    assert!(take(&store, "a", two).await.is_allowed);
    for _ in 0..3 {
        // Until the next window, which begins with the first use after its end.
        let mut told = Instant::now();
        let next = loop {
            let asked = Instant::now();
            let count = take(&store, "a", two).await;
            if count.used == 1 {
                break count;
            }
            told = asked + Duration::from_millis(count.left_ms.into());
            tokio::task::yield_now().await;
        };
        assert!(next.is_allowed && next.left_ms <= 200);
        assert!(
            told <= Instant::now() + Duration::from_millis(1),
            "not before the end that was told"
        );
    }
    assert!(Duration::from_millis(3 * 199) <= began.elapsed());
}

pub async fn what_is_not_allowed_makes_no_window_longer(store: Store) {
    let once = rate(1, 100);
    assert!(take(&store, "a", once).await.is_allowed);
    let began = Instant::now();
    while !take(&store, "a", once).await.is_allowed {
        assert!(began.elapsed() < Duration::from_secs(30), "it never ends");
        tokio::task::yield_now().await;
    }
}

async fn look(store: &Store, key: &str, rate: Rate) -> Count {
    let count = store.look(key, rate).await.unwrap();
    assert!((1..=rate.window_ms()).contains(&count.left_ms), "{count:?}");
    count
}

pub async fn a_look_tells_how_a_window_stands_and_uses_nothing_up(store: Store) {
    let two = rate(2, LONG_MS);
    for used in [0, 1, 2] {
        for _ in 0..3 {
            let seen = look(&store, "a", two).await;
            assert_eq!((seen.used, seen.is_allowed), (used, used < 2));
            assert!(used > 0 || seen.left_ms == LONG_MS, "it has not begun");
        }
        let taken = take(&store, "a", two).await;
        assert!(look(&store, "a", two).await.left_ms <= taken.left_ms);
    }
    assert_eq!(look(&store, "a", rate(1, LONG_MS)).await.used, 1);
    assert_eq!(look(&store, "b", two).await.used, 0);
    // What was looked at is over when it says.
    let once = rate(1, 100);
    take(&store, "c", once).await;
    let began = Instant::now();
    while !look(&store, "c", once).await.is_allowed {
        assert!(began.elapsed() < Duration::from_secs(30), "it never ends");
        tokio::task::yield_now().await;
    }
    let seen = look(&store, "c", once).await;
    assert_eq!((seen.used, seen.left_ms), (0, 100));
}

pub async fn of_many_uses_at_once_no_more_are_allowed_than_the_rate_has(store: Store) {
    let five = rate(5, LONG_MS);
    let uses = (0..40).map(|_| take(&store, "a", five));
    let counts = futures_util::future::join_all(uses).await;
    let mut allowed: Vec<u32> = counts
        .iter()
        .filter(|count| count.is_allowed)
        .map(|count| count.used)
        .collect();
    allowed.sort_unstable();
    assert_eq!(allowed, [1, 2, 3, 4, 5]);
}

pub async fn keys_do_not_touch_each_other(store: Store) {
    let once = rate(1, LONG_MS);
    for key in ["", "a", "A", "a:b", "a b", "a\0", "ä", "*"] {
        assert!(take(&store, key, once).await.is_allowed, "{key:?}");
        assert!(!take(&store, key, once).await.is_allowed, "{key:?}");
    }
}

pub async fn a_rate_that_was_made_smaller_allows_nothing_beyond_it(store: Store) {
    for _ in 0..3 {
        take(&store, "a", rate(9, LONG_MS)).await;
    }
    let count = take(&store, "a", rate(2, LONG_MS)).await;
    assert_eq!((count.used, count.is_allowed), (2, false));
    let count = take(&store, "a", rate(9, LONG_MS)).await;
    assert_eq!((count.used, count.is_allowed), (4, true));
}

pub async fn the_largest_rate_and_the_longest_key_are_counted(store: Store) {
    let largest = rate(RATE_COUNT_MAX, RATE_WINDOW_MS_MAX);
    let longest = "k".repeat(KEY_BYTES_MAX);
    for used in 1..=3 {
        assert_eq!(take(&store, &longest, largest).await.used, used);
    }
}

pub async fn a_key_that_is_too_long_is_refused(store: Store) {
    let key = "k".repeat(KEY_BYTES_MAX + 1);
    for refused in [
        store.take(&key, rate(1, LONG_MS)).await,
        store.look(&key, rate(1, LONG_MS)).await,
    ] {
        assert!(matches!(refused, Err(Failure::Unavailable { .. })));
    }
}
