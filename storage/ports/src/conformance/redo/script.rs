//! Random lives of three channels: steps that become records which make sense at their time.

use std::collections::HashMap;
use std::sync::Arc;

use guildhall_model::ChannelId;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::{Message, Place};
use proptest::prelude::*;

use super::super::sample::{self, EMOJI, NOW, id, reaction};
use super::twin::Twin;

/// One thing that somebody does. Numbers pick from what is there, counted around.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Post {
        channel: u64,
        author: u64,
    },
    Edit(usize),
    Delete(usize),
    React {
        pick: usize,
        emoji: usize,
        user: u64,
    },
    Unreact {
        pick: usize,
        emoji: usize,
    },
    /// All messages of the channel of that one, at once.
    DeleteAll(usize),
    Clear {
        pick: usize,
        emoji: Option<usize>,
    },
    Pin(usize),
    Other,
}

/// How the records of a script are handed to the store.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// So many records at a time,
    pub(super) batch: usize,
    /// then again from so many before,
    pub(super) back: usize,
    /// but so many of them only.
    pub(super) redone: usize,
}

pub(super) fn lives() -> impl Strategy<Value = (Vec<Step>, Vec<Cut>)> {
    let pick = 0_usize..10;
    let step = prop_oneof![
        4 => (1_u64..=3, 1_u64..4).prop_map(|(channel, author)| Step::Post { channel, author }),
        2 => pick.clone().prop_map(Step::Edit),
        1 => pick.clone().prop_map(Step::Delete),
        4 => (pick.clone(), 0..EMOJI.len(), 1_u64..5)
            .prop_map(|(pick, emoji, user)| Step::React { pick, emoji, user }),
        2 => (pick.clone(), 0..EMOJI.len())
            .prop_map(|(pick, emoji)| Step::Unreact { pick, emoji }),
        1 => (pick.clone(), prop::option::of(0..EMOJI.len()))
            .prop_map(|(pick, emoji)| Step::Clear { pick, emoji }),
        1 => pick.clone().prop_map(Step::Pin),
        1 => pick.prop_map(Step::DeleteAll),
        1 => Just(Step::Other),
    ];
    let cut = (1_usize..9, 0_usize..30, 0_usize..40).prop_map(|(batch, back, redone)| Cut {
        batch,
        back,
        redone,
    });
    (
        prop::collection::vec(step, 1..60),
        prop::collection::vec(cut, 1..6),
    )
}

/// The channels of a script whose numbers begin at `base`: two of a guild and a direct one.
pub(super) fn channels(base: u64) -> [ChannelId; 3] {
    [id(base + 1), id(base + 2), id(base + 3)]
}

/// The streams of those channels.
pub(super) fn sources(base: u64) -> [Source; 2] {
    [Source::Guild(id(base)), Source::Direct(id(base + 3))]
}

/// The records that the steps become.
pub(super) fn records(steps: &[Step], base: u64) -> Vec<Arc<Record>> {
    let mut twin = Twin::default();
    let mut places: HashMap<Source, u64> = HashMap::new();
    let mut records = Vec::new();
    for (unused, step) in (base + 100..).zip(steps) {
        let Some((source, event)) = event(step, &twin, base, unused) else {
            continue;
        };
        twin.fold(&event);
        let gseq = places.entry(source).or_default();
        *gseq += 1;
        records.push(Arc::new(Record {
            source,
            gseq: *gseq,
            at: NOW,
            event,
        }));
    }
    records
}

fn event(step: &Step, twin: &Twin, base: u64, unused: u64) -> Option<(Source, Event)> {
    let shown = twin.shown();
    let nth = |pick: usize| shown.get(pick.checked_rem(shown.len())?);
    let about = |message: &Message| message.place.source(message.channel_id);
    let found = match *step {
        Step::Post { channel, author } => {
            let message = post(base, unused, channel, author);
            (about(&message), Event::MessageCreated(Box::new(message)))
        }
        Step::Edit(pick) => {
            let mut message = nth(pick)?.clone();
            message.content = format!("Edited to {unused}");
            message.edited_at = Some(NOW.plus_ms(unused.cast_signed()));
            message.reactions.clear();
            (about(&message), Event::MessageUpdated(Box::new(message)))
        }
        Step::Delete(pick) => {
            let message = nth(pick)?;
            let event = Event::MessageDeleted {
                id: message.id,
                channel_id: message.channel_id,
                place: message.place.clone(),
                only_for: None,
            };
            (about(message), event)
        }
        Step::DeleteAll(pick) => {
            let message = nth(pick)?;
            let here = shown
                .iter()
                .filter(|it| it.channel_id == message.channel_id);
            let event = Event::MessagesDeleted {
                ids: here.map(|it| it.id).collect(),
                channel_id: message.channel_id,
                place: message.place.clone(),
            };
            (about(message), event)
        }
        Step::Clear { pick, emoji } => {
            let message = nth(pick)?;
            let event = Event::ReactionsCleared {
                message_id: message.id,
                channel_id: message.channel_id,
                place: message.place.clone(),
                emoji: emoji.map(sample::emoji),
            };
            (about(message), event)
        }
        Step::Pin(pick) => {
            let mut message = nth(pick)?.clone();
            message.pinned_at = Some(NOW.plus_ms(unused.cast_signed()));
            message.reactions.clear();
            (about(&message), Event::MessageUpdated(Box::new(message)))
        }
        Step::React { pick, emoji, user } => {
            let message = nth(pick)?;
            let given = reaction(message, emoji, id(user));
            (about(message), Event::ReactionAdded(Box::new(given)))
        }
        Step::Unreact { pick, emoji } => {
            let message = nth(pick)?;
            let users = twin.reactors(message.id, &sample::emoji(emoji));
            let taken = reaction(message, emoji, *users.first()?);
            (about(message), Event::ReactionRemoved(Box::new(taken)))
        }
        Step::Other => (Source::Guild(id(base)), Event::GuildDeleted),
    };
    Some(found)
}

fn post(base: u64, number: u64, channel: u64, author: u64) -> Message {
    let mut message = sample::message(number, base + channel, author);
    message.place = match channel {
        3 => Place::Direct([id(1), id(2)]),
        _ => Place::guild(id(base)),
    };
    message
}
