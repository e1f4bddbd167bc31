//! The actor of a channel: decides what is written into it, one after the other.

use std::sync::Arc;

use guildhall_model::command::{ChannelCommand, Draft};
use guildhall_model::event::{Event, Source};
use guildhall_model::message::{Anchor, Emoji, Message, Place};
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, MessageId, Permissions, Rejection, UserId, limits};
use guildhall_ports::Failure;
use guildhall_ports::guilds::Home;
use guildhall_state::Mint;
use guildhall_state::channel::{ChannelState, Posted, Window, Writer, mentioned_users};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tracing::warn;

use super::EventPartition;
use super::guild_actor::GuildShared;
use crate::error::Refused;
use crate::mailbox::{Envelope, Mailbox};
use crate::node::{Node, Written};
use crate::stream::{Head, Stream};

/// The way to a channel's actor.
#[derive(Clone)]
pub(crate) struct ChannelHandle {
    mailbox: Mailbox<Ask>,
}

type Reply<T> = oneshot::Sender<Result<T, Refused>>;

/// A request with the way back.
pub(crate) enum Ask {
    Write {
        actor: UserId,
        command: ChannelCommand,
        reply: Reply<Written>,
    },
    Page {
        reader: UserId,
        anchor: Anchor,
        limit: u16,
        reply: Reply<Vec<Arc<Message>>>,
    },
    Get {
        reader: UserId,
        id: MessageId,
        reply: Reply<Arc<Message>>,
    },
}

impl ChannelHandle {
    pub(crate) async fn write(
        &self,
        actor: UserId,
        command: ChannelCommand,
    ) -> Result<Written, Refused> {
        self.mailbox
            .ask(|reply| Ask::Write {
                actor,
                command,
                reply,
            })
            .await
    }

    pub(crate) async fn page(
        &self,
        reader: UserId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.mailbox
            .ask(|reply| Ask::Page {
                reader,
                anchor,
                limit,
                reply,
            })
            .await
    }

    pub(crate) async fn get(&self, reader: UserId, id: MessageId) -> Result<Arc<Message>, Refused> {
        self.mailbox
            .ask(|reply| Ask::Get { reader, id, reply })
            .await
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.mailbox.is_alive()
    }

    pub(crate) async fn stop(&self, why: &str) {
        self.mailbox.stop(why).await;
    }
}

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
    channel: ChannelState,
    /// Until then the nonces of a former owner may still be repeated.
    nonces_known_after: i64,
}

