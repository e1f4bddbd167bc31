//! A guild, its owner's node with a relay that may lag behind it, and sessions that come and go.

use std::collections::BTreeMap;

use guildhall_model::dispatch::{Dispatch, Shard, Viewer};
use guildhall_model::event::{Event, Record};
use guildhall_model::intent::Intents;
use guildhall_model::{GuildId, SessionPartition};
use proptest::prelude::*;

use super::super::{Receivers, Relay, SessionRef, Sessions as _, Step, Steps, Subscriber};
use super::model::{Model, Moment, ToldBySession, Unheard, note};
use super::oracle::Told;
use crate::guild::GuildState;
use crate::scene::{CAST, Dice, Scene, dice, id};

/// How many session partitions the node has.
pub(super) const PARTITIONS: u16 = 3;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Command(Dice),
    Post(u64, usize),
    Hear(usize),
    Open(u64, u16, Option<Intents>, Shard),
    Close(usize),
}

pub(super) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let intents = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Intents::all())),
        1 => Just(Some(Intents::GUILDS)),
        1 => Just(Some(Intents::GUILD_MESSAGES | Intents::GUILD_INVITES)),
        1 => Just(Some(Intents::all() - Intents::PRIVILEGED)),
    ];
    let shard = prop_oneof![
        6 => Just(Shard::WHOLE),
        1 => (0_u32..2).prop_map(|index| Shard { index, count: 2 }),
    ];
    let op = prop_oneof![
        8 => dice().prop_map(Op::Command),
        3 => (CAST, 0_usize..8).prop_map(|(author, channel)| Op::Post(author, channel)),
        6 => (1_usize..6).prop_map(Op::Hear),
        4 => (CAST, 0..PARTITIONS, intents, shard)
            .prop_map(|(user, partition, intents, shard)| Op::Open(user, partition, intents, shard)),
        1 => (0_usize..8).prop_map(Op::Close),
    ];
    prop::collection::vec(op, 1..60)
}

pub(super) struct World {
    scene: Scene,
    /// The guild after each place of its stream.
    states: Vec<GuildState>,
    pub(super) relay: Relay,
    pub(super) model: Model,
    heard: u64,
    slots: u32,
    timeline: Vec<Moment>,
}

impl World {
    /// Nobody has heard anything yet of a guild with some members.
    pub(super) fn new() -> Self {
        let scene = Scene::peopled();
        let mut world = Self {
            states: Vec::new(),
            scene,
            relay: Relay::default(),
            model: Model::default(),
            heard: 0,
            slots: 0,
            timeline: Vec::new(),
        };
        let founding = Scene::new().state;
        world.states.extend([founding.clone(), founding]);
        world.note_states();
        world
    }

    fn note_states(&mut self) {
        for record in &self.scene.history[self.states.len() - 1..] {
            let mut state = self.states.last().unwrap().clone();
            state.apply(record);
            self.states.push(state);
        }
    }

    pub(super) fn play(&mut self, op: &Op) -> Result<(), TestCaseError> {
        match op {
            Op::Command(dice) => {
                let command = dice.command(&self.scene.state);
                let _ = self.scene.attempt(dice.actor, command);
            }
            Op::Post(author, which) => self.post(*author, *which),
            Op::Hear(n) => {
                for _ in 0..*n {
                    self.hear_next()?;
                }
            }
            &Op::Open(user, partition, intents, shard) => {
                self.open(user, partition, intents, shard)?;
            }
            Op::Close(which) => self.close(*which),
        }
        self.note_states();
        Ok(())
    }

    fn post(&mut self, author: u64, which: usize) {
        let channels: Vec<_> = self
            .scene
            .state
            .channels()
            .map(|channel| channel.id)
            .collect();
        if let Some(&channel) = channels.get(which % channels.len().max(1)) {
            let message = self.scene.message(author, channel);
            self.scene.append(message);
        }
    }

