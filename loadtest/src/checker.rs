//! Judges a recorded history against the delivery promises, offline.
//!
//! What is judged (I1–I4 and I6 of the design), and what counts as unambiguous:
//! - A *stream* is what one session was told from READY to op 9 or to the client's end. It is
//!   *settled* once every guild of READY has come.
//! - An *operation* is one post, edit, deletion or reaction with all its retries. It took effect
//!   somewhere in its *window*, from the first request to the first answer with success.
//! - A user's sight of a channel is clear within a window only if no change of it was under way.
//! - **I1**: an acknowledged operation is in the stored pages, and in every settled stream whose
//!   user saw the channel throughout the window. A stream that op 9 ended owes only what stands
//!   before something that it did show.
//! - **I2**: a nonce makes at most one message, in answers, pages and dispatches together.
//! - **I3**: creates ascend in each channel as the stored messages do; nothing comes twice, before
//!   its create or after its deletion; all streams agree on one order per channel, and what was
//!   acknowledged before something else was asked for stands before it.
//! - **I4**: `s` is 1, 2, 3 … per stream, over every RESUME; volatile dispatches repeat it.
//! - **I6**: no stream shows, and no call reads or changes, what its user could not see throughout
//!   the window.

use std::path::Path;

use crate::history::Line;
use crate::history::reader::{self, Place, ReadError};

mod access;
mod agreement;
mod authorization;
mod facts;
mod intake;
mod names;
mod numbering;
mod order;
mod reach;
mod storage;
mod verdict;

pub use verdict::{Invariant, Judged, Verdict, Violation};

use facts::Facts;

/// Dispatches that one history may hold: 64 bytes each, about 3 GB.
pub const DISPATCHES_MAX: u64 = 50_000_000;

/// Reads the history in `directory` and judges it.
///
/// Memory is about 64 bytes per dispatch and a few hundred per operation; histories beyond
/// [`DISPATCHES_MAX`] dispatches are refused.
pub fn judge(directory: &Path) -> Result<Verdict, ReadError> {
    let mut intake = intake::Intake::default();
    reader::visit(directory, |place, line| intake.take(place, &line))?;
    let mut verdict = weigh(&intake.finish());
    verdict
        .quote(directory)
        .map_err(|source| ReadError::Unreadable {
            path: directory.to_owned(),
            source,
        })?;
    Ok(verdict)
}

/// Judges a history that is held in memory. Its violations quote no lines.
///
/// # Errors
/// A line contradicts an earlier one, so that the history cannot be judged.
pub fn judge_lines(lines: &[Line<'_>]) -> Result<Verdict, String> {
    let mut intake = intake::Intake::default();
    for (number, line) in (1..).zip(lines) {
        let place = Place {
            file: 0,
            line: number,
        };
        intake.take(place, line)?;
    }
    Ok(weigh(&intake.finish()))
}

fn weigh(facts: &Facts) -> Verdict {
    let mut verdict = Verdict::default();
    numbering::judge(facts, &mut verdict);
    order::judge(facts, &mut verdict);
    agreement::judge(facts, &mut verdict);
    storage::judge(facts, &mut verdict);
    reach::judge(facts, &mut verdict);
    authorization::judge(facts, &mut verdict);
    verdict
}

#[cfg(test)]
mod tests;
