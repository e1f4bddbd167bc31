//! What the engine's errors mean to the callers of the port.

use guildhall_ports::Failure;
use guildhall_ports::stored::Unreadable;
use scylla::errors::{
    DeserializationError, ExecutionError, IntoRowsResultError, PrepareError, RowsError,
    SchemaAgreementError, UseKeyspaceError,
};

/// What failures call the engine.
pub(crate) const ENGINE: &str = "CQL store";

/// A statement failed, or a row does not mean what it must.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CqlError {
    /// The engine's or the driver's own complaint.
    #[error("{0}")]
    Engine(String),
    /// An answer took longer than it may.
    #[error("no answer in time")]
    TimedOut,
    /// A row could not be understood.
    #[error(transparent)]
    Row(#[from] Unreadable),
}

impl From<CqlError> for Failure {
    fn from(error: CqlError) -> Self {
        match error {
            CqlError::Row(row) => row.into(),
            error => Self::unavailable(ENGINE, error),
        }
    }
}

impl From<tokio::time::error::Elapsed> for CqlError {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::TimedOut
    }
}

macro_rules! of_the_engine {
    ($($error:ty)*) => {$(
        impl From<$error> for CqlError {
            fn from(error: $error) -> Self {
                Self::Engine(error.to_string())
            }
        }
    )*};
}

of_the_engine!(
    ExecutionError PrepareError SchemaAgreementError UseKeyspaceError
    IntoRowsResultError
);

macro_rules! of_a_row {
    ($($error:ty)*) => {$(
        impl From<$error> for CqlError {
            fn from(error: $error) -> Self {
                Self::Row(Unreadable::row(ENGINE, error.to_string()))
            }
        }
    )*};
}

of_a_row!(RowsError DeserializationError);

/// A number of a smaller type than the column's.
pub(crate) fn small<T: TryFrom<i64>>(table: &'static str, raw: i64) -> Result<T, CqlError> {
    T::try_from(raw).map_err(|_| Unreadable::row(table, format!("{raw} is out of bounds")).into())
}

/// A count or place as a column holds it. None of them comes near 63 bits in the life of a
/// machine, so one that has more is a mistake of ours that must not be stored.
pub(crate) fn count(table: &'static str, number: u64) -> Result<i64, CqlError> {
    i64::try_from(number)
        .map_err(|_| Unreadable::row(table, format!("{number} has 64 bits")).into())
}
