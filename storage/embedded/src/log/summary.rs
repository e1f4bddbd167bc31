//! Which partitions a segment holds records of, and between which positions.
//!
//! Reads skip whole segments by it and retention asks it. A closed segment's summary is kept in a
//! file beside it, which is only a shortcut: a missing or damaged one is made again by a scan.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::scan::{Scanner, WINDOW_BYTES};
use super::segment;
use crate::files::{self, Format};

const FORMAT: Format = *b"GHLSUM\0\x01";
/// 65,536 partitions of at most 21 bytes each are below.
const SUMMARY_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The first and the last record of a partition in one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// The extents of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary(BTreeMap<u16, Extent>);

impl Summary {
    /// Notes a record behind all that were noted before.
    pub(super) fn note(&mut self, partition: u16, position: u64) {
        self.0
            .entry(partition)
            .and_modify(|extent| extent.last = position)
            .or_insert(Extent {
                first: position,
                last: position,
            });
    }

    /// Notes all records of a summary of later ones.
    pub(super) fn extend(&mut self, later: &Self) {
        for (&partition, extent) in &later.0 {
            self.note(partition, extent.first);
            self.note(partition, extent.last);
        }
    }

    /// Where the partition's records are, if there are any.
    pub(super) fn extent(&self, partition: u16) -> Option<Extent> {
        self.0.get(&partition).copied()
    }

    /// The partitions and the positions of their last records.
    pub(super) fn lasts(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0
            .iter()
            .map(|(&partition, extent)| (partition, extent.last))
    }

    /// Keeps the summary of the segment at `path`.
    pub(super) fn store(&self, path: &Path) -> io::Result<()> {
        let rows: Vec<(u16, u64, u64)> = self
            .0
            .iter()
            .map(|(&partition, extent)| (partition, extent.first, extent.last))
            .collect();
        let content = rmp_serde::to_vec(&rows).expect("rows of numbers always serialize");
        files::replace(&file(path), FORMAT, &content)
    }

    /// The kept summary of the segment at `path`, if it is whole and possible for one between
    /// these positions.
    pub(super) fn load(path: &Path, base: u64, end: u64) -> Option<Self> {
        let content = files::read(&file(path), FORMAT, SUMMARY_BYTES_MAX).ok()?;
        let rows: Vec<(u16, u64, u64)> = rmp_serde::from_slice(&content).ok()?;
        let possible =
            |first, last| segment::first_record(base) <= first && first <= last && last < end;
        rows.into_iter()
            .map(|(partition, first, last)| {
                possible(first, last).then_some((partition, Extent { first, last }))
            })
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The summary of a whole segment, read from its headers; the position of what is unreadable
    /// if there is something.
    pub(super) fn scan(
        file: &File,
        base: u64,
        end: u64,
        seed: u32,
    ) -> io::Result<Result<Self, u64>> {
        let mut summary = Self::default();
        let mut scanner = Scanner::new(file, base, end, seed, WINDOW_BYTES);
        let mut position = segment::first_record(base);
        while position < end {
            let Some(header) = scanner.header(position)? else {
                return Ok(Err(position));
            };
            summary.note(header.partition, position);
            position = header.next(position);
        }
        Ok(Ok(summary))
    }
}

/// The file that keeps the summary of the segment at `path`.
pub(super) fn file(path: &Path) -> PathBuf {
    path.with_extension("sum")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let mut summary = Summary::default();
        for (partition, position) in [(3, 32), (1, 60), (3, 90), (3, 130)] {
            summary.note(partition, position);
        }
        summary
    }

    #[test]
    fn a_summary_tells_the_first_and_the_last_record() {
        let summary = summary();
        let (first, last) = (32, 130);
        assert_eq!(summary.extent(3), Some(Extent { first, last }));
        assert_eq!(summary.extent(2), None);
        assert_eq!(summary.lasts().collect::<Vec<_>>(), [(1, 60), (3, 130)]);
    }

    #[test]
    fn a_stored_summary_is_loaded_for_its_own_segment_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.seg");
        assert_eq!(Summary::load(&path, 0, 200), None);
        summary().store(&path).unwrap();
        assert_eq!(Summary::load(&path, 0, 200), Some(summary()));
        assert_eq!(Summary::load(&path, 0, 130), None);
        assert_eq!(Summary::load(&path, 1, 200), None);
    }
}
