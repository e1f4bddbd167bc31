//! Appends to the frames log by owners that want to know whether they still are.

use bytes::Bytes;
use guildhall_model::{Epoch, Position, SessionPartition as Number};
use guildhall_ports::{Failure, Log};
use guildhall_state::session_partition::record::FrameRecord;

use super::replay::decode;
use super::sequencer::lost;
use crate::event_log::{READ_BYTES, after};

/// Appends a record where the log goes on at `end` by what its owner knows, and says where it goes
/// on then.
///
/// `Stale` if somebody has taken the partition over before: the record is void, and neither it nor
/// what hangs on it may be shown to anybody.
pub(crate) async fn append(
    log: &dyn Log,
    (number, epoch): (Number, Epoch),
    end: Position,
    record: Bytes,
) -> Result<Position, Failure> {
    let appended = log.append(number.0, epoch, vec![record]).await?;
    let at = *appended.last().ok_or(Failure::Closing)?;
    // As a rule nothing can lie between, and nothing has to be read.
    if !log.is_next(end, at) && is_superseded(log, (number, epoch), (end, at)).await? {
        return Err(lost());
    }
    Ok(after(at))
}

/// Whether a later epoch begins between two places.
async fn is_superseded(
    log: &dyn Log,
    (number, epoch): (Number, Epoch),
    (mut from, upto): (Position, Position),
) -> Result<bool, Failure> {
    while from < upto {
        let slice = log.read(number.0, from, READ_BYTES).await?;
        for record in &slice.records {
            let is_later = epoch < record.epoch && record.position < upto;
            if is_later && matches!(decode(record)?, FrameRecord::Take { .. }) {
                return Ok(true);
            }
        }
        if slice.records.is_empty() {
            break;
        }
        from = slice.next;
    }
    Ok(false)
}
