//! Guilds and their channels on the owner: requests are decided one after the other by the real
//! machines.

use std::collections::{BTreeMap, VecDeque};

use guildhall_model::channel::Channel;
use guildhall_model::command::{ChannelCommand, Draft, GuildCommand};
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::{Message, Place};
use guildhall_model::rejection::Noun;
use guildhall_model::{
    ChannelId, GuildId, MessageId, Permissions, Rejection, Timestamp, UserId, limits,
};
use guildhall_state::Mint;
use guildhall_state::channel::{ChannelState, Posted, Window, Writer};
use guildhall_state::guild::GuildState;

use super::events::Submission;
use super::{Node, Wait};
use crate::simulation::env::Env;
use crate::simulation::scenario::Weakness;

/// Requests that wait for a guild's rows.
const WAITING_MAX: usize = 64;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub(in crate::simulation) enum Ask {
    Command(GuildCommand),
    Write(ChannelId, ChannelCommand),
    Read(ChannelId),
}

/// A request with the way back.
#[derive(Clone, Debug)]
pub(in crate::simulation) struct Request {
    pub(in crate::simulation) actor: usize,
    pub(in crate::simulation) call: u64,
    pub(in crate::simulation) user: UserId,
    pub(in crate::simulation) guild: GuildId,
    pub(in crate::simulation) ask: Ask,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(in crate::simulation) struct Response {
    pub(in crate::simulation) status: u16,
    pub(in crate::simulation) message: Option<MessageId>,
}

impl Response {
    pub(super) const fn failed() -> Self {
        Self {
            status: 503,
            message: None,
        }
    }

    const fn done(message: Option<MessageId>) -> Self {
        Self {
            status: 200,
            message,
        }
    }

    const fn refused(rejection: &Rejection) -> Self {
        let status = match rejection {
            Rejection::Unknown(_) => 404,
            Rejection::Overloaded => 503,
            _ => 403,
        };
        Self {
            status,
            message: None,
        }
    }
}

/// A guild with its channels, as its owner knows it.
#[derive(Debug)]
pub(super) struct GuildHouse {
    state: GuildState,
    /// The place of the stream's last event.
    last: u64,
    rooms: BTreeMap<ChannelId, Room>,
    /// A command whose rows are being committed: the stream's head is held.
    committing: Option<(Request, Vec<Record>)>,
    waiting: VecDeque<Request>,
}

#[derive(Debug)]
struct Room {
    id: ChannelId,
    channel: ChannelState,
    /// Until then the nonces of a former owner may still be repeated.
    nonces_known_after: i64,
}

impl GuildHouse {
    pub(super) fn refuse_all(self, env: &mut Env) {
        let committing = self.committing.map(|(request, _)| request);
        for request in self.waiting.into_iter().chain(committing) {
            env.respond((request.actor, request.call), Response::failed());
        }
    }

    fn writer(&self, user: UserId, channel: &Channel, now: Timestamp) -> Result<Writer, Rejection> {
        let standing = self.state.standing(user, now);
        let standing = standing.ok_or(Rejection::Unknown(Noun::Channel))?;
        let access = standing.in_channel(&channel.overwrites);
        if !access.contains(Permissions::VIEW_CHANNEL) {
            return Err(Rejection::Unknown(Noun::Channel));
        }
        Ok(Writer {
            user_id: user,
            access,
            member: self.state.member(user).cloned(),
            mentionable: Vec::new(),
        })
    }
}

/// What a request leads to.
enum Decided {
    /// The answer, once everything before it is stable.
    Already(Response),
    /// A record of the channel, with the answer once it is stable.
    Event(Box<Event>, Response),
    /// Rows and records.
    Rows(Vec<Event>),
}

impl Node {
    pub(super) fn request(&mut self, env: &mut Env, request: Request) {
        let caller = (request.actor, request.call);
        let number = env.partition_of(request.guild);
        let Some(part) = self.events.get_mut(&number) else {
            return env.respond(caller, Response::failed());
        };
        let has_place = part.has_place();
        let Some(house) = part.house(env, number, request.guild) else {
            return env.respond(caller, Response::failed());
        };
        if house.committing.is_some() {
            if house.waiting.len() < WAITING_MAX {
                house.waiting.push_back(request);
            } else {
                env.respond(caller, Response::failed());
            }
            return;
        }
        if !has_place {
            return env.respond(caller, Response::failed());
        }
        self.decide(env, number, request);
    }

