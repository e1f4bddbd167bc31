//! What can go wrong with a statement or a row.

use guildhall_ports::Failure;
use guildhall_ports::guilds::CommitError;

use super::engine::failure;

/// A statement failed, or a row does not mean what it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    /// The engine's own complaint.
    #[error("{0}")]
    Engine(#[from] sqlx::Error),
    /// A table's row could not be understood, or is not there though it must be.
    #[error("{table}: {why}")]
    Row {
        /// Where it stands.
        table: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing is wrong with statements or rows.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl SqlError {
    pub(crate) fn row(table: &'static str, why: impl Into<String>) -> Self {
        Self::Row {
            table,
            why: why.into(),
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Engine(error) => failure(&error),
            SqlError::Row { table, why } => Self::damaged(table, why),
            SqlError::Failure(failure) => failure,
        }
    }
}

/// Why events were not committed, with the engine's own complaint if it is that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitFault {
    /// A statement failed.
    #[error("{0}")]
    Sql(#[from] SqlError),
    /// The port's answer.
    #[error("{0}")]
    Refused(#[from] CommitError),
}

impl From<Failure> for CommitFault {
    fn from(failure: Failure) -> Self {
        Self::Sql(failure.into())
    }
}

impl From<CommitFault> for CommitError {
    fn from(fault: CommitFault) -> Self {
        match fault {
            CommitFault::Sql(error) => Self::Failure(error.into()),
            CommitFault::Refused(refusal) => refusal,
        }
    }
}
