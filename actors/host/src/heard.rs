//! What this node knows of an event partition because it hears all of it: the nonces that were used
//! lately, and how far streams have come. An actor that starts anew need not ask the store for them,
//! which may be away.

use std::collections::VecDeque;

use guildhall_model::event::Source;
use guildhall_model::{ChannelId, Position, Timestamp, limits};
use guildhall_state::channel::Spent;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::event_log::Stable;

/// How far the clocks of two owners of a partition may be apart, in milliseconds.
const CLOCKS_APART_MS: i64 = 10_000;

/// What was heard of one partition.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Since when everything is heard; `None` before anything is.
    since: Option<Timestamp>,
    /// Everything before this place is heard.
    upto: Position,
    /// In the order of the log.
    used: VecDeque<Used>,
    /// When the last one was used that was forgotten for lack of room.
    forgotten: Option<Timestamp>,
    /// The last event of each source that was heard of.
    last: FxHashMap<Source, u64>,
}

/// A nonce that was used at a place of the log.
#[derive(Debug)]
struct Used {
    position: Position,
    at: Timestamp,
    spent: Spent,
}

impl Heard {
    /// From here on this node hears everything.
    pub(crate) fn begin(&self, at: Position, now: Timestamp) {
        *self.0.lock() = Known {
            since: Some(now),
            upto: at,
            ..Known::default()
        };
    }

    /// Hears what counts up to a place of the log, all that comes after what was heard before.
    pub(crate) fn hear(&self, events: &[Stable], upto: Position, now: Timestamp) {
        let mut known = self.0.lock();
        for Stable {
            position, record, ..
        } in events
        {
            if *position < known.upto {
                continue;
            }
            // What is appended again comes after what follows it.
            let last = known.last.entry(record.source).or_default();
            *last = record.gseq.max(*last);
            if let Some(spent) = Spent::of(&record.event) {
                known.used.push_back(Used {
                    position: *position,
                    at: record.at,
                    spent,
                });
            }
        }
        known.upto = upto.max(known.upto);
        known.trim(now);
    }

    /// The same for a tail of the log that was read on its own, and begins here. Where it leaves a
    /// gap, everything is heard from now on only.
    pub(crate) fn hear_tail(
        &self,
        from: Position,
        tail: &[Stable],
        upto: Position,
        now: Timestamp,
    ) {
        let has_gap = {
            let known = self.0.lock();
            known.since.is_none() || known.upto < from
        };
        if has_gap {
            self.begin(from, now);
        }
        self.hear(tail, upto, now);
    }

    /// The place of a source's last event; `None` where the store has to be asked.
    pub(crate) fn last_gseq(&self, source: Source) -> Option<u64> {
        self.0.lock().last.get(&source).copied()
    }

    /// What was used in a channel before this place of the log, oldest first, as far as it is known.
    pub(crate) fn of(&self, channel: ChannelId, end: Position) -> Vec<Spent> {
        let known = self.0.lock();
        let used = known.used.iter().filter(|used| used.position < end);
        let here = used.filter(|used| used.spent.channel_id == channel);
        here.map(|used| used.spent.clone()).collect()
    }

    /// From when on all nonces are known that may be repeated, or that may be in a channel which was
    /// made while this node owned the partition.
    pub(crate) fn known_after(&self, was_made_here: bool, now: Timestamp) -> Timestamp {
        let age = i64::try_from(limits::NONCE_AGE_MS).unwrap_or(i64::MAX);
        let known = self.0.lock();
        let forgotten = known.forgotten.map_or(Timestamp(0), |at| at.plus_ms(age));
        if was_made_here {
            return forgotten;
        }
        let since = known.since.unwrap_or(now);
        since.plus_ms(age).plus_ms(CLOCKS_APART_MS).max(forgotten)
    }
}

