//! The actor of a channel: decides what is written into it, one after the other.

mod decide;
mod handle;
mod read;
mod respond;

use std::sync::Arc;

use guildhall_model::audit::By;
use guildhall_model::channel::ChannelKind;
use guildhall_model::command::ChannelCommand;
use guildhall_model::event::{Event, Source};
use guildhall_model::message::{Anchor, Place};
use guildhall_model::rejection::Noun;
use guildhall_model::{
    ChannelId, Permissions, Position, Rejection, Timestamp, UserId, WebhookId, limits,
};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::guilds::Home;
use guildhall_state::channel::{ChannelState, Window, Writer};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tracing::{debug, warn};

use super::EventPartition;
use super::guild_actor::GuildShared;
use crate::error::Refused;
use crate::event_log::Stable;
use crate::mailbox::{Envelope, Mailbox};
use crate::node::{Inner, Node, Written};
use crate::stream::{Head, Stream};
use crate::writer::Writer as LogWriter;
use decide::{Decided, decide, written};
pub(crate) use handle::ChannelHandle;
use handle::{Ask, Reply};
use read::answer_when_stable;

/// Where the channel belongs, with what decides who may write.
enum Owner {
    Guild(Arc<GuildShared>),
    Direct {
        users: [UserId; 2],
        stream: Arc<Stream>,
    },
}

/// A channel as its actor knows it.
pub(crate) struct Room {
    id: ChannelId,
    owner: Owner,
    partition: Arc<EventPartition>,
    log: LogWriter,
    /// The log took nothing when the channel was loaded: all that it knows is stable, and there
    /// will be nothing more.
    is_for_reading: bool,
    channel: ChannelState,
    /// Until then nonces may be repeated that this node has not heard of.
    nonces_known_after: Timestamp,
}

/// Loads a channel and starts its actor.
pub(crate) async fn load(
    node: Node,
    partition: Arc<EventPartition>,
    id: ChannelId,
    home: Home,
) -> Result<Option<ChannelHandle>, Failure> {
    let inner = &node.inner;
    let source = match home {
        Home::Guild(guild_id) => Source::Guild(guild_id),
        Home::Direct(_) => Source::Direct(id),
    };
    let log = partition.writer();
    let is_for_reading = !log.is_working();
    let (owner, place) = match home {
        Home::Guild(guild_id) => {
            let Some(guild) = partition.guild(&node, guild_id).await? else {
                return Ok(None);
            };
            if guild.shared.state.read().channel(id).is_none() {
                return Ok(None);
            }
            if !guild.shared.writer.is_same(&log) {
                return Err(Failure::unavailable(
                    "the channel",
                    "its log has just changed",
                ));
            }
            (Owner::Guild(guild.shared), Place::guild(guild_id))
        }
        Home::Direct(direct) => {
            let stream = if is_for_reading {
                Stream::new(source, 0)
            } else {
                partition.stream(inner, source).await?
            };
            (
                Owner::Direct {
                    users: direct.users,
                    stream,
                },
                Place::Direct(direct.users),
            )
        }
    };
    let end = if is_for_reading {
        log.readable().await?
    } else {
        log.barrier().await?
    };
    let (channel, nonces_known_after) = known(inner, &partition, (id, place), end).await?;
    let room = Room {
        id,
        owner,
        partition,
        log: log.clone(),
        is_for_reading,
        channel,
        nonces_known_after,
    };
    let stream = Arc::clone(room.stream());
    let (actor, _) = Actor::spawn(None, ChannelActor { node: node.clone() }, room)
        .await
        .map_err(|error| Failure::unavailable("channel actor", error))?;
    Ok(Some(ChannelHandle {
        id,
        mailbox: Mailbox::new(actor, limits::MAILBOX_MAX),
        stream,
        log,
    }))
}

