//! Looks now and then whether the brokers can be reached and whether followers hear of everything.
//!
//! Nothing is delivered by this: it only ends, in bounded time, what would otherwise wait for a
//! broker that is away.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use guildhall_ports::Failure;

use super::Shared;
use crate::failure::unavailable;
use crate::readers::{Source, ends};

/// What was known of a partition when it was looked at.
#[derive(Clone, Copy)]
struct Seen {
    heard: i64,
    end: i64,
}

/// Watches until the other end of the channel is gone. Blocks.
pub(super) fn watch(shared: &Shared, end: &Receiver<()>, patience: Duration) {
    let mut seen = HashMap::new();
    while matches!(
        end.recv_timeout(patience / 4),
        Err(RecvTimeoutError::Timeout)
    ) {
        seen = look(shared, patience, &seen);
    }
}

fn look(
    shared: &Shared,
    patience: Duration,
    before: &HashMap<Source, Seen>,
) -> HashMap<Source, Seen> {
    let followed = shared.followed();
    let mut seen = HashMap::new();
    if followed.is_empty() {
        return seen;
    }
    let sources: Vec<_> = followed.iter().map(|(source, _)| source.clone()).collect();
    let ends = match ends::of(&shared.consumer, &sources, Instant::now() + patience) {
        Ok(ends) => ends,
        Err(error) => {
            shared.away.has_failed(&error);
            for (source, tail) in followed {
                shared.fail(&tail, unavailable(source.what, &error));
            }
            return seen;
        }
    };
    shared.away.is_back();
    for ((source, tail), end) in followed.into_iter().zip(ends) {
        let heard = tail.next();
        // What was stored when it was last looked at has not come since, nor anything before it.
        let is_stuck = |was: &Seen| was.heard == heard && heard < was.end;
        if before.get(&source).is_some_and(is_stuck) {
            let why = "its client hears nothing of what is stored";
            shared.fail(&tail, Failure::unavailable(source.what, why));
        } else {
            seen.insert(source, Seen { heard, end });
        }
    }
    seen
}
