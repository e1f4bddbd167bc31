//! Changes that happen wholly or not at all.
//!
//! Other transactions may run at the same time where the engine has more than one writer, and each
//! statement sees what they have committed until then. So a change that reads before it writes
//! either holds what it reads ([`engine::hold`](super::engine::hold)), or writes by a statement
//! that has the condition within, or leans on a constraint: who breaks one that is unique is run
//! again, and then reads what the other one wrote. Rows of a stream's own events are safe: the
//! stream's place is taken first, by one transaction at a time.

use std::error::Error;

use guildhall_ports::Failure;

use super::engine::Connection;
use super::error::SqlError;

/// Something to be written, wholly or not at all.
pub(crate) trait Write: Send + Sync + 'static {
    /// What the caller learns when it is committed.
    type Done: Send + 'static;
    /// Why nothing was written. If the engine is the cause, its complaint is a source of this.
    type Error: Error + From<Failure> + From<SqlError> + Send + 'static;

    /// Makes the change within a transaction that is committed if this succeeds. It may be
    /// called again after it was rolled back.
    fn run(
        &self,
        tx: &mut Connection,
    ) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;
}
