//! A client of the gateway: it keeps one session alive, over every loss of its connection, and
//! writes down what it is told.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use guildhall_model::GuildId;
use guildhall_model::dispatch::Dispatch as Told;
use guildhall_model::emoji::Emoji;
use guildhall_model::event::Event;
use guildhall_model::message::{Message, Nonce};
use guildhall_state::session_partition::record::Slot;

use super::env::{Env, Happening, MS, SECOND, Time, ToNode, Wake};
use super::node::Node;
use super::store::Slice;
use crate::history::{Dispatch, Entry, Text, reaction_tag, tag_of};

/// How long an answer to IDENTIFY or RESUME may take.
const PATIENCE: Time = 6 * SECOND;

/// What RESUME names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) partition: u16,
    pub(super) slot: Slot,
    pub(super) secret: [u8; 16],
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = u128::from_le_bytes(self.secret);
        write!(out, "{}-{}-{secret:x}", self.partition, self.slot)
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let partition = parts.next()?.parse().ok()?;
        let slot = parts.next()?.parse().ok()?;
        let secret = u128::from_str_radix(parts.next()?, 16).ok()?.to_le_bytes();
        Some(Self {
            partition,
            slot,
            secret,
        })
    }
}

/// What a node sends to a client.
#[derive(Debug)]
pub(super) enum Packet {
    Dispatch(u32, Arc<Told>),
    Resumed(u32),
    /// Op 9.
    Invalid,
    Closed,
}

/// The session that is open.
#[derive(Debug)]
struct Session {
    name: Name,
    /// Guilds of READY that have not come yet.
    due: BTreeSet<GuildId>,
    is_settled: bool,
}

/// A client with its connection.
#[derive(Debug)]
pub(super) struct Client {
    number: usize,
    /// The connection: what comes on another one is not heard.
    pub(super) conn: u64,
    /// Where the connection ends.
    pub(super) node: Option<(usize, u32)>,
    conns: u64,
    session: Option<Session>,
    seq: u64,
    is_served: bool,
    asked_at: Time,
    /// How long it takes to take in a packet.
    pub(super) slowness: Time,
}