    fn decide(&mut self, env: &mut Env, number: u16, request: Request) {
        let now = env.clock(self.skew_ms);
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        let is_idle = part.is_idle();
        let Some(house) = part.guilds.get_mut(&request.guild) else {
            return;
        };
        let mut mint = Mint {
            now,
            ids: &mut self.ids,
        };
        let decided = house.decide(env, &request, is_idle, &mut mint);
        let caller = (request.actor, request.call);
        match decided {
            Err(rejection) => {
                let answer = Some((caller, Response::refused(&rejection)));
                let records = Vec::new();
                self.submit(env, number, Submission { records, answer });
            }
            Ok(Decided::Already(response)) => {
                let answer = Some((caller, response));
                let records = Vec::new();
                self.submit(env, number, Submission { records, answer });
            }
            Ok(Decided::Event(event, response)) => {
                let records = house.records(request.guild, now, vec![*event]);
                house.last += 1;
                let answer = Some((caller, response));
                self.submit(env, number, Submission { records, answer });
            }
            Ok(Decided::Rows(events)) => {
                let guild = request.guild;
                let records = house.records(guild, now, events);
                house.committing = Some((request, records.clone()));
                let epoch = part.epoch;
                let waiter = self.wait(env, Wait::Rows(number, guild));
                env.commit(number, epoch, records, waiter);
            }
        }
    }

    /// The rows are committed, or a later owner has written.
    pub(super) fn committed(&mut self, env: &mut Env, number: u16, guild: GuildId, done: bool) {
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        let Some(house) = part.guilds.get_mut(&guild) else {
            return;
        };
        if !done {
            if let Some(house) = part.guilds.remove(&guild) {
                house.refuse_all(env);
            }
            return;
        }
        let Some((request, records)) = house.committing.take() else {
            return;
        };
        for record in &records {
            house.state.apply(record);
            house.last = record.gseq;
        }
        let waiting = std::mem::take(&mut house.waiting);
        let answer = Some(((request.actor, request.call), Response::done(None)));
        self.submit(env, number, Submission { records, answer });
        for request in waiting {
            self.request(env, request);
        }
    }
}

impl super::EventPart {
    /// A guild, loaded if need be.
    fn house(&mut self, env: &Env, number: u16, guild: GuildId) -> Option<&mut GuildHouse> {
        if !self.guilds.contains_key(&guild) {
            // Whoever loads a guild has to know everything that was decided before.
            if !self.is_idle() {
                return None;
            }
            let rows = env.store.guilds.get(&guild)?;
            let source = Source::Guild(guild);
            let projected = env.store.messages.last_gseq(source);
            let state = rows.state.clone();
            debug_assert_eq!(number, env.partition_of(guild));
            let house = GuildHouse {
                last: state.gseq().max(projected),
                state,
                rooms: BTreeMap::new(),
                committing: None,
                waiting: VecDeque::new(),
            };
            self.guilds.insert(guild, house);
        }
        self.guilds.get_mut(&guild)
    }
}

impl GuildHouse {
    fn records(&self, guild: GuildId, at: Timestamp, events: Vec<Event>) -> Vec<Record> {
        let source = Source::Guild(guild);
        let placed = (self.last + 1..).zip(events);
        placed
            .map(|(gseq, event)| Record {
                source,
                gseq,
                at,
                event,
            })
            .collect()
    }

