//! Rows that stand together, to be written together.

use std::collections::BTreeMap;

use crate::bounds::TOGETHER_BYTES_MAX;

/// Rows by their partition, in groups that are not too large for one mutation.
pub(crate) struct Groups<K, R> {
    open: BTreeMap<K, (usize, Vec<R>)>,
    full: Vec<Vec<R>>,
}

impl<K: Ord, R> Groups<K, R> {
    pub(crate) const fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            full: Vec::new(),
        }
    }

    /// Adds a row of so many bytes, roughly, to its partition's.
    pub(crate) fn add(&mut self, partition: K, row: R, bytes: usize) {
        let (used, rows) = self.open.entry(partition).or_default();
        if !rows.is_empty() && TOGETHER_BYTES_MAX < *used + bytes {
            self.full.push(std::mem::take(rows));
            *used = 0;
        }
        *used += bytes;
        rows.push(row);
    }

    /// All groups; none is empty.
    pub(crate) fn finish(self) -> impl Iterator<Item = Vec<R>> {
        let open = self.open.into_values().map(|(_, rows)| rows);
        self.full.into_iter().chain(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_partition_go_together_as_far_as_there_is_room() {
        let third = TOGETHER_BYTES_MAX / 3;
        let mut groups = Groups::new();
        for row in 0..4 {
            groups.add("one", row, third);
            groups.add("other", 10 + row, 1);
        }
        groups.add("large", 20, 2 * TOGETHER_BYTES_MAX);
        groups.add("large", 21, 1);
        let mut groups: Vec<Vec<i32>> = groups.finish().collect();
        groups.sort();
        let expected = [&[0, 1, 2][..], &[3], &[10, 11, 12, 13], &[20], &[21]];
        assert_eq!(groups, expected);
    }
}