impl Known {
    /// Nobody may repeat what is older, and there is an end to what is remembered.
    fn trim(&mut self, now: Timestamp) {
        let is_old = |at: Timestamp| now.ms_since(at) > limits::NONCE_AGE_MS;
        while self.used.front().is_some_and(|used| is_old(used.at)) {
            self.used.pop_front();
        }
        while self.used.len() > limits::NONCES_HEARD_MAX {
            let forgotten = self.used.pop_front();
            self.forgotten = self.forgotten.max(forgotten.map(|used| used.at));
        }
        if self.last.len() > limits::STREAMS_HEARD_MAX {
            self.last.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guildhall_model::event::{Event, Record};
    use guildhall_model::message::{Nonce, Place};
    use guildhall_model::{ApplicationId, InteractionId, UserId};

    use super::*;

    const START: Timestamp = Timestamp(1_700_000_000_000);
    const AGE: i64 = limits::NONCE_AGE_MS.cast_signed();

    fn channel(number: u64) -> ChannelId {
        ChannelId::new(number).unwrap()
    }

    fn used(position: u64, at: Timestamp) -> Stable {
        let user_id = UserId::new(11).unwrap();
        let event = Event::InteractionAcknowledged {
            id: InteractionId::new(position + 1).unwrap(),
            application_id: ApplicationId::new(5).unwrap(),
            user_id,
            channel_id: channel(7),
            place: Place::Direct([user_id, user_id]),
        };
        Stable {
            position: Position(position),
            record: Arc::new(Record {
                source: Source::Direct(channel(7)),
                gseq: position,
                at,
                event,
            }),
            bytes: 0,
        }
    }

    fn known(heard: &Heard) -> Vec<u64> {
        let of = heard.of(channel(7), Position(u64::MAX));
        let number = |spent: Spent| match spent.nonce {
            Nonce::Interaction(id) => id.get() - 1,
            _ => 0,
        };
        of.into_iter().map(number).collect()
    }

    fn hear(heard: &Heard, positions: std::ops::Range<u64>, at: Timestamp) {
        let upto = Position(positions.end);
        let events: Vec<Stable> = positions.map(|position| used(position, at)).collect();
        heard.hear(&events, upto, at);
    }

    #[test]
    fn what_is_heard_twice_is_known_once_and_by_its_channel_behind_it_alone() {
        let heard = Heard::default();
        heard.begin(Position(3), START);
        hear(&heard, 3..5, START);
        hear(&heard, 3..6, START);
        assert_eq!(known(&heard), [3, 4, 5]);
        assert!(heard.of(channel(8), Position(6)).is_empty());
        assert_eq!(
            heard.of(channel(7), Position(5)).len(),
            2,
            "what lies behind is not known there"
        );
    }

    #[test]
    fn a_stream_has_come_to_its_last_event_that_was_heard() {
        let heard = Heard::default();
        let source = Source::Direct(channel(7));
        heard.begin(Position(3), START);
        assert_eq!(heard.last_gseq(source), None);
        hear(&heard, 3..5, START);
        let mut again = used(5, START);
        Arc::make_mut(&mut again.record).gseq = 3;
        heard.hear(&[again], Position(6), START);
        assert_eq!(
            heard.last_gseq(source),
            Some(4),
            "an event that stands there twice"
        );
        heard.hear_tail(Position(9), &[], Position(9), START);
        assert_eq!(heard.last_gseq(source), None, "behind a gap nobody knows");
    }

    #[test]
    fn all_is_known_once_nobody_can_repeat_what_came_before_it_was_heard() {
        let heard = Heard::default();
        assert!(START.plus_ms(AGE) < heard.known_after(false, START));
        heard.begin(Position(0), START);
        let known_after = heard.known_after(false, START.plus_ms(AGE));
        assert_eq!(known_after, START.plus_ms(AGE + CLOCKS_APART_MS));
        assert_eq!(heard.known_after(true, START), Timestamp(0));
    }

    #[test]
    fn a_tail_goes_on_where_hearing_has_come_to_and_begins_anew_behind_a_gap() {
        let heard = Heard::default();
        heard.begin(Position(0), START);
        hear(&heard, 0..4, START);
        let later = START.plus_ms(AGE);
        let tail = |from: u64| [used(from, later), used(from + 1, later)];
        heard.hear_tail(Position(3), &tail(3), Position(5), later);
        assert_eq!(known(&heard), [0, 1, 2, 3, 4]);
        let known_after = START.plus_ms(AGE + CLOCKS_APART_MS);
        assert_eq!(heard.known_after(false, later), known_after);
        heard.hear_tail(Position(6), &tail(6), Position(8), later);
        assert_eq!(known(&heard), [6, 7]);
        assert!(later.plus_ms(AGE) < heard.known_after(false, later));
    }

    #[test]
    fn what_is_too_old_to_be_repeated_is_forgotten() {
        let heard = Heard::default();
        heard.begin(Position(0), START);
        hear(&heard, 0..2, START);
        hear(&heard, 2..3, START.plus_ms(AGE + 1));
        assert_eq!(known(&heard), [2]);
        assert_eq!(heard.known_after(true, START), Timestamp(0));
    }

    #[test]
    fn what_is_forgotten_for_lack_of_room_has_to_be_asked_for() {
        let heard = Heard::default();
        heard.begin(Position(0), START);
        let max = limits::NONCES_HEARD_MAX as u64;
        hear(&heard, 0..max + 1, START);
        assert_eq!(known(&heard).len(), limits::NONCES_HEARD_MAX);
        assert_eq!(heard.known_after(true, START), START.plus_ms(AGE));
    }
}
