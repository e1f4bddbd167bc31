//! What a thread has read last, by partition: the records just before and after a place are often
//! read next. Stable records never change, so what is remembered is as good as what is stored.

use std::collections::HashMap;

use super::{Fetched, Raw, Source};

/// Bytes that one thread remembers at most, the last fetch aside.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Consecutive records of each of some partitions.
#[derive(Default)]
pub(super) struct Windows {
    by_source: HashMap<Source, Window>,
    bytes: usize,
    reads: u64,
}

struct Window {
    /// The offset from which it holds everything.
    first: i64,
    records: Vec<Raw>,
    bytes: usize,
    /// Where the partition ended, at least.
    end: i64,
    last_read: u64,
}

impl Window {
    /// The offset up to which it holds everything.
    fn next(&self) -> i64 {
        self.records.last().map_or(self.first, |raw| raw.offset + 1)
    }
}

impl Windows {
    /// The records from a place on that is within what is remembered.
    pub(super) fn read(&mut self, source: &Source, from: i64, bytes_max: usize) -> Option<Fetched> {
        self.reads += 1;
        let window = self.by_source.get_mut(source)?;
        if !(window.first..window.next()).contains(&from) {
            return None;
        }
        window.last_read = self.reads;
        let first = window.records.partition_point(|raw| raw.offset < from);
        let mut bytes = 0;
        let mut records = Vec::new();
        for raw in window.records.iter().skip(first) {
            if !records.is_empty() && bytes >= bytes_max {
                break;
            }
            bytes += raw.weight();
            records.push(raw.clone());
        }
        Some(Fetched {
            records,
            end: window.end,
        })
    }

    /// Where the partition ended when it was read last.
    pub(super) fn end(&self, source: &Source) -> Option<i64> {
        self.by_source.get(source).map(|window| window.end)
    }

    /// Remembers what a fetch from `first` has brought, in place of what was before.
    pub(super) fn keep(&mut self, source: &Source, first: i64, end: i64, records: Vec<Raw>) {
        self.forget(source);
        self.reads += 1;
        let bytes = records.iter().map(Raw::weight).sum();
        while self.bytes > 0 && self.bytes + bytes > BYTES_MAX {
            let oldest = self
                .by_source
                .iter()
                .min_by_key(|(_, window)| window.last_read);
            let Some(oldest) = oldest.map(|(source, _)| source.clone()) else {
                break;
            };
            self.forget(&oldest);
        }
        self.bytes += bytes;
        let window = Window {
            first,
            records,
            bytes,
            end,
            last_read: self.reads,
        };
        self.by_source.insert(source.clone(), window);
    }

    pub(super) fn forget(&mut self, source: &Source) {
        if let Some(window) = self.by_source.remove(source) {
            self.bytes -= window.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn source(partition: u16) -> Source {
        Source {
            what: "test",
            topic: "topic".into(),
            partition,
        }
    }

    fn raw(offset: i64, bytes: usize) -> Raw {
        Raw {
            offset,
            key: Bytes::new(),
            value: Some(Bytes::from(vec![0; bytes])),
        }
    }

    fn offsets(fetched: Option<Fetched>) -> Option<Vec<i64>> {
        let records = fetched?.records;
        Some(records.iter().map(|raw| raw.offset).collect())
    }

    #[test]
    fn a_window_answers_for_what_it_holds_and_nothing_else() {
        let mut windows = Windows::default();
        // Offset 12 was compacted away.
        let records = vec![raw(11, 1), raw(13, 1), raw(14, 1)];
        windows.keep(&source(1), 10, 20, records);
        let all = usize::MAX;
        assert_eq!(offsets(windows.read(&source(1), 9, all)), None);
        assert_eq!(
            offsets(windows.read(&source(1), 10, all)),
            Some(vec![11, 13, 14])
        );
        assert_eq!(
            offsets(windows.read(&source(1), 12, all)),
            Some(vec![13, 14])
        );
        assert_eq!(offsets(windows.read(&source(1), 12, 1)), Some(vec![13]));
        assert_eq!(offsets(windows.read(&source(1), 15, all)), None);
        assert_eq!(offsets(windows.read(&source(2), 11, all)), None);
        windows.forget(&source(1));
        assert_eq!(offsets(windows.read(&source(1), 11, all)), None);
    }

    #[test]
    fn what_was_not_read_for_longest_makes_room() {
        let mut windows = Windows::default();
        for partition in 0..4 {
            windows.keep(&source(partition), 0, 9, vec![raw(0, BYTES_MAX / 5)]);
        }
        assert!(windows.read(&source(0), 0, 1).is_some());
        windows.keep(&source(4), 0, 9, vec![raw(0, BYTES_MAX / 3)]);
        assert!(windows.read(&source(0), 0, 1).is_some());
        assert!(windows.read(&source(1), 0, 1).is_none());
        assert!(windows.read(&source(4), 0, 1).is_some());
        assert!(windows.bytes <= BYTES_MAX);
    }
}
