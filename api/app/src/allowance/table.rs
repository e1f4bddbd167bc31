//! Allowances of many keys, spread over tables so that callers do not wait for each other.

use std::hash::{BuildHasher, Hash, RandomState};

use guildhall_model::limits::RATE_TABLES;
use guildhall_model::{Rate, Timestamp};
use parking_lot::Mutex;

use super::{Allowances, Count, Taken};

/// Allowances of many keys; how many are remembered is bounded by their tables.
#[derive(Debug)]
pub(super) struct Tables<K> {
    hasher: RandomState,
    tables: Vec<Mutex<Allowances<K>>>,
}

impl<K> Default for Tables<K> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            tables: (0..RATE_TABLES).map(|_| Mutex::default()).collect(),
        }
    }
}

impl<K: Eq + Hash + Copy> Tables<K> {
    /// As [`Allowances::take`].
    pub(super) fn take(&self, key: K, rate: Rate, now: Timestamp) -> Taken {
        self.of(&key).lock().take(key, rate, now)
    }

    /// As [`Allowances::settle`].
    pub(super) fn settle(&self, key: K, rate: Rate, count: Count, now: Timestamp) -> Taken {
        self.of(&key).lock().settle(key, rate, count, now)
    }

    /// As [`Allowances::look`].
    pub(super) fn look(&self, key: &K, rate: Rate, now: Timestamp) -> Taken {
        self.of(key).lock().look(key, rate, now)
    }

    /// Nobody who chooses keys knows which table they fall into.
    fn of(&self, key: &K) -> &Mutex<Allowances<K>> {
        let count = u64::try_from(self.tables.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(self.hasher.hash_one(key) % count).unwrap_or_default();
        self.tables.get(at).expect("the rest of a division is less")
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::limits::RATE_WINDOWS_MAX;

    use super::*;

    #[test]
    fn a_flood_of_channels_does_not_grow_memory_beyond_its_bound() {
        let tables = Tables::default();
        let once = Rate::new(1, 60_000).unwrap();
        let bound = RATE_TABLES * RATE_WINDOWS_MAX;
        for key in 0..u32::try_from(bound).unwrap() * 3 / 2 {
            assert!(tables.take(key, once, Timestamp(0)).is_allowed);
        }
        let remembered: usize = tables.tables.iter().map(|table| table.lock().len()).sum();
        assert!(
            bound / 2 < remembered && remembered <= bound,
            "{remembered}"
        );
    }

    #[test]
    fn a_key_is_found_again() {
        let tables = Tables::default();
        let once = Rate::new(1, 60_000).unwrap();
        for key in 0..1_000 {
            assert!(tables.take(key, once, Timestamp(0)).is_allowed);
            assert!(!tables.look(&key, once, Timestamp(1)).is_allowed);
            assert!(!tables.take(key, once, Timestamp(1)).is_allowed);
        }
    }
}