impl Client {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            conn: 0,
            node: None,
            conns: 0,
            session: None,
            seq: 0,
            is_served: false,
            asked_at: 0,
            slowness: MS / 2,
        }
    }

    /// It is told all that there is to tell, as far as it can know.
    pub(super) fn is_settled(&self) -> bool {
        self.is_served
            && self
                .session
                .as_ref()
                .is_some_and(|session| session.is_settled)
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn session(&self) -> Option<Name> {
        self.session.as_ref().map(|session| session.name)
    }

    /// Connects, if it is not connected, and gives up what leads nowhere.
    pub(super) fn wake(&mut self, env: &mut Env, nodes: &[Node]) {
        if self.node.is_some() {
            if self.is_served || env.now < self.asked_at + PATIENCE {
                return;
            }
            self.cut(env);
        }
        // Below the end of READY's guilds no RESUME is possible.
        self.session.take_if(|session| !session.due.is_empty());
        let Some(node) = self.choose(env, nodes) else {
            return env.after(SECOND / 2, Happening::Wake(Wake::Client(self.number)));
        };
        self.conns += 1;
        self.conn = self.number as u64 * 1_000_000 + self.conns;
        self.node = Some((node, nodes[node].life));
        self.is_served = false;
        self.asked_at = env.now;
        let client = u32::try_from(self.number).expect("few clients");
        env.tape.record(env.now, Entry::Connect { client });
        let (client_number, conn) = (self.number, self.conn);
        let greeting = if let Some(session) = &self.session {
            let (name, seq) = (session.name, self.seq);
            let entry = Entry::Resume {
                session: name.to_string().into(),
                seq,
            };
            env.tape.record(env.now, entry);
            ToNode::Resume {
                client: client_number,
                conn,
                session: name,
                seq,
            }
        } else {
            self.seq = 0;
            env.tape.record(env.now, Entry::Identify { client });
            ToNode::Identify {
                client: client_number,
                conn,
            }
        };
        env.send(node, nodes[node].life, greeting);
        env.after(PATIENCE, Happening::Wake(Wake::Client(self.number)));
    }

    /// The owner of its session most of the time, and anybody otherwise: who routes may be wrong.
    fn choose(&self, env: &mut Env, nodes: &[Node]) -> Option<usize> {
        let owner = self.session.as_ref().and_then(|session| {
            let owner = env.directory.owner(Slice::Session(session.name.partition));
            owner.map(|(node, _)| node)
        });
        let alive: Vec<usize> = (0..nodes.len()).filter(|&n| nodes[n].is_alive).collect();
        match owner.filter(|node| alive.contains(node)) {
            Some(owner) if env.rng.u8(0..4) > 0 => Some(owner),
            _ => env.rng.choice(alive),
        }
    }

    /// Loses its connection, and comes back a little later.
    pub(super) fn cut(&mut self, env: &mut Env) {
        let Some((node, life)) = self.node.take() else {
            return;
        };
        let client = u32::try_from(self.number).expect("few clients");
        let code = None;
        env.tape.record(env.now, Entry::Close { client, code });
        let conn = std::mem::take(&mut self.conn);
        self.is_served = false;
        env.send(node, life, ToNode::Gone { conn });
        let pause = env.rng.u64(5 * MS..SECOND);
        env.after(pause, Happening::Wake(Wake::Client(self.number)));
    }

    /// Forgets its session, as a program does that is started anew.
    pub(super) fn forget(&mut self, env: &mut Env) {
        self.end(env, false);
        self.session = None;
    }

    pub(super) fn take(&mut self, env: &mut Env, conn: u64, packet: Packet) {
        if conn != self.conn || self.node.is_none() {
            return;
        }
        match packet {
            Packet::Closed => return self.cut(env),
            Packet::Invalid => {
                if let Some(session) = self.session.take() {
                    let session = Some(session.name.to_string().into());
                    let resumable = false;
                    env.tape
                        .record(env.now, Entry::Invalid { session, resumable });
                }
                return self.cut(env);
            }
            Packet::Resumed(s) => {
                self.is_served = true;
                self.write_down(env, s, "RESUMED".into(), Gist::default());
            }
            Packet::Dispatch(s, told) => self.dispatch(env, s, &told),
        }
        if let Some((node, life)) = self.node {
            let pause = env.rng.u64(0..=self.slowness * 2);
            env.after(
                pause + MS / 5,
                Happening::Node(node, life, ToNode::Credit { conn }),
            );
        }
    }

    fn dispatch(&mut self, env: &mut Env, s: u32, told: &Told) {
        self.seq = s.into();
        env.tally.deliveries += 1;
        if let Told::Ready(ready) = told {
            let name = Name::parse(&ready.session_id).expect("nodes name sessions so");
            let entry = Entry::Open {
                client: u32::try_from(self.number).expect("few clients"),
                session: name.to_string().into(),
                user: ready.user.id.to_string().into(),
            };
            env.tape.record(env.now, entry);
            self.is_served = true;
            self.session = Some(Session {
                name,
                due: ready.guilds.iter().copied().collect(),
                is_settled: false,
            });
        }
        let (t, gist) = gist_of(told);
        self.write_down(env, s, t, gist);
        let Some(session) = &mut self.session else {
            return;
        };
        match told {
            Told::GuildAvailable(snapshot) => session.due.remove(&snapshot.guild.id),
            Told::GuildGone(guild) => session.due.remove(guild),
            _ => false,
        };
        if session.due.is_empty() && !session.is_settled {
            session.is_settled = true;
            let session = session.name.to_string().into();
            env.tape.record(env.now, Entry::Settle { session });
        }
    }

    fn write_down(&self, env: &mut Env, s: u32, t: Text<'static>, gist: Gist) {
        let name = self
            .session
            .as_ref()
            .map(|session| session.name.to_string());
        let Gist {
            channel,
            message,
            nonce,
            tag,
            shows,
        } = gist;
        let entry = Entry::Dispatch(Dispatch {
            session: name.unwrap_or_else(|| "-".to_owned()).into(),
            s: s.into(),
            t,
            channel: channel.map(Into::into),
            message: message.map(Into::into),
            nonce: nonce.map(Into::into),
            tag: tag.map(Into::into),
            shows: shows.into_iter().map(Into::into).collect(),
        });
        env.tape.record(env.now, entry);
    }

    /// The end of the run: it has been told everything, or nobody knows.
    pub(super) fn end(&self, env: &mut Env, is_over: bool) {
        let Some(session) = &self.session else {
            return;
        };
        let session: Text<'static> = session.name.to_string().into();
        let entry = if is_over {
            Entry::End { session }
        } else {
            Entry::Invalid {
                session: Some(session),
                resumable: false,
            }
        };
        env.tape.record(env.now, entry);
    }
}

