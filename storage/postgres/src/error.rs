//! What PostgreSQL's errors mean to the callers of the ports.

use std::error::Error;

use guildhall_ports::Failure;

/// What failures call the engine.
pub(crate) const ENGINE: &str = "PostgreSQL";

/// Sorts an engine's error by what the caller can do about it. The engine's short message names
/// tables and constraints; what may hold stored values is in its details, which are left out.
pub(crate) fn failure(error: &sqlx::Error) -> Failure {
    match error {
        sqlx::Error::Database(refusal) => {
            refused(refusal.code().as_deref().unwrap_or(""), refusal.message())
        }
        sqlx::Error::PoolClosed => Failure::Closing,
        sqlx::Error::PoolTimedOut => Failure::unavailable(
            ENGINE,
            "no connection could be had in time: it cannot be reached, or all are busy",
        ),
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::Decode(_) => Failure::damaged(ENGINE, error),
        _ => Failure::unavailable(ENGINE, error),
    }
}

/// The codes are listed in <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
fn refused(code: &str, message: &str) -> Failure {
    match code {
        "53100" => Failure::Full { what: ENGINE },
        // Corrupt pages or indexes.
        "XX001" | "XX002" => Failure::damaged(ENGINE, message),
        // A constraint that correct events cannot break, or tables that are not ours.
        _ if code.starts_with("23") || code.starts_with("42") => Failure::damaged(ENGINE, message),
        _ => Failure::unavailable(ENGINE, format!("{message} ({code})")),
    }
}

/// What a complaint of the engine says beyond itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Nothing.
    Nothing,
    /// Another transaction was in the way: what is run again may succeed.
    Conflict,
    /// Prepared statements of this connection are older than a table's columns, and so may be those
    /// of others: what is run again on a new one may succeed.
    Outdated,
    /// The engine or the way to it broke, for other connections as well. What has become of the
    /// transaction is not known.
    Broken,
}

/// The engine's complaint among the causes of an error, if there is one.
pub(crate) fn complaint<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a sqlx::Error> {
    let mut cause = Some(error);
    let mut complaint = None;
    while let Some(error) = cause {
        complaint = error.downcast_ref::<sqlx::Error>().or(complaint);
        cause = error.source();
    }
    complaint
}

/// What the engine's complaint says beyond itself.
pub(crate) fn sign(error: &(dyn Error + 'static)) -> Sign {
    match complaint(error) {
        Some(sqlx::Error::Io(_)) => Sign::Broken,
        Some(sqlx::Error::Database(refusal)) => match refusal.code().as_deref() {
            // Serialization, deadlock, and a unique constraint: what stands there can be read now.
            Some("40001" | "40P01" | "23505") => Sign::Conflict,
            Some("0A000") => Sign::Outdated,
            // It is shutting down, has crashed, or is starting.
            Some("57P01" | "57P02" | "57P03") => Sign::Broken,
            _ => Sign::Nothing,
        },
        _ => Sign::Nothing,
    }
}
