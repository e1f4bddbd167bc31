//! What bounds the use of the engine.

use std::time::Duration;

/// How long a connection may take to be made.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long one statement may take, with waiting for its turn and being tried again elsewhere.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(8);
/// How long a question of the port may take, which is several statements.
pub(crate) const READ_MAX: Duration = Duration::from_secs(12);
/// How long the engine may take to show that it is there.
pub(crate) const LOOK_MAX: Duration = Duration::from_secs(2);
/// How long a batch of records may take.
pub(crate) const APPLY_MAX: Duration = Duration::from_mins(1);
/// How long it may take to connect and to prepare all statements.
pub(crate) const OPEN_MAX: Duration = Duration::from_secs(20);
/// How long a change of the schema may take, and until all nodes know of it.
pub(crate) const SCHEMA_MAX: Duration = Duration::from_mins(1);
/// How often it is asked whether all nodes know of it.
pub(crate) const AGREEMENT_EVERY: Duration = Duration::from_millis(20);
/// How often a connection on which nothing happens is tried, and how long it may be silent.
pub(crate) const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5));

/// Statements that are with the engine at a time.
pub(crate) const IN_FLIGHT_MAX: usize = 256;
/// Of them, those of one batch of records.
pub(crate) const APPLY_IN_FLIGHT_MAX: usize = 64;
/// Of them, those of one question.
pub(crate) const READ_IN_FLIGHT_MAX: usize = 32;

/// Bytes of rows that are written as one mutation at most, unless one row has more. Cassandra warns
/// of batches of more than 5 KiB.
pub(crate) const TOGETHER_BYTES_MAX: usize = 4 * 1024;
/// Streams whose places, and buckets whose being there, are remembered at most.
pub(crate) const REMEMBERED_MAX: usize = 65_536;

/// Buckets of a channel that are looked up at a time.
pub(crate) const BUCKETS_AT_ONCE: i32 = 32;
/// Pins that are read of a channel: those that may be set, and as many whose end was never noted.
pub(crate) const PINS_READ_MAX: usize = 2 * guildhall_model::limits::PINS_MAX;
/// Entries of an audit log that are read at a time.
pub(crate) const AUDIT_AT_ONCE: i32 = 500;
/// Messages with the same nonce that are looked at.
pub(crate) const SAME_NONCE_MAX: i32 = 16;
/// Changes of one message's reactions that are made at once. ScyllaDB restricts a read to 100
/// rows that are named one by one.
pub(crate) const REACTIONS_AT_ONCE: usize = 64;