/// What the history keeps of a dispatch.
#[derive(Debug, Default)]
struct Gist {
    channel: Option<String>,
    message: Option<String>,
    nonce: Option<String>,
    tag: Option<String>,
    shows: Vec<String>,
}

fn gist_of(told: &Told) -> (Text<'static>, Gist) {
    let mut gist = Gist::default();
    let t = match told {
        Told::Ready(_) => "READY",
        Told::GuildAvailable(snapshot) => {
            let channels = snapshot.channels.iter();
            gist.shows = channels.map(|channel| channel.id.to_string()).collect();
            "GUILD_CREATE"
        }
        Told::GuildGone(_) => "GUILD_DELETE",
        Told::ChannelShown(channel) => {
            gist.channel = Some(channel.id.to_string());
            "CHANNEL_CREATE"
        }
        Told::ChannelHidden(channel) => {
            gist.channel = Some(channel.id.to_string());
            "CHANNEL_DELETE"
        }
        Told::MembersChunk(_) => "GUILD_MEMBERS_CHUNK",
        Told::Presence { .. } => "PRESENCE_UPDATE",
        Told::Typing(_) => "TYPING_START",
        Told::Sounds(_) => "SOUNDBOARD_SOUNDS",
        Told::ChannelInfo(_) => "CHANNEL_INFO",
        Told::Event(record) => return (gist_of_event(&record.event, &mut gist).into(), gist),
    };
    (t.into(), gist)
}

fn gist_of_event(event: &Event, gist: &mut Gist) -> &'static str {
    match event {
        Event::MessageCreated(message) => {
            of_message(message, gist);
            "MESSAGE_CREATE"
        }
        Event::MessageUpdated(message) => {
            of_message(message, gist);
            "MESSAGE_UPDATE"
        }
        Event::MessageDeleted { id, channel_id, .. } => {
            gist.channel = Some(channel_id.to_string());
            gist.message = Some(id.to_string());
            "MESSAGE_DELETE"
        }
        Event::ReactionAdded(reaction) => {
            gist.channel = Some(reaction.channel_id.to_string());
            gist.message = Some(reaction.message_id.to_string());
            let user = reaction.user_id.to_string();
            gist.tag = match &reaction.emoji {
                Emoji::Standard(text) => Some(reaction_tag(&user, text)),
                Emoji::Custom(_) => None,
            };
            "MESSAGE_REACTION_ADD"
        }
        Event::ChannelUpdated(change) => {
            gist.channel = Some(change.after.id.to_string());
            "CHANNEL_UPDATE"
        }
        Event::GuildUpdated(_) => "GUILD_UPDATE",
        Event::RoleUpdated(_) => "GUILD_ROLE_UPDATE",
        Event::MemberJoined { .. } => "GUILD_MEMBER_ADD",
        Event::MemberUpdated(_) => "GUILD_MEMBER_UPDATE",
        Event::MemberRemoved { .. } => "GUILD_MEMBER_REMOVE",
        Event::BanAdded(_) => "GUILD_BAN_ADD",
        Event::BanRemoved(_) => "GUILD_BAN_REMOVE",
        _ => "OTHER",
    }
}

fn of_message(message: &Message, gist: &mut Gist) {
    gist.channel = Some(message.channel_id.to_string());
    gist.message = Some(message.id.to_string());
    gist.tag = tag_of(&message.content).map(str::to_owned);
    gist.nonce = message.nonce.as_ref().and_then(|nonce| match nonce {
        Nonce::Text(text) => Some(text.clone()),
        Nonce::Number(number) => Some(number.to_string()),
        Nonce::Interaction(_) => None,
    });
}
