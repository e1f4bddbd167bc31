//! I3 within one stream: creates ascend as the stored messages do, nothing comes twice, before its
//! create or after its deletion, and edits keep the order in which they were made.

use std::collections::{HashMap, HashSet};

use super::facts::{Facts, Kind, Readout, Seen, Stream};
use super::names::Name;
use super::verdict::{Finding, Invariant, Verdict};
use crate::history::reader::Place;

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    for stream in &facts.streams {
        let mut watch = Watch::default();
        for seen in &stream.seen {
            if !seen.kind.is_of_message() {
                continue;
            }
            for (what, before) in watch.see(facts, seen) {
                verdict.add(finding(facts, stream, seen, what, before));
            }
        }
    }
    for (channel, readout) in &facts.readouts {
        pages(facts, *channel, readout, verdict);
    }
}

fn finding(facts: &Facts, stream: &Stream, seen: &Seen, what: &str, before: Place) -> Finding {
    Finding {
        invariant: Invariant::I3,
        session: Some(facts.names.text(stream.session).to_owned()),
        s: Some(seen.s),
        what: format!(
            "{} in channel {} {what}",
            facts.describe(seen.message, seen.mark),
            facts.names.text_or_dash(seen.channel)
        ),
        places: [before, seen.place],
    }
}

/// What a stream has shown so far.
#[derive(Default)]
struct Watch {
    /// The newest message created in each channel.
    newest: HashMap<Option<Name>, (Name, Place)>,
    /// The first sign of each message, whatever it was.
    first: HashMap<Name, (Kind, Place)>,
    deleted: HashMap<Name, Place>,
    /// When the latest of the changes shown in each channel was asked for.
    latest: HashMap<Name, (u64, Place)>,
    /// Edits and standing reactions.
    standing: HashMap<(Kind, Name, Name), Place>,
}

impl Watch {
    /// What is wrong with the next dispatch, and the earlier one that proves it.
    fn see(&mut self, facts: &Facts, seen: &Seen) -> Vec<(&'static str, Place)> {
        let Some(message) = seen.message else {
            return vec![("names no message", seen.place)];
        };
        let mut faults = Vec::new();
        if let Some(place) = self.deleted.get(&message) {
            faults.push(("was deleted before", *place));
        }
        match seen.kind {
            Kind::Create => faults.extend(self.create(facts, seen, message)),
            Kind::Edit => faults.extend(self.edit(seen, message)),
            Kind::Delete => {
                self.deleted.insert(message, seen.place);
            }
            Kind::React => {
                let key = seen.mark.map(|mark| (Kind::React, message, mark));
                let before = key.and_then(|key| self.standing.insert(key, seen.place));
                faults.extend(before.map(|place| ("got the same reaction twice", place)));
            }
            Kind::Unreact => {
                if let Some(mark) = seen.mark {
                    self.standing.remove(&(Kind::React, message, mark));
                }
            }
            _ => {}
        }
        let lateness = self.lateness(facts, seen);
        if faults.is_empty() {
            faults.extend(lateness);
        }
        self.first.entry(message).or_insert((seen.kind, seen.place));
        faults
    }

    fn create(
        &mut self,
        facts: &Facts,
        seen: &Seen,
        message: Name,
    ) -> Option<(&'static str, Place)> {
        let fault = match (self.first.get(&message), self.newest.get(&seen.channel)) {
            (Some((Kind::Create, place)), _) => Some(("was created twice", *place)),
            (Some((_, place)), _) => Some(("was changed before it was created", *place)),
            (None, Some((newest, place))) if facts.names.compare_ids(message, *newest).is_lt() => {
                Some(("came after a newer message", *place))
            }
            _ => None,
        };
        // After one that comes late the newest stays the newest: one swap is one violation.
        if fault.is_none() {
            self.newest.insert(seen.channel, (message, seen.place));
        }
        fault
    }

    fn edit(&mut self, seen: &Seen, message: Name) -> Option<(&'static str, Place)> {
        let key = (Kind::Edit, message, seen.mark?);
        let before = self.standing.insert(key, seen.place);
        before.map(|place| ("was edited twice in the same way", place))
    }

    /// A change that was acknowledged before another one was asked for stands before it.
    fn lateness(&mut self, facts: &Facts, seen: &Seen) -> Option<(&'static str, Place)> {
        let operation = facts.operation(seen)?;
        let latest = self
            .latest
            .entry(operation.channel)
            .or_insert((operation.sent, seen.place));
        let (sent, place) = *latest;
        if sent < operation.sent {
            *latest = (operation.sent, seen.place);
        }
        (operation.until() < sent).then_some(("came after a change that was made later", place))
    }
}

/// The pages of a channel hold each message once, newest first.
fn pages(facts: &Facts, channel: Name, readout: &Readout, verdict: &mut Verdict) {
    let mut known = HashSet::new();
    for pair in readout.messages.windows(2) {
        known.insert(pair[0].id);
        let (older, newer) = (pair[1], pair[0]);
        if facts.names.compare_ids(older.id, newer.id).is_ge() {
            let how = if known.contains(&older.id) {
                "stands twice in the pages"
            } else {
                "is stored out of order"
            };
            verdict.add(Finding {
                invariant: Invariant::I3,
                session: None,
                s: None,
                what: format!(
                    "{} of channel {} {how}",
                    facts.describe(Some(older.id), older.tag),
                    facts.names.text(channel)
                ),
                places: [newer.place, older.place],
            });
        }
    }
}