/// Loads a channel and starts its actor.
pub(crate) async fn load(
    node: Node,
    id: ChannelId,
    home: Home,
) -> Result<Option<ChannelHandle>, Failure> {
    let inner = &node.inner;
    let (owner, place, source) = match home {
        Home::Guild(guild_id) => {
            let source = Source::Guild(guild_id);
            let partition = inner.event_partition(source);
            let Some(guild) = partition.guild(&node, guild_id).await? else {
                return Ok(None);
            };
            if guild.shared.state.read().channel(id).is_none() {
                return Ok(None);
            }
            (Owner::Guild(guild.shared), Place::guild(guild_id), source)
        }
        Home::Direct(direct) => {
            let source = Source::Direct(id);
            let stream = inner.event_partition(source).stream(inner, source).await?;
            (
                Owner::Direct {
                    users: direct.users,
                    stream,
                },
                Place::Direct(direct.users),
                source,
            )
        }
    };
    let partition = Arc::clone(inner.event_partition(source));
    let end = partition.writer().barrier().await?;
    partition.projection.wait(end).await?;
    let asked = limits::RECENT_MESSAGES_MAX;
    let limit = u16::try_from(asked).unwrap_or(u16::MAX);
    let page = inner
        .stores
        .messages
        .page(id, Anchor::Newest, limit)
        .await?;
    let channel = ChannelState::new(id, place, Window::over(page, asked));
    let age = i64::try_from(limits::NONCE_AGE_MS).unwrap_or(i64::MAX);
    let nonces_known_after = inner.env.now().plus_ms(age).0;
    let room = Room {
        id,
        owner,
        partition,
        channel,
        nonces_known_after,
    };
    let (actor, _) = Actor::spawn(None, ChannelActor { node: node.clone() }, room)
        .await
        .map_err(|error| Failure::unavailable("channel actor", error))?;
    Ok(Some(ChannelHandle {
        mailbox: Mailbox::new(actor, limits::MAILBOX_MAX),
    }))
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
        match envelope.message {
            Ask::Write {
                actor,
                command,
                reply,
            } => {
                if let Err((refused, reply)) = self.write(room, actor, command, reply).await {
                    let is_failure = matches!(refused, Refused::Failure(_));
                    let _ = reply.send(Err(refused));
                    if is_failure && !room.partition.writer().is_working() {
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
            Ask::Get { reader, id, reply } => {
                let found = match room.writer(reader, self.node.inner.env.now()) {
                    Ok(writer) if writer.access.contains(Permissions::VIEW_CHANNEL) => {
                        self.find(room, id).await
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
    /// The actor in this channel, by the guild's state at this moment.
    fn writer(&self, user: UserId, now: guildhall_model::Timestamp) -> Result<Writer, Rejection> {
        let unknown = Rejection::Unknown(Noun::Channel);
        match &self.owner {
            Owner::Direct { users, .. } if users.contains(&user) => Ok(Writer::direct(user)),
            Owner::Direct { .. } => Err(unknown),
            Owner::Guild(guild) => {
                let state = guild.state.read();
                let channel = state.channel(self.id).ok_or(unknown.clone())?;
                let standing = state.standing(user, now).ok_or(unknown)?;
                let access = standing.in_channel(&channel.overwrites);
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

    fn stream(&self) -> &Arc<Stream> {
        match &self.owner {
            Owner::Guild(guild) => &guild.stream,
            Owner::Direct { stream, .. } => stream,
        }
    }
}

/// What a decision leads to.
enum Decided {
    Event(Event),
    /// Everything is as asked already.
    Already(Written),
}

impl ChannelActor {
    async fn write(
        &self,
        room: &mut Room,
        actor: UserId,
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
        let looks = attempt!(room.writer(actor, now));
        if !looks.access.contains(Permissions::VIEW_CHANNEL) {
            return Err((Rejection::Unknown(Noun::Channel).into(), reply));
        }
        let subject = attempt!(self.subject(room, actor, &command).await);
        let stream = Arc::clone(room.stream());
        let partition = Arc::clone(&room.partition);
        let log = partition.writer();
        let place = attempt!(log.place());
        let mut head: Head<'_> = stream.head().await;
        let writer = attempt!(room.writer(actor, now));
        let decided = self.node.inner.minting(now, |mint| {
            decide(&room.channel, &writer, command, subject, mint)
        });
        match attempt!(decided) {
            Decided::Already(written) => {
                drop(place);
                drop(head);
                answer_when_stable(room, written, reply);
            }
            Decided::Event(event) => {
                room.channel.apply(&event);
                let written = written(&room.channel, &event);
                let records = head.records(now, vec![event]);
                head.advance(&records);
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

    /// What must be known beside the channel's own state. Only this actor changes the channel, so
    /// that it stays true until the decision.
    async fn subject(
        &self,
        room: &Room,
        actor: UserId,
        command: &ChannelCommand,
    ) -> Result<Subject, Refused> {
        match command {
            ChannelCommand::Post(draft) => self.subject_of_post(room, actor, draft).await,
            ChannelCommand::Edit(id, content) => {
                let message = self.find(room, *id).await?;
                let named = mentioned_users(content.as_str());
                let mentions = self.node.inner.stores.accounts.users(&named).await?;
                Ok(Subject {
                    mentions,
                    ..Subject::of(message)
                })
            }
            ChannelCommand::Delete(id) => Ok(Subject::of(self.find(room, *id).await?)),
            ChannelCommand::React(id, emoji) => {
                let message = self.find(room, *id).await?;
                let has_it = self.has_reaction(room, actor, *id, emoji).await?;
                Ok(Subject {
                    has_it,
                    ..Subject::of(message)
                })
            }
            ChannelCommand::Unreact(id, emoji, user) => {
                let message = self.find(room, *id).await?;
                let has_it = self.has_reaction(room, *user, *id, emoji).await?;
                Ok(Subject {
                    has_it,
                    ..Subject::of(message)
                })
            }
        }
    }

    async fn subject_of_post(
        &self,
        room: &Room,
        actor: UserId,
        draft: &Draft,
    ) -> Result<Subject, Refused> {
        let mut subject = Subject::default();
        if let Some(id) = draft.reply_to {
            let unknown = Rejection::field("reply_to", "unknown_message", "must be in the channel");
            let found = self.find(room, id).await;
            subject.message = Some(found.map_err(|refused| match refused {
                Refused::Rejection(_) => unknown.into(),
                failure @ Refused::Failure(_) => failure,
            })?);
        }
        let Some(nonce) = &draft.nonce else {
            return Ok(subject);
        };
        let inner = &self.node.inner;
        // A message that was deleted since does not free its nonce.
        let gone = || Rejection::Conflict("the nonce was used for a message that is deleted");
        subject.repeated = match room.channel.by_nonce(actor, nonce) {
            Some(id) => Some(self.find(room, id).await.map_err(|refused| match refused {
                Refused::Rejection(_) => gone().into(),
                failure @ Refused::Failure(_) => failure,
            })?),
            None if inner.env.now().0 < room.nonces_known_after => {
                let oldest = inner.oldest_nonce_message();
                let messages = &inner.stores.messages;
                let stored = messages.by_nonce(room.id, actor, nonce, oldest).await?;
                stored.map(Arc::new)
            }
            None => None,
        };
        Ok(subject)
    }

    /// A message of this channel, from memory or from the store.
    async fn find(&self, room: &Room, id: MessageId) -> Result<Arc<Message>, Refused> {
        let unknown = || Refused::from(Rejection::Unknown(Noun::Message));
        if let Some(message) = room.channel.window().get(id) {
            return Ok(Arc::clone(message));
        }
        if room.channel.window().covers(id) {
            return Err(unknown());
        }
        self.projected(room).await?;
        let message = self.node.inner.stores.messages.get(id).await?;
        let here = message.filter(|message| message.channel_id == room.id);
        here.map(Arc::new).ok_or_else(unknown)
    }

    async fn has_reaction(
        &self,
        room: &Room,
        user: UserId,
        message: MessageId,
        emoji: &Emoji,
    ) -> Result<bool, Failure> {
        self.projected(room).await?;
        let messages = &self.node.inner.stores.messages;
        let given = messages.reactions_by(user, &[message]).await?;
        Ok(given.iter().any(|(_, held)| held == emoji))
    }

    /// Waits until the store holds everything that was submitted so far.
    async fn projected(&self, room: &Room) -> Result<(), Failure> {
        let end = room.partition.writer().barrier().await?;
        room.partition.projection.wait(end).await
    }

    fn page(
        &self,
        room: &Room,
        reader: UserId,
        (anchor, limit): (Anchor, u16),
        reply: Reply<Vec<Arc<Message>>>,
    ) {
        let access = match room.writer(reader, self.node.inner.env.now()) {
            Ok(writer) if writer.access.contains(Permissions::VIEW_CHANNEL) => writer.access,
            _ => return drop(reply.send(Err(Rejection::Unknown(Noun::Channel).into()))),
        };
        if !access.contains(Permissions::READ_MESSAGE_HISTORY) {
            return drop(reply.send(Ok(Vec::new())));
        }
        if let Some(page) = room.channel.window().page(anchor, limit) {
            return answer_when_stable(room, page, reply);
        }
        let (partition, id) = (Arc::clone(&room.partition), room.id);
        let inner = Arc::clone(&self.node.inner);
        tokio::spawn(async move {
            let read = async {
                partition
                    .projection
                    .wait(partition.writer().barrier().await?)
                    .await?;
                inner.stores.messages.page(id, anchor, limit).await
            };
            let page = read
                .await
                .map(|page| page.into_iter().map(Arc::new).collect());
            let _ = reply.send(page.map_err(Refused::from));
        });
    }
}

/// What memory holds may not be stable yet; nobody reads what a crash could take back.
fn answer_when_stable<T: Send + 'static>(room: &Room, answer: T, reply: Reply<T>) {
    let partition = Arc::clone(&room.partition);
    if partition.writer().is_idle() {
        let _ = reply.send(Ok(answer));
        return;
    }
    tokio::spawn(async move {
        let stable = partition.writer().barrier().await;
        let _ = reply.send(stable.map(|_| answer).map_err(Refused::from));
    });
}

/// What a decision must know beside the channel's own state.
#[derive(Default)]
struct Subject {
    /// The message that is answered, edited, deleted or reacted to.
    message: Option<Arc<Message>>,
    /// The message that was posted with the same nonce.
    repeated: Option<Arc<Message>>,
    /// The reaction is there already.
    has_it: bool,
    /// Users that an edit names.
    mentions: Vec<guildhall_model::user::User>,
}

impl Subject {
    fn of(message: Arc<Message>) -> Self {
        Self {
            message: Some(message),
            ..Self::default()
        }
    }
}

fn decide(
    channel: &ChannelState,
    writer: &Writer,
    command: ChannelCommand,
    subject: Subject,
    mint: &mut Mint<'_>,
) -> Result<Decided, Rejection> {
    if let ChannelCommand::Post(draft) = command {
        if let Some(first) = subject.repeated {
            return Ok(Decided::Already(Written::Repeated(first)));
        }
        return match channel.post(writer, draft, mint)? {
            Posted::New(message) => Ok(Decided::Event(Event::MessageCreated(message))),
            // The first message was looked for before and is gone.
            Posted::Repeat(_) => Err(Rejection::Conflict("the nonce was used and deleted")),
        };
    }
    let Some(message) = subject.message else {
        return Err(Rejection::Unknown(Noun::Message));
    };
    let event = match command {
        ChannelCommand::Post(_) => None,
        ChannelCommand::Edit(_, content) => {
            ChannelState::edit(&message, writer, content, subject.mentions, mint)?
        }
        ChannelCommand::Delete(_) => Some(channel.delete(&message, writer)?),
        ChannelCommand::React(_, emoji) => {
            channel.react(&message, writer, emoji, subject.has_it)?
        }
        ChannelCommand::Unreact(_, emoji, user) => {
            Some(channel.unreact(&message, writer, user, emoji, subject.has_it)?)
        }
    };
    Ok(event.map_or(Decided::Already(Written::Message(message)), Decided::Event))
}

/// What the writer is told of its own event.
fn written(channel: &ChannelState, event: &Event) -> Written {
    match event {
        Event::MessageCreated(message) | Event::MessageUpdated(message) => {
            let held = channel.window().get(message.id).cloned();
            Written::Message(held.unwrap_or_else(|| Arc::new((**message).clone())))
        }
        _ => Written::Done,
    }
}
