//! Storage on one machine: SQLite, a segment-file log, an in-process directory.