/// A channel as it can be known at this place of the log, and from when on all of its nonces are.
async fn known(
    inner: &Inner,
    partition: &EventPartition,
    (id, place): (ChannelId, Place),
    end: Position,
) -> Result<(ChannelState, Timestamp), Failure> {
    let (window, tail) = match recent(inner, partition, end, id).await {
        // What is posted from now on needs no history.
        Err(failure @ Failure::Unavailable { .. }) => {
            debug!(channel.id = %id, %failure, "a channel begins without its history");
            (Window::default(), Vec::new())
        }
        recent => recent?,
    };
    let heard = inner.heard(partition.number);
    let mut channel = ChannelState::new(id, place, window);
    // What lies behind that place may have been heard of, and its messages be nowhere yet.
    for used in heard.of(id, end) {
        channel.spend(used);
    }
    let channel = recall(channel, id, &tail);
    let nonces_known_after = heard.known_after(partition.has_made(id), inner.env.now());
    Ok((channel, nonces_known_after))
}

/// The newest messages in the store, and what is stable and not in it.
async fn recent(
    inner: &Inner,
    partition: &EventPartition,
    end: Position,
    id: ChannelId,
) -> Result<(Window, Vec<Stable>), Failure> {
    let asked = limits::RECENT_MESSAGES_MAX;
    let limit = u16::try_from(asked).unwrap_or(u16::MAX);
    let page = || inner.stores.messages.page(id, Anchor::Newest, limit);
    let (page, tail) = partition.with_unprojected(inner, end, page).await?;
    Ok((Window::over(page, asked), tail))
}

/// The channel after the tail, whose events are also those of other channels.
fn recall(mut channel: ChannelState, id: ChannelId, tail: &[Stable]) -> ChannelState {
    for stable in tail {
        match &stable.record.event {
            Event::MessageCreated(message) if message.channel_id != id => {}
            event => channel.apply(event),
        }
    }
    channel
}

struct ChannelActor {
    node: Node,
}

impl Actor for ChannelActor {
    type Msg = Envelope<Ask>;
    type State = Room;
    type Arguments = Room;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        room: Room,
    ) -> Result<Room, ActorProcessingErr> {
        Ok(room)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        envelope: Envelope<Ask>,
        room: &mut Room,
    ) -> Result<(), ActorProcessingErr> {
        if room.stream().is_over() {
            // Dropping the message says that the actor is being restarted.
            warn!(channel.id = %room.id, "a channel's actor restarts after its guild's");
            myself.stop(Some("the guild's actor has restarted".to_owned()));
            return Ok(());
        }
        match envelope.message {
            Ask::Write { by, command, reply } => {
                if let Err((refused, reply)) = self.write(room, by, command, reply).await {
                    let is_failure = matches!(refused, Refused::Failure(_));
                    let _ = reply.send(Err(refused));
                    if is_failure && (!room.log.is_working() || room.stream().is_over()) {
                        warn!(channel.id = %room.id, "a channel's actor restarts from the log");
                        myself.stop(Some("the events log refused".to_owned()));
                    }
                }
            }
            Ask::Page {
                reader,
                anchor,
                limit,
                reply,
            } => {
                self.page(room, reader, (anchor, limit), reply);
            }
            Ask::Pins {
                reader,
                before,
                limit,
                reply,
            } => {
                self.pins(room, reader, (before, limit), reply);
            }
            Ask::Get { reader, id, reply } => {
                let found = match room.writer(reader, self.node.inner.env.now()) {
                    Ok(writer) if writer.access.contains(Permissions::VIEW_CHANNEL) => {
                        self.find_for(room, reader, id).await
                    }
                    _ => Err(Rejection::Unknown(Noun::Message).into()),
                };
                let _ = reply.send(found);
            }
        }
        Ok(())
    }
}

