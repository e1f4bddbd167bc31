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
use crate::readers::Source;
use crate::readers::ends::Asker;

/// What was known of a partition when it was looked at.
#[derive(Clone, Copy)]
struct Seen {
    heard: i64,
    end: i64,
}

impl Seen {
    /// What was stored then has not come since, nor anything before it.
    const fn is_stuck(self, heard: i64) -> bool {
        self.heard == heard && heard < self.end
    }
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
    let asker = Asker {
        consumer: &shared.consumer,
        known: &shared.known,
    };
    let asked = shared.away.ask();
    let ends = match asker.ends(&sources, Instant::now() + patience) {
        Ok(ends) => ends,
        Err(error) => {
            shared.away.has_failed(asked, &error);
            for (source, tail) in followed {
                shared.fail(&tail, unavailable(source.what, &error));
            }
            return seen;
        }
    };
    shared.away.is_back();
    for ((source, tail), end) in followed.into_iter().zip(ends) {
        let heard = tail.next();
        if before.get(&source).is_some_and(|was| was.is_stuck(heard)) {
            let why = "its client hears nothing of what is stored";
            shared.fail(&tail, Failure::unavailable(source.what, why));
        } else {
            seen.insert(source, Seen { heard, end });
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_hears_nothing_of_what_is_stored_is_stuck() {
        let seen = |heard, end| Seen { heard, end };
        assert!(seen(5, 6).is_stuck(5));
        // There was nothing, or some of it has come.
        assert!(!seen(5, 5).is_stuck(5));
        assert!(!seen(5, 9).is_stuck(6));
    }
}
