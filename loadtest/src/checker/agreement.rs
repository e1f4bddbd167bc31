//! I3 across streams: there is one order per channel that every reader's stream agrees with.
//!
//! The order that a stream shows is a chain of neighbors; the chains of all streams together must
//! not close a circle. Two readers who saw two events in opposite order are the shortest circle.

use std::collections::HashMap;

use super::facts::{Facts, Kind, Seen};
use super::names::Name;
use super::verdict::{Finding, Invariant, Verdict};
use crate::history::reader::Place;

/// One event of a channel. A repetition within a stream is an event of its own: it is a fault of
/// that stream alone, found elsewhere, and must not look like a disagreement.
type Event = (Kind, Name, Option<Name>, u32);

/// The proof that one event came before another: which stream showed it, and where.
#[derive(Clone, Copy)]
struct Witness {
    stream: usize,
    places: [Place; 2],
}

/// What came before what in a channel.
#[derive(Default)]
struct Chains {
    number: HashMap<Event, usize>,
    events: Vec<Event>,
    after: Vec<Vec<usize>>,
    witness: HashMap<(usize, usize), Witness>,
}

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    for (channel, chains) in chains(facts) {
        let Some(circle) = chains.circle() else {
            continue;
        };
        let witnesses: Vec<Witness> = (0..circle.len())
            .map(|index| (circle[index], circle[(index + 1) % circle.len()]))
            .map(|edge| chains.witness[&edge])
            .collect();
        let first = witnesses[0];
        let other = witnesses
            .iter()
            .find(|witness| witness.stream != first.stream)
            .unwrap_or(&first);
        let session = |witness: &Witness| {
            let stream = &facts.streams[witness.stream];
            facts.names.text(stream.session).to_owned()
        };
        let (_, message, mark, _) = chains.events[circle[0]];
        verdict.add(Finding {
            invariant: Invariant::I3,
            session: Some(session(&first)),
            s: None,
            what: format!(
                "session {} disagrees on the order in channel {} around {}",
                session(other),
                facts.names.text(channel),
                facts.describe(Some(message), mark)
            ),
            places: [first.places[1], other.places[1]],
        });
    }
}

fn chains(facts: &Facts) -> HashMap<Name, Chains> {
    let mut channels: HashMap<Name, Chains> = HashMap::new();
    for (index, stream) in facts.streams.iter().enumerate() {
        let mut last: HashMap<Name, (usize, Place)> = HashMap::new();
        let mut repeats: HashMap<(Kind, Name, Option<Name>), u32> = HashMap::new();
        for seen in &stream.seen {
            let (Some(channel), Some((kind, message, mark))) = (seen.channel, key(seen)) else {
                continue;
            };
            let repeat = repeats.entry((kind, message, mark)).or_default();
            *repeat += 1;
            let chains = channels.entry(channel).or_default();
            let event = chains.event((kind, message, mark, *repeat));
            if let Some((before, place)) = last.insert(channel, (event, seen.place)) {
                chains.add(
                    before,
                    event,
                    Witness {
                        stream: index,
                        places: [place, seen.place],
                    },
                );
            }
        }
    }
    channels
}

fn key(seen: &Seen) -> Option<(Kind, Name, Option<Name>)> {
    let message = seen.message.filter(|_| seen.kind.is_of_message())?;
    match seen.kind {
        // A message is created and deleted once, whatever the dispatch carries besides its id.
        Kind::Create | Kind::Delete => Some((seen.kind, message, None)),
        kind => Some((kind, message, seen.mark)),
    }
}

impl Chains {
    fn event(&mut self, event: Event) -> usize {
        *self.number.entry(event).or_insert_with(|| {
            self.events.push(event);
            self.after.push(Vec::new());
            self.events.len() - 1
        })
    }

    fn add(&mut self, before: usize, after: usize, witness: Witness) {
        self.witness.entry((before, after)).or_insert_with(|| {
            self.after[before].push(after);
            witness
        });
    }

    /// A circle of events, each shown before the next by some stream; `None` if there is an order.
    fn circle(&self) -> Option<Vec<usize>> {
        let mut owed = vec![0_usize; self.events.len()];
        for after in self.after.iter().flatten() {
            owed[*after] += 1;
        }
        let mut free: Vec<usize> = (0..owed.len()).filter(|event| owed[*event] == 0).collect();
        let mut placed = vec![false; owed.len()];
        while let Some(event) = free.pop() {
            placed[event] = true;
            for &after in &self.after[event] {
                owed[after] -= 1;
                if owed[after] == 0 {
                    free.push(after);
                }
            }
        }
        let start = placed.iter().position(|placed| !placed)?;
        Some(self.walk_back(start, &placed))
    }

    /// Every event that could not be placed has one before it that could not be placed either:
    /// going back must come around.
    fn walk_back(&self, start: usize, placed: &[bool]) -> Vec<usize> {
        let mut before = vec![None; self.events.len()];
        for (event, afters) in self.after.iter().enumerate() {
            for &after in afters.iter().filter(|_| !placed[event]) {
                before[after] = Some(event);
            }
        }
        let mut step_of = HashMap::new();
        let mut path = Vec::new();
        let mut event = start;
        while !step_of.contains_key(&event) {
            step_of.insert(event, path.len());
            path.push(event);
            event = before[event].expect("an event without predecessor has been placed");
        }
        let mut circle = path.split_off(step_of[&event]);
        circle.reverse();
        circle
    }
}
