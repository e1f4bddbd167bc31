//! Gives space back: drops old segments that nobody needs.

use std::fs;
use std::io;
use std::sync::Arc;

use guildhall_model::Timestamp;
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};

use super::catalog::{Catalog, Closed};
use super::config::Topic;
use super::summary;
use crate::files;

/// What a call of trim has dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Segment files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Drops the oldest segments that may go. Blocks on the file system; one call at a time.
///
/// Only ever the oldest, and each durably before the next, so that a loss of power cannot leave a
/// gap between two segments, which would look like a missing one.
pub(super) fn trim(
    topic: Topic,
    catalog: &Catalog,
    retention_ms: u64,
    now: Timestamp,
) -> Result<Trimmed, Failure> {
    let mut trimmed = Trimmed::default();
    while let Some(oldest) = catalog.oldest_closed() {
        if now.ms_since(oldest.written_at) < retention_ms {
            break;
        }
        let Some(summary) = catalog.summary(&oldest)? else {
            break;
        };
        if !catalog.is_released(summary) {
            break;
        }
        let bytes = oldest.end - oldest.base;
        remove(catalog, oldest).map_err(|error| files::failure(topic.what(), &error))?;
        trimmed.segments += 1;
        trimmed.bytes += bytes;
    }
    Ok(trimmed)
}

fn remove(catalog: &Catalog, oldest: Arc<Closed>) -> io::Result<()> {
    // Readers that find no file ask the catalog whether it was trimmed, so it forgets first.
    catalog.forget_oldest();
    if let Err(error) = fs::remove_file(&oldest.path) {
        catalog.remember_oldest(oldest);
        return Err(error);
    }
    crash::pass(Point::SegmentTrimmed);
    // The summary is only a shortcut; if it stays, the next start removes it.
    let _ = fs::remove_file(summary::file(&oldest.path));
    crash::pass(Point::SummaryTrimmed);
    files::sync_parent(&oldest.path)
}
