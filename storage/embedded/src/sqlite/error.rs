//! What SQLite's errors mean to the callers of the ports.

use guildhall_ports::Failure;

/// What failures call the engine.
pub(super) const ENGINE: &str = "SQLite";

/// Sorts an engine's error by what the caller can do about it.
pub(super) fn failure(error: &sqlx::Error) -> Failure {
    match error {
        sqlx::Error::Database(refusal) => refused(refusal.as_ref()),
        sqlx::Error::PoolClosed => Failure::Closing,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => Failure::damaged(ENGINE, error),
        _ => Failure::unavailable(ENGINE, error),
    }
}

/// The shared-memory file cannot grow: the disk is full, though the primary code says I/O.
const IOERR_SHMSIZE: i32 = 4_874;

fn refused(refusal: &dyn sqlx::error::DatabaseError) -> Failure {
    // Extended result codes carry the primary one in their low byte:
    // <https://sqlite.org/rescode.html>
    let code: i32 = refusal
        .code()
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    match (code, code & 0xff) {
        (IOERR_SHMSIZE, _) | (_, 13) => Failure::Full { what: ENGINE },
        // Corrupt, not a database, or a constraint that correct events cannot break.
        (_, 11 | 26 | 19) => Failure::damaged(ENGINE, refusal),
        _ => Failure::unavailable(ENGINE, refusal),
    }
}
