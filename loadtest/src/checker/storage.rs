//! I1 on the stored side, and I2: what was acknowledged is stored as acknowledged, and once.

use std::collections::{HashMap, HashSet};

use super::facts::{Change, Facts, Kind, Operation, StoredMessage};
use super::names::Name;
use super::verdict::{Finding, Invariant, Verdict};
use crate::history;
use crate::history::reader::Place;

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    let stored: HashMap<(Name, Name), StoredMessage> = facts
        .readouts
        .iter()
        .flat_map(|(channel, readout)| {
            let messages = readout.messages.iter();
            messages.map(|message| ((*channel, message.id), *message))
        })
        .collect();
    verdict.judged.stored += stored.len() as u64;
    unread(facts, verdict);
    for operation in &facts.operations {
        if operation.acked.is_some() {
            verdict.judged.operations += 1;
            durable(facts, operation, &stored, verdict);
        }
    }
    nonces(facts, verdict);
}

/// Channels that were posted to must have been read back to their beginning.
fn unread(facts: &Facts, verdict: &mut Verdict) {
    let mut reported = HashSet::new();
    for operation in &facts.operations {
        let readout = facts.readouts.get(&operation.channel);
        if operation.acked.is_some()
            && readout.is_none_or(|readout| !readout.is_complete)
            && reported.insert(operation.channel)
        {
            verdict.add(Finding {
                invariant: Invariant::History,
                session: None,
                s: None,
                what: format!(
                    "channel {} was changed, but its stored messages were not read to the end",
                    facts.names.text(operation.channel)
                ),
                places: [operation.place, operation.place],
            });
        }
    }
}

fn durable(
    facts: &Facts,
    operation: &Operation,
    stored: &HashMap<(Name, Name), StoredMessage>,
    verdict: &mut Verdict,
) {
    let is_complete = facts
        .readouts
        .get(&operation.channel)
        .is_some_and(|readout| readout.is_complete);
    let (Some(message), true) = (operation.message, is_complete) else {
        return;
    };
    let kept = stored.get(&(operation.channel, message));
    let fault = match (operation.change, kept) {
        (Change::Create(_), None) => {
            let is_deletion_known = facts.operation_of.contains_key(&Change::Delete(message));
            (!is_deletion_known).then_some(("was acknowledged, but is not stored", operation.place))
        }
        (Change::Delete(_), Some(kept)) => Some(("was deleted, but is still stored", kept.place)),
        (Change::Edit(_, _), Some(kept)) => is_older(facts, kept, operation)
            .then_some(("is stored without its acknowledged edit", kept.place)),
        _ => None,
    };
    if let Some((what, place)) = fault {
        verdict.add(Finding {
            invariant: Invariant::I1,
            session: None,
            s: None,
            what: format!(
                "{} of channel {} {what}",
                facts.describe(Some(message), mark_of(operation)),
                facts.names.text(operation.channel)
            ),
            places: [operation.place, place],
        });
    }
}

fn mark_of(operation: &Operation) -> Option<Name> {
    match operation.change {
        Change::Create(mark) | Change::Edit(_, mark) | Change::React(_, mark) => Some(mark),
        Change::Delete(_) => None,
    }
}

/// The stored version was over before this edit began.
fn is_older(facts: &Facts, kept: &StoredMessage, edit: &Operation) -> bool {
    let Some(tag) = kept.tag else {
        return true;
    };
    let version = [Change::Edit(kept.id, tag), Change::Create(tag)]
        .into_iter()
        .find_map(|change| facts.operation_of.get(&change))
        .map(|index| &facts.operations[*index]);
    // The original version is older than any edit of it, whenever its post was acknowledged.
    version.is_none_or(|version| {
        matches!(version.change, Change::Create(_)) || version.until() < edit.sent
    })
}

/// I2: every answer, page and dispatch that names a nonce names the same message.
fn nonces(facts: &Facts, verdict: &mut Verdict) {
    let is_known = |nonce: &Name| facts.operation_of.contains_key(&Change::Create(*nonce));
    let answers = facts
        .made
        .iter()
        .map(|made| (made.nonce, made.message, made.place));
    let pages = facts
        .readouts
        .values()
        .flat_map(|readout| &readout.messages);
    let pages = pages.filter_map(|message| {
        let tag = facts.names.text(message.tag?);
        let nonce = facts.names.known(history::nonce_of(tag))?;
        Some((nonce, message.id, message.place))
    });
    let dispatches = facts.streams.iter().flat_map(|stream| &stream.seen);
    let dispatches = dispatches
        .filter(|seen| seen.kind == Kind::Create)
        .filter_map(|seen| Some((seen.mark?, seen.message?, seen.place)));
    let mut made: HashMap<Name, (Name, Place)> = HashMap::new();
    let mut reported = HashSet::new();
    for (nonce, message, place) in answers.chain(pages).chain(dispatches) {
        if !is_known(&nonce) {
            continue;
        }
        let (first, first_place) = *made.entry(nonce).or_insert((message, place));
        if first != message && reported.insert((nonce, message)) {
            verdict.add(Finding {
                invariant: Invariant::I2,
                session: None,
                s: None,
                what: format!(
                    "nonce {} made message {} and message {}",
                    facts.names.text(nonce),
                    facts.names.text(first),
                    facts.names.text(message)
                ),
                places: [first_place, place],
            });
        }
    }
}
