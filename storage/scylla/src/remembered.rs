//! What this process has written or read already, so that it need not do so again.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

use crate::bounds::REMEMBERED_MAX;

/// Some values by their keys; all are forgotten when there are too many.
#[derive(Debug)]
pub(crate) struct Remembered<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Copy> Remembered<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.0.lock().get(key).copied()
    }

    pub(crate) fn has(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn note(&self, key: K, value: V) {
        let mut values = self.0.lock();
        if REMEMBERED_MAX <= values.len() {
            values.clear();
        }
        values.insert(key, value);
    }
}