    pub(super) fn hear_all(&mut self) -> Result<(), TestCaseError> {
        while self.heard < self.scene.state.gseq() {
            self.hear_next()?;
        }
        Ok(())
    }

    fn hear_next(&mut self) -> Result<(), TestCaseError> {
        let Some(record) = self.scene.history.get(usize::try_from(self.heard).unwrap()) else {
            return Ok(());
        };
        self.heard = record.gseq;
        let present = &self.scene.state;
        let is_news = |_| true;
        let unheard = self.model.unheard(&is_news);
        let steps = hear(&mut self.relay, record, &unheard, present);
        let told = by_session(steps, record.gseq);
        let expected = self
            .model
            .hear(record, &self.states, present.gseq(), &is_news);
        prop_assert_eq!(&told, &expected, "of {:?}", record);
        self.note(None, None, told);
        Ok(())
    }

    fn note(
        &mut self,
        opened: Option<Subscriber>,
        closed: Option<SessionRef>,
        told: ToldBySession,
    ) {
        let heard = self.heard;
        self.timeline.push(Moment {
            heard,
            opened,
            closed,
            told,
        });
    }

    fn open(
        &mut self,
        user: u64,
        partition: u16,
        intents: Option<Intents>,
        shard: Shard,
    ) -> Result<(), TestCaseError> {
        self.slots += 1;
        let subscriber = Subscriber {
            session: SessionRef {
                partition: SessionPartition(partition),
                slot: self.slots,
            },
            viewer: Viewer {
                intents,
                ..Viewer::person(id(user))
            },
            shard,
        };
        self.model.open.push(subscriber);
        let mut expected = ToldBySession::new();
        let mut steps = Steps::new();
        // As a node does: whom the store calls a member is subscribed.
        if self.scene.state.member(id(user)).is_some() && !self.scene.state.is_deleted() {
            if !self.relay.follows(self.guild_id()) {
                self.relay.follow(self.scene.state.clone());
            }
            steps = self.relay.subscribe(self.guild_id(), subscriber);
            self.model.at.get_or_insert(self.scene.state.gseq());
            self.model
                .subscribe(subscriber, &self.states, &mut expected);
            self.model.let_go();
        }
        let told = by_session(steps, 0);
        prop_assert_eq!(&told, &expected);
        self.note(Some(subscriber), None, told);
        Ok(())
    }

    fn close(&mut self, which: usize) {
        if self.model.open.is_empty() {
            return;
        }
        let place = which % self.model.open.len();
        let closed = self.model.open.remove(place).session;
        self.relay.forget(self.guild_id(), closed);
        self.model.start.remove(&closed);
        self.model.let_go();
        self.note(None, Some(closed), ToldBySession::new());
    }

    pub(super) fn guild_id(&self) -> GuildId {
        self.scene.state.guild().id
    }

    /// A successor finds of each session partition only what was stable at its cut, in thousandths
    /// of what has happened, and hears the tail again. What each session is told from there on is what the oracle says.
    pub(super) fn take_over(&self, cuts: &[usize], slack: u64) -> Result<(), TestCaseError> {
        let mut model = Model::default();
        let mut heard = BTreeMap::new();
        for (partition, cut) in (0_u16..).zip(cuts) {
            let place = cut * (self.timeline.len() + 1) / 1_000;
            let stable = &self.timeline[..place];
            heard.insert(
                SessionPartition(partition),
                model.recover(SessionPartition(partition), stable),
            );
        }
        let listens = |p: &SessionPartition| model.open.iter().any(|s| s.session.partition == *p);
        let least = heard
            .iter()
            .filter(|(p, _)| listens(p))
            .map(|(_, &heard)| heard)
            .min();
        let from = least.unwrap_or_default().saturating_sub(slack);
        let tail = &self.scene.history[usize::try_from(from).unwrap()..];
        let mut relay = Relay::default();
        if !model.start.is_empty() {
            let mut state = self.scene.state.clone();
            for record in tail.iter().rev() {
                state.revert(record);
            }
            relay.follow(state);
            model.at = Some(from);
        }
        for subscriber in &model.open {
            if let Some(&after) = model.start.get(&subscriber.session) {
                relay.resubscribe(self.guild_id(), *subscriber, after);
            }
        }
        let mut start = model.start.clone();
        for record in tail {
            let present = &self.scene.state;
            let is_news = |partition| heard[&partition] < record.gseq;
            let steps = hear(&mut relay, record, &model.unheard(&is_news), present);
            let mut told = by_session(steps, record.gseq);
            let mut expected = model.hear(record, &self.states, present.gseq(), &is_news);
            told.retain(|session, _| is_news(session.partition));
            expected.retain(|session, _| is_news(session.partition));
            prop_assert_eq!(&told, &expected, "of {:?} from {}", record, from);
            for (session, told) in &told {
                note(&mut start, *session, told);
            }
        }
        prop_assert_eq!(
            start.into_keys().collect::<Vec<_>>(),
            self.hearers(&model.open)
        );
        Ok(())
    }

