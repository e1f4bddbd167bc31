//! What a relay should know and say, kept by the oracle.

use std::collections::BTreeMap;

use guildhall_model::event::{Event, Record};
use guildhall_model::intent::Intents;
use guildhall_model::{SessionPartition, UserId};

use super::super::{SessionRef, Sessions, Subscriber};
use super::oracle::{self, Told};
use crate::guild::GuildState;

/// What each session is told, in order.
pub(super) type ToldBySession = BTreeMap<SessionRef, Vec<Told>>;

/// Something that the relay has said, after having heard the stream up to a place.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) heard: u64,
    pub(super) opened: Option<Subscriber>,
    pub(super) closed: Option<SessionRef>,
    pub(super) told: ToldBySession,
}

/// What the relay should know, by the oracle.
#[derive(Default)]
pub(super) struct Model {
    pub(super) open: Vec<Subscriber>,
    /// The place of the state that the relay holds, if it follows the guild.
    pub(super) at: Option<u64>,
    /// After which place each subscribed session hears.
    pub(super) start: BTreeMap<SessionRef, u64>,
}

/// The open sessions of the partitions that have not heard an event yet.
pub(super) struct Unheard<'a> {
    open: &'a [Subscriber],
    is_news: &'a dyn Fn(SessionPartition) -> bool,
}

impl Sessions for Unheard<'_> {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        let of_user = self.open.iter().filter(|s| s.viewer.user_id == user);
        let here = of_user.filter(|s| (self.is_news)(s.session.partition));
        here.copied().collect()
    }
}

impl Model {
    pub(super) fn follows(&self) -> bool {
        self.at.is_some()
    }

    pub(super) fn let_go(&mut self) {
        if self.start.is_empty() {
            self.at = None;
        }
    }

    pub(super) fn subscribe(
        &mut self,
        who: Subscriber,
        states: &[GuildState],
        told: &mut ToldBySession,
    ) {
        let at = self.at.expect("the guild is followed");
        let state = &states[usize::try_from(at).unwrap()];
        let snapshot = state.snapshot_for(&who.viewer);
        let hears = who.shard.has_guild(state.guild().id) && !state.is_deleted();
        if let (true, Some(snapshot)) = (hears && !self.start.contains_key(&who.session), snapshot)
        {
            self.start.insert(who.session, at);
            let announced = who
                .viewer
                .wants(Intents::GUILDS)
                .then(|| Box::new(snapshot));
            let subscribed = Told::Subscribed {
                gseq: at,
                announced,
            };
            told.entry(who.session).or_default().push(subscribed);
        }
    }

    pub(super) fn unheard<'a>(
        &'a self,
        is_news: &'a dyn Fn(SessionPartition) -> bool,
    ) -> Unheard<'a> {
        Unheard {
            open: &self.open,
            is_news,
        }
    }

    pub(super) fn hear(
        &mut self,
        record: &Record,
        states: &[GuildState],
        present: u64,
        is_news: &dyn Fn(SessionPartition) -> bool,
    ) -> ToldBySession {
        let mut told = ToldBySession::new();
        let place = usize::try_from(record.gseq).unwrap();
        let newcomers = match &record.event {
            Event::GuildCreated(founding) => self.unheard(is_news).of(founding.owner.user.id),
            Event::MemberJoined { member, .. } => self.unheard(is_news).of(member.user.id),
            _ => Vec::new(),
        };
        if self.at.is_none() && !newcomers.is_empty() {
            let founds = matches!(record.event, Event::GuildCreated(_));
            let is_over = states[usize::try_from(present).unwrap()].is_deleted();
            self.at = if founds {
                Some(record.gseq)
            } else {
                (!is_over).then_some(present)
            };
        }
        let Some(at) = self.at else { return told };
        if at < record.gseq {
            self.at = Some(record.gseq);
            for subscriber in self.open.clone() {
                let hears = self
                    .start
                    .get(&subscriber.session)
                    .is_some_and(|&s| s < record.gseq);
                if hears && place > 1 {
                    let change = (&states[place - 1], &states[place]);
                    let heard = oracle::told(change, record, &subscriber);
                    if heard.contains(&Told::Unsubscribed) {
                        self.start.remove(&subscriber.session);
                    }
                    if !heard.is_empty() {
                        told.insert(subscriber.session, heard);
                    }
                }
            }
        }
        for newcomer in newcomers {
            self.subscribe(newcomer, states, &mut told);
        }
        self.let_go();
        told
    }

    /// Takes over the sessions of a partition as of the stable part of the timeline. Says how far
    /// the partition has heard.
    pub(super) fn recover(&mut self, partition: SessionPartition, stable: &[Moment]) -> u64 {
        let mut heard = 0;
        for moment in stable {
            let here = |session: &SessionRef| session.partition == partition;
            if let Some(opened) = moment.opened.filter(|opened| here(&opened.session)) {
                self.open.push(opened);
                heard = moment.heard;
            }
            if let Some(closed) = moment.closed.filter(here) {
                self.open.retain(|other| other.session != closed);
                self.start.remove(&closed);
            }
            for (session, told) in moment.told.iter().filter(|(session, _)| here(session)) {
                heard = moment.heard;
                note(&mut self.start, *session, told);
            }
        }
        heard
    }
}

/// Notes from where a session hears the guild, as its partition does.
pub(super) fn note(start: &mut BTreeMap<SessionRef, u64>, session: SessionRef, told: &[Told]) {
    for told in told {
        match told {
            Told::Subscribed { gseq, .. } => start.insert(session, *gseq),
            Told::Unsubscribed => start.remove(&session),
            _ => None,
        };
    }
}
