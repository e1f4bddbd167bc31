//! I1 on the readers' side: an acknowledged change reaches every stream that it is owed to.

use std::collections::{HashMap, HashSet};

use super::access::Sight;
use super::facts::{Change, Facts, Fate, Operation, Seen, Stream};
use super::names::Name;
use super::verdict::{Finding, Invariant, Verdict};

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    let mut of_channel: HashMap<Name, Vec<&Operation>> = HashMap::new();
    for operation in facts.operations.iter().filter(|one| one.acked.is_some()) {
        of_channel
            .entry(operation.channel)
            .or_default()
            .push(operation);
    }
    for stream in &facts.streams {
        let Some(settled) = stream.settled else {
            continue;
        };
        let shown: HashSet<Change> = stream.seen.iter().filter_map(Seen::change).collect();
        for (channel, operations) in &of_channel {
            let reach = Reach {
                facts,
                stream,
                settled,
                horizon: horizon(facts, stream, *channel),
            };
            for operation in operations.iter().filter(|one| reach.owes(one)) {
                verdict.judged.owed += 1;
                if !shown.contains(&operation.change) {
                    verdict.add(missing(facts, stream, operation));
                }
            }
        }
    }
}

/// What one stream owes of one channel.
struct Reach<'a> {
    facts: &'a Facts,
    stream: &'a Stream,
    settled: u64,
    horizon: Horizon,
}

/// How far the stream got in the channel before it ended.
struct Horizon {
    /// Whatever was acknowledged before this stands before something that the stream showed.
    acked_before: u64,
    /// The newest message that the stream showed.
    newest: Option<Name>,
}

impl Reach<'_> {
    fn owes(&self, operation: &Operation) -> bool {
        let Some(acked) = operation.acked else {
            return false;
        };
        // What was under way when the session began may stand on either side of its beginning.
        if operation.sent <= self.settled {
            return false;
        }
        let sight = |user| {
            let sights = &self.facts.sights;
            sights.during(user, operation.channel, operation.sent, acked)
        };
        let is_due = match self.stream.fate {
            Fate::Ended(at) => acked < at,
            // Op 9 confesses to the loss of the end of the stream, never to a hole in it.
            Fate::Invalid | Fate::Unknown => self.is_passed(operation, acked),
        };
        is_due && sight(self.stream.user) == Sight::Open
    }

    fn is_passed(&self, operation: &Operation, acked: u64) -> bool {
        let is_older = |newest: Name| {
            operation
                .message
                .is_some_and(|message| self.facts.names.compare_ids(message, newest).is_lt())
        };
        acked < self.horizon.acked_before
            || (matches!(operation.change, Change::Create(_))
                && self.horizon.newest.is_some_and(is_older))
    }
}

fn horizon(facts: &Facts, stream: &Stream, channel: Name) -> Horizon {
    let mut horizon = Horizon {
        acked_before: 0,
        newest: None,
    };
    let of_channel = stream
        .seen
        .iter()
        .filter(|seen| seen.channel == Some(channel));
    for seen in of_channel {
        if let Some(operation) = facts.operation(seen) {
            horizon.acked_before = horizon.acked_before.max(operation.sent);
            if let (Change::Create(_), Some(message)) = (operation.change, seen.message) {
                let newest = horizon.newest.get_or_insert(message);
                if facts.names.compare_ids(message, *newest).is_gt() {
                    *newest = message;
                }
            }
        }
    }
    horizon
}

fn missing(facts: &Facts, stream: &Stream, operation: &Operation) -> Finding {
    let (what, mark) = match operation.change {
        Change::Create(mark) => ("the post of", Some(mark)),
        Change::Edit(_, mark) => ("the edit of", Some(mark)),
        Change::Delete(_) => ("the deletion of", None),
        Change::React(_, mark) => ("the reaction to", Some(mark)),
    };
    Finding {
        invariant: Invariant::I1,
        session: Some(facts.names.text(stream.session).to_owned()),
        s: None,
        what: format!(
            "{what} {} in channel {} was acknowledged, but never came",
            facts.describe(operation.message, mark),
            facts.names.text(operation.channel)
        ),
        places: [operation.place, stream.nearest(operation.until())],
    }
}
