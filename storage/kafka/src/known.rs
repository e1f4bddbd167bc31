//! How far partitions go, as far as this process knows.
//!
//! A broker that stood still answers what lay in its sockets before it hears that others have taken its
//! partitions over, and then says less than what was acknowledged meanwhile. Whoever has heard of more
//! knows that it is not the leader any more.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::readers::Source;

/// The ends of partitions, at least. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<Arc<str>, Ends>>>);

/// By partition.
type Ends = HashMap<i32, i64>;

impl Known {
    /// All records of a partition before this offset are stable. A lower one takes nothing back.
    pub(crate) fn raise(&self, topic: &str, partition: i32, end: i64) {
        let mut known = self.0.lock();
        if !known.contains_key(topic) {
            known.insert(topic.into(), Ends::new());
        }
        if let Some(ends) = known.get_mut(topic) {
            let known = ends.entry(partition).or_default();
            *known = end.max(*known);
        }
    }

    /// Where a partition ends at least.
    pub(crate) fn end(&self, source: &Source) -> i64 {
        let known = self.0.lock();
        let ends = known.get(&source.topic);
        let end = ends.and_then(|ends| ends.get(&source.partition.into()));
        end.copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_partition_only_grows() {
        let known = Known::default();
        let of = |topic: &str, partition| {
            known.end(&Source {
                what: "test",
                topic: topic.into(),
                partition,
            })
        };
        assert_eq!(of("events", 1), 0);
        for end in [3, 7, 5] {
            known.clone().raise("events", 1, end);
        }
        assert_eq!(
            [of("events", 1), of("events", 2), of("frames", 1)],
            [7, 0, 0]
        );
    }
}
