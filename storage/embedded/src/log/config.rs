//! What an operator chooses about a log, and the bounds that nobody chooses.

use guildhall_ports::crash::Point;
use serde::{Deserialize, Serialize};

use super::record;

/// Bytes of one write to a segment, headers included: what one crash can tear. A longer tail of
/// unreadable bytes is therefore damage and never taken for a torn write.
pub(super) const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the longest payload that can be appended.
pub const RECORD_BYTES_MAX: usize = BATCH_BYTES_MAX - record::HEADER_BYTES;

/// Which of the two logs. They share nothing but the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Every event, once.
    Events,
    /// What each session received, by reference.
    Frames,
}

impl Topic {
    /// The topic's name, also as the label of its metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Frames => "frames",
        }
    }

    /// The name under which failures speak of the log.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Events => "events log",
            Self::Frames => "frames log",
        }
    }

    /// Where a batch is written and not synced.
    pub(super) const fn written(self) -> Point {
        match self {
            Self::Events => Point::EventsWritten,
            Self::Frames => Point::FramesWritten,
        }
    }

    /// Where a batch is as stable as it gets.
    pub(super) const fn synced(self) -> Point {
        match self {
            Self::Events => Point::EventsSynced,
            Self::Frames => Point::FramesSynced,
        }
    }
}

/// What an acknowledged append survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The death of the process and the loss of power: every batch is synced to the disk before
    /// it is acknowledged.
    #[default]
    Fsync,
    /// The death of the process, kill -9 included, but no loss of power and no crash of the
    /// kernel: a batch is acknowledged once the system has taken it. After a loss of power the
    /// log may have holes and then refuses to open until an operator cuts it.
    Os,
}

/// The settings of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// Bytes after which a segment is closed and the next one begins. Space is given back by
    /// whole segments.
    pub segment_bytes: u64,
    /// Milliseconds that a closed segment is kept at least.
    pub retention_ms: u64,
    /// Appends that wait for the writer at most; one more is refused.
    pub queue_appends_max: usize,
    /// Bytes that wait for the writer at most, headers included; more are refused.
    pub queue_bytes_max: usize,
    /// Milliseconds after which a disk that was full is asked for room again, though nothing is
    /// appended: a server that takes no requests meanwhile must learn when it may.
    pub full_retry_ms: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            durability: Durability::Fsync,
            segment_bytes: 64 * 1024 * 1024,
            retention_ms: 24 * 3_600 * 1_000,
            queue_appends_max: 65_536,
            queue_bytes_max: 64 * 1024 * 1024,
            full_retry_ms: 1_000,
        }
    }
}
