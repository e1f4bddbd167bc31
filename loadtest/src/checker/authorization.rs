//! I6: nothing reaches anybody who may not see it, neither by dispatch nor by call.

use std::collections::HashMap;

use super::access::Sight;
use super::facts::{Facts, Kind, Seen, Stream};
use super::names::Name;
use super::verdict::{Finding, Invariant, Verdict};
use crate::history::reader::Place;

pub(super) fn judge(facts: &Facts, verdict: &mut Verdict) {
    for stream in &facts.streams {
        let mut lost: HashMap<Name, Place> = HashMap::new();
        for seen in &stream.seen {
            let Some(channel) = seen.channel else {
                continue;
            };
            let fault =
                leak(facts, stream, seen, channel).or_else(|| after_loss(seen, channel, &mut lost));
            if let Some((what, place)) = fault {
                verdict.add(finding(facts, stream, seen, channel, what, place));
            }
        }
        verdict.judged.forbidden += forbidden(facts, stream);
    }
    calls(facts, verdict);
}

/// How many acknowledged changes the stream must not have shown.
fn forbidden(facts: &Facts, stream: &Stream) -> u64 {
    let hidden = facts.operations.iter().filter(|operation| {
        let user = stream.user;
        let sight = |acked| {
            let sights = &facts.sights;
            sights.during(user, operation.channel, operation.sent, acked)
        };
        operation.acked.is_some_and(|acked| {
            stream.identified < operation.sent && sight(acked) == Sight::Hidden
        })
    });
    hidden.count() as u64
}

/// The dispatch tells of something that happened while its reader could not see the channel.
fn leak(
    facts: &Facts,
    stream: &Stream,
    seen: &Seen,
    channel: Name,
) -> Option<(&'static str, Place)> {
    // A dispatch may come late, so what counts is when the change was made. Where no request is
    // known for it, it may be of any moment since the session began.
    let (from, to, place) = match facts.operation(seen) {
        Some(operation) => (operation.sent, operation.until(), operation.place),
        None => (stream.identified, seen.at, stream.opened_at),
    };
    let sight = facts.sights.during(stream.user, channel, from, to);
    (sight == Sight::Hidden).then_some(("reached a user who could not see it", place))
}

/// The stream itself said before that the channel is gone.
fn after_loss(
    seen: &Seen,
    channel: Name,
    lost: &mut HashMap<Name, Place>,
) -> Option<(&'static str, Place)> {
    match seen.kind {
        Kind::ChannelDelete => {
            lost.insert(channel, seen.place);
            None
        }
        Kind::ChannelCreate | Kind::Shown => {
            lost.remove(&channel);
            None
        }
        kind if kind.is_of_message() => lost.get(&channel).map(|place| {
            (
                "came after the session had been told that the channel is gone",
                *place,
            )
        }),
        _ => None,
    }
}

fn finding(
    facts: &Facts,
    stream: &Stream,
    seen: &Seen,
    channel: Name,
    what: &str,
    place: Place,
) -> Finding {
    let subject = match seen.message {
        Some(message) => facts.describe(Some(message), seen.mark),
        None => format!("{:?}", seen.kind),
    };
    Finding {
        invariant: Invariant::I6,
        session: Some(facts.names.text(stream.session).to_owned()),
        s: Some(seen.s),
        what: format!(
            "{subject} of channel {} {what}: user {}",
            facts.names.text(channel),
            facts.names.text(stream.user)
        ),
        places: [place, seen.place],
    }
}

/// No call succeeds on a channel that its caller could not see all the while.
fn calls(facts: &Facts, verdict: &mut Verdict) {
    for call in &facts.successes {
        let sight = facts
            .sights
            .during(call.user, call.channel, call.sent, call.acked);
        if sight == Sight::Hidden {
            verdict.add(Finding {
                invariant: Invariant::I6,
                session: None,
                s: None,
                what: format!(
                    "{:?} on channel {} succeeded for user {}, who could not see it",
                    call.action,
                    facts.names.text(call.channel),
                    facts.names.text(call.user)
                ),
                places: [call.sent_at, call.acked_at],
            });
        }
    }
}
