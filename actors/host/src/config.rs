//! What an operator may set about partitions, logs and sessions.

use guildhall_model::NodeId;

/// Settings of a node.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// This node's number; part of every id that it mints.
    pub node: NodeId,
    /// How many event partitions there are. Fixed once data exists.
    pub event_partitions: u16,
    /// How many session partitions there are. Fixed once data exists.
    pub session_partitions: u16,
    /// How long a session without a socket is kept, in milliseconds.
    pub resume_window_ms: u64,
    /// How long people are shown as they were after their node was lost, in milliseconds. Most
    /// clients are back on another one sooner.
    pub linger_ms: u64,
    /// How often session partitions are snapshot, in milliseconds.
    pub snapshot_interval_ms: u64,
    /// How long frames and the snapshots that index them are kept, in milliseconds.
    pub frames_retention_ms: u64,
    /// Entries that a session partition's ring holds at most.
    pub ring_entries_max: usize,
    /// Bytes of dispatches that a session partition's ring refers to at most.
    pub ring_bytes_max: usize,
    /// Dispatches that a session's socket may be behind.
    pub backlog_dispatches_max: u64,
    /// Bytes of dispatches that a session's socket may be behind.
    pub backlog_bytes_max: u64,
    /// Where clients resume: an origin without path or query.
    pub resume_url: String,
}

impl Default for HostConfig {
    fn default() -> Self {
        use guildhall_model::limits;
        Self {
            node: NodeId(0),
            event_partitions: 8,
            session_partitions: 8,
            resume_window_ms: 3 * 60_000,
            linger_ms: 15_000,
            snapshot_interval_ms: 10_000,
            frames_retention_ms: 15 * 60_000,
            ring_entries_max: 65_536,
            ring_bytes_max: 64 * 1024 * 1024,
            backlog_dispatches_max: limits::BACKLOG_DISPATCHES_MAX,
            backlog_bytes_max: limits::BACKLOG_BYTES_MAX as u64,
            resume_url: String::new(),
        }
    }
}