    fn decide(
        &mut self,
        env: &Env,
        request: &Request,
        is_idle: bool,
        mint: &mut Mint<'_>,
    ) -> Result<Decided, Rejection> {
        match &request.ask {
            Ask::Command(command) => {
                let events = self.state.decide(request.user, command.clone(), mint)?;
                Ok(if events.is_empty() {
                    Decided::Already(Response::done(None))
                } else {
                    Decided::Rows(events)
                })
            }
            Ask::Read(channel) => {
                let channel = self.state.channel(*channel);
                let channel = channel.ok_or(Rejection::Unknown(Noun::Channel))?;
                self.writer(request.user, channel, mint.now)?;
                Ok(Decided::Already(Response::done(None)))
            }
            Ask::Write(channel, command) => {
                let channel = self.state.channel(*channel).cloned();
                let channel = channel.ok_or(Rejection::Unknown(Noun::Channel))?;
                let writer = self.writer(request.user, &channel, mint.now)?;
                let now = mint.now;
                let room = self
                    .rooms
                    .entry(channel.id)
                    .or_insert_with(|| Room::load(env, request.guild, channel.id, now));
                let decided = room.decide(env, &writer, command.clone(), is_idle, mint)?;
                if let Decided::Event(event, _) = &decided {
                    room.channel.apply(event);
                }
                Ok(decided)
            }
        }
    }
}

impl Room {
    fn load(env: &Env, guild: GuildId, id: ChannelId, now: Timestamp) -> Self {
        let asked = limits::RECENT_MESSAGES_MAX;
        let page = env.store.messages.page(id).take(asked).cloned().collect();
        let window = Window::over(page, asked);
        let age = i64::try_from(limits::NONCE_AGE_MS).expect("minutes");
        Self {
            id,
            channel: ChannelState::new(id, Place::guild(guild), window),
            nonces_known_after: now.plus_ms(age).0,
        }
    }

    fn find(&self, env: &Env, id: MessageId, is_idle: bool) -> Result<Message, Rejection> {
        let window = self.channel.window();
        if let Some(message) = window.get(id) {
            return Ok((**message).clone());
        }
        if window.covers(id) {
            return Err(Rejection::Unknown(Noun::Message));
        }
        // The store lags behind what is not stable yet.
        if !is_idle {
            return Err(Rejection::Overloaded);
        }
        let found = env.store.messages.get(id).cloned();
        found.ok_or(Rejection::Unknown(Noun::Message))
    }

    fn decide(
        &self,
        env: &Env,
        writer: &Writer,
        command: ChannelCommand,
        is_idle: bool,
        mint: &mut Mint<'_>,
    ) -> Result<Decided, Rejection> {
        let event = match command {
            ChannelCommand::Post(draft) => return self.post(env, writer, *draft, mint),
            ChannelCommand::Edit(id, edit) => {
                let message = self.find(env, id, is_idle)?;
                ChannelState::edit(&message, writer, *edit, Vec::new(), mint)?
            }
            ChannelCommand::Delete(id) => {
                let message = self.find(env, id, is_idle)?;
                Some(self.channel.delete(&message, writer)?)
            }
            ChannelCommand::React(id, given) => {
                let message = self.find(env, id, is_idle)?;
                // Who gave what is known to the store alone, which lags behind.
                if !is_idle {
                    return Err(Rejection::Overloaded);
                }
                let messages = &env.store.messages;
                let has_it = messages.has_reaction(id, writer.user_id, &given.emoji);
                self.channel.react(&message, writer, given, has_it)?
            }
            // Nobody here asks for them.
            ChannelCommand::Unreact(..)
            | ChannelCommand::DeleteMany(_)
            | ChannelCommand::Purge(_)
            | ChannelCommand::ClearReactions(..)
            | ChannelCommand::Pin(..)
            | ChannelCommand::Interact(_)
            | ChannelCommand::Respond(..)
            | ChannelCommand::Unpin(_) => None,
        };
        let response = Response::done(None);
        Ok(match event {
            Some(event) => Decided::Event(Box::new(event), response),
            None => Decided::Already(response),
        })
    }

    fn post(
        &self,
        env: &Env,
        writer: &Writer,
        draft: Draft,
        mint: &mut Mint<'_>,
    ) -> Result<Decided, Rejection> {
        let is_young = mint.now.0 < self.nonces_known_after && !env.is_weak(Weakness::Nonce);
        let messages = &env.store.messages;
        let former = draft
            .nonce
            .as_ref()
            .filter(|_| is_young)
            .and_then(|nonce| messages.by_nonce(self.id, writer.user_id, nonce));
        let posted = self.channel.post(writer, draft, mint)?;
        Ok(match (posted, former) {
            (Posted::Repeat(id), _) | (Posted::New(_), Some(id)) => {
                Decided::Already(Response::done(Some(id)))
            }
            (Posted::New(message), None) => {
                let id = message.id;
                let event = Event::MessageCreated(message);
                Decided::Event(Box::new(event), Response::done(Some(id)))
            }
        })
    }
}