    /// The sessions that must hear the guild in the end: those of its members in its share.
    pub(super) fn hearers(&self, open: &[Subscriber]) -> Vec<SessionRef> {
        let state = &self.scene.state;
        let hears = |s: &&Subscriber| {
            let is_member = state.member(s.viewer.user_id).is_some();
            is_member && !state.is_deleted() && s.shard.has_guild(self.guild_id())
        };
        let mut hearers: Vec<_> = open.iter().filter(hears).map(|s| s.session).collect();
        hearers.sort_unstable();
        hearers
    }

    /// The sessions that do hear it.
    pub(super) fn subscribed(&self) -> Vec<SessionRef> {
        self.model.start.keys().copied().collect()
    }
}

/// What a relay's task does with one event.
fn hear(relay: &mut Relay, record: &Record, sessions: &Unheard<'_>, present: &GuildState) -> Steps {
    let guild_id = present.guild().id;
    let mut steps = Steps::new();
    if let Event::MemberJoined { member, .. } = &record.event {
        let joiners = sessions.of(member.user.id);
        if !joiners.is_empty() && !relay.follows(guild_id) && !present.is_deleted() {
            relay.follow(present.clone());
            for joiner in joiners {
                steps.extend(relay.subscribe(guild_id, joiner));
            }
        }
    }
    steps.extend(relay.hear(record, sessions));
    steps
}

fn by_session(steps: Steps, gseq: u64) -> ToldBySession {
    let mut all = ToldBySession::new();
    for (partition, step) in steps {
        let mut tell = |slot, told| {
            let session = SessionRef { partition, slot };
            all.entry(session).or_default().push(told);
        };
        let few = |slot| Receivers::Few(vec![slot]);
        let (receivers, told) = match step {
            Step::Event(receivers) => (receivers, Told::Event(gseq)),
            Step::Made(receivers, dispatch) => match &*dispatch {
                Dispatch::ChannelShown(channel) => (receivers, Told::Shown((**channel).clone())),
                Dispatch::ChannelHidden(channel) => (receivers, Told::Hidden((**channel).clone())),
                Dispatch::GuildGone(_) => (receivers, Told::Gone),
                other => panic!("a relay makes no such dispatch: {other:?}"),
            },
            Step::Subscribed {
                slot,
                gseq,
                announced,
                ..
            } => {
                let announced = announced.map(|dispatch| match &*dispatch {
                    Dispatch::GuildAvailable(snapshot) => snapshot.clone(),
                    other => panic!("a subscription is announced by GUILD_CREATE: {other:?}"),
                });
                (few(slot), Told::Subscribed { gseq, announced })
            }
            Step::Unsubscribed { slot, .. } => (few(slot), Told::Unsubscribed),
        };
        receivers.for_each(|slot| tell(slot, told.clone()));
    }
    all
}