impl Room {
    /// The actor in this channel, by the guild's state at this moment. Who is no member may be one
    /// of the channel's webhooks.
    fn writer(&self, user: UserId, now: Timestamp) -> Result<Writer, Rejection> {
        let unknown = Rejection::Unknown(Noun::Channel);
        match &self.owner {
            Owner::Direct { users, .. } if users.contains(&user) => Ok(Writer::direct(user)),
            Owner::Direct { .. } => Err(unknown),
            Owner::Guild(guild) => {
                let state = guild.state.read();
                let channel = state.channel(self.id).ok_or(unknown.clone())?;
                let Some(standing) = state.standing(user, now) else {
                    let webhook = WebhookId::new(user.get()).and_then(|id| state.webhook(id));
                    let webhook = webhook.filter(|webhook| webhook.channel_id == self.id);
                    let roles = state.roles().map(|role| role.id).collect();
                    return Ok(Writer::webhook(webhook.ok_or(unknown)?.id, roles));
                };
                let access = standing.in_channel(&channel.overwrites);
                let is_seen = access.contains(Permissions::VIEW_CHANNEL);
                if is_seen && channel.kind == ChannelKind::Category {
                    return Err(Rejection::NoMessages);
                }
                let all = access.contains(Permissions::MENTION_EVERYONE);
                let mentionable = state.roles().filter(|role| all || role.mentionable);
                Ok(Writer {
                    user_id: user,
                    access,
                    member: state.member(user).cloned(),
                    mentionable: mentionable.map(|role| role.id).collect(),
                })
            }
        }
    }

    /// As [`Self::writer`]; an application's answer needs nothing that its bot may lack, and who may
    /// ban needs nothing else.
    fn writer_for(
        &self,
        user: UserId,
        now: Timestamp,
        command: &ChannelCommand,
    ) -> Result<Writer, Rejection> {
        match command {
            ChannelCommand::Respond(..) => Ok(self.writer(user, now)?.answering()),
            ChannelCommand::Purge(_) => self.purging(user, now),
            _ => self.writer(user, now),
        }
    }

    fn purging(&self, user: UserId, now: Timestamp) -> Result<Writer, Rejection> {
        let unknown = Rejection::Unknown(Noun::Channel);
        let Owner::Guild(guild) = &self.owner else {
            return Err(unknown);
        };
        let state = guild.state.read();
        let standing = state.standing(user, now).ok_or(unknown)?;
        Writer::purging(user, standing.in_guild())
    }

    fn stream(&self) -> &Arc<Stream> {
        match &self.owner {
            Owner::Guild(guild) => &guild.stream,
            Owner::Direct { stream, .. } => stream,
        }
    }
}

impl ChannelActor {
    async fn write(
        &self,
        room: &mut Room,
        by: By,
        command: ChannelCommand,
        reply: Reply<Written>,
    ) -> Result<(), (Refused, Reply<Written>)> {
        let now = self.node.inner.env.now();
        macro_rules! attempt {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(error) => return Err((Refused::from(error), reply)),
                }
            };
        }
        // Who may not even look learns nothing, not even whether the message exists.
        let looks = attempt!(room.writer_for(by.user_id, now, &command));
        if !looks.access.contains(Permissions::VIEW_CHANNEL) {
            return Err((Rejection::Unknown(Noun::Channel).into(), reply));
        }
        let subject = attempt!(self.subject(room, by.user_id, &command).await);
        let stream = Arc::clone(room.stream());
        let log = room.log.clone();
        let place = attempt!(log.place());
        let mut head: Head<'_> = attempt!(stream.head().await);
        let writer = attempt!(room.writer_for(by.user_id, now, &command));
        let decided = self.node.inner.minting(now, |mint| {
            decide(&room.channel, (&writer, &by), command, subject, mint)
        });
        match attempt!(decided) {
            Decided::Already(written) => {
                drop(place);
                drop(head);
                answer_when_stable(room, written, reply);
            }
            Decided::Events(events) => {
                for event in &events {
                    room.channel.apply(event);
                }
                let written = written(&room.channel, events.first());
                let records = head.records(now, events);
                head.advance(&records);
                crash::pass(Point::ChannelDecided);
                place.submit(
                    records,
                    Box::new(move |stable| {
                        let _ = reply.send(stable.map(|()| written).map_err(Refused::from));
                    }),
                );
            }
        }
        Ok(())
    }
}
