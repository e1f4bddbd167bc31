//! Between the columns of both databases and the model's types.

use guildhall_model::Id;
use guildhall_model::event::Source;
use guildhall_model::user::Status;

use super::error::SqlError;

/// The id in a column of `table`.
pub(crate) fn id<K>(table: &'static str, raw: i64) -> Result<Id<K>, SqlError> {
    Id::from_i64(raw).ok_or_else(|| SqlError::row(table, format!("{raw} is no id")))
}

/// A number of a smaller type than the column's.
pub(crate) fn small<T: TryFrom<i64>>(table: &'static str, raw: i64) -> Result<T, SqlError> {
    T::try_from(raw).map_err(|_| SqlError::row(table, format!("{raw} is out of bounds")))
}

/// A count or place as a column holds it. None of them comes near 63 bits in the life of a
/// machine, so one that has more is a mistake of ours that must not be stored.
pub(crate) fn count(table: &'static str, number: u64) -> Result<i64, SqlError> {
    i64::try_from(number).map_err(|_| SqlError::row(table, format!("{number} has 64 bits")))
}

/// A stream as two columns.
pub(crate) fn source_columns(source: Source) -> (i64, i64) {
    match source {
        Source::Guild(id) => (0, id.as_i64()),
        Source::Direct(id) => (1, id.as_i64()),
        Source::User(id) => (2, id.as_i64()),
    }
}

/// A status as a column.
pub(crate) const fn status_column(status: Status) -> i64 {
    match status {
        Status::Online => 0,
        Status::Idle => 1,
        Status::Dnd => 2,
        Status::Invisible => 3,
    }
}

/// The status in a column of `users`.
pub(crate) fn status(raw: i64) -> Result<Status, SqlError> {
    match raw {
        0 => Ok(Status::Online),
        1 => Ok(Status::Idle),
        2 => Ok(Status::Dnd),
        3 => Ok(Status::Invisible),
        _ => Err(SqlError::row("users", format!("{raw} is no status"))),
    }
}
