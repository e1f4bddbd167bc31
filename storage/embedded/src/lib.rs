//! Storage on one machine: SQLite, a segment-file log, an in-process directory, files.

pub mod blobs;
mod blocking;
pub mod directory;
mod files;
pub mod log;
pub mod snapshots;
pub mod sqlite;
