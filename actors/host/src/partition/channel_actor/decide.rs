//! A decision of a channel's actor: what must be known for it, and what it leads to.

use std::sync::Arc;

use guildhall_model::audit::By;
use guildhall_model::command::{ChannelCommand, Draft, Edit};
use guildhall_model::event::Event;
use guildhall_model::message::Message;
use guildhall_model::rejection::Noun;
use guildhall_model::user::User;
use guildhall_model::{MessageId, Rejection, UserId};
use guildhall_ports::Failure;
use guildhall_ports::messages::NonceUse;
use guildhall_state::channel::{Answered, ChannelState, Posted, Writer, mentioned_users};
use guildhall_state::{Mint, audit};

use super::respond::respond;
use super::{ChannelActor, Room};
use crate::error::Refused;
use crate::node::Written;

/// What a decision leads to.
pub(super) enum Decided {
    /// At least one event, of which the first says what its writer is told.
    Events(Vec<Event>),
    /// Everything is as asked already.
    Already(Written),
}

impl ChannelActor {
    /// What must be known beside the channel's own state. Only this actor changes the channel, so
    /// that it stays true until the decision.
    pub(super) async fn subject(
        &self,
        room: &Room,
        actor: UserId,
        command: &ChannelCommand,
    ) -> Result<Subject, Refused> {
        match command {
            ChannelCommand::Post(draft) => self.subject_of_post(room, actor, draft).await,
            ChannelCommand::Edit(id, edit) => {
                let message = self.find(room, *id).await?;
                Ok(Subject {
                    mentions: self.named_by(edit).await?,
                    ..Subject::of(message)
                })
            }
            ChannelCommand::DeleteMany(ids) | ChannelCommand::Purge(ids) => Ok(Subject {
                present: self.present(room, ids).await?,
                ..Subject::default()
            }),
            ChannelCommand::Pin(id, _) | ChannelCommand::Unpin(id) => Ok(Subject {
                pins: self.all_pins(room).await?,
                ..Subject::of(self.find(room, *id).await?)
            }),
            ChannelCommand::Delete(id) | ChannelCommand::ClearReactions(id, _) => {
                Ok(Subject::of(self.find(room, *id).await?))
            }
            ChannelCommand::Interact(_) => Ok(Subject::default()),
            ChannelCommand::Respond(claim, response) => {
                self.subject_of_response(room, claim, response).await
            }
            ChannelCommand::React(id, given) => {
                let message = self.find(room, *id).await?;
                let has_it = self.has_reaction(room, actor, *id, &given.emoji).await?;
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

    /// The users that an edit names and may mention.
    pub(super) async fn named_by(&self, edit: &Edit) -> Result<Vec<User>, Failure> {
        let content = edit.content.as_ref().and_then(Option::as_ref);
        let mut named = content.map_or_else(Vec::new, |text| mentioned_users(text.as_str()));
        named.retain(|user| edit.allowed_mentions.users.includes(user));
        if named.is_empty() {
            return Ok(Vec::new());
        }
        self.node.inner.stores.accounts.users(&named).await
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
            None if inner.env.now() < room.nonces_known_after => {
                let oldest = inner.oldest_nonce_message();
                let messages = &inner.stores.messages;
                match messages.by_nonce(room.id, actor, nonce, oldest).await? {
                    Some(NonceUse::Message(message)) => Some(Arc::from(message)),
                    Some(NonceUse::Deleted) => return Err(gone().into()),
                    None => None,
                }
            }
            None => None,
        };
        Ok(subject)
    }
}

/// What a decision must know beside the channel's own state.
#[derive(Default)]
pub(super) struct Subject {
    /// The message that is answered, edited, deleted or reacted to.
    pub(super) message: Option<Arc<Message>>,
    /// The message that was posted with the same nonce.
    repeated: Option<Arc<Message>>,
    /// The reaction is there already.
    has_it: bool,
    /// Users that an edit names.
    pub(super) mentions: Vec<User>,
    /// Those of the messages that are to be deleted which exist.
    present: Vec<MessageId>,
    /// What is pinned, the last one first.
    pins: Vec<Message>,
    /// How far the answers to an interaction have come.
    pub(super) answered: Answered,
}

impl Subject {
    pub(super) fn of(message: Arc<Message>) -> Self {
        Self {
            message: Some(message),
            ..Self::default()
        }
    }
}

pub(super) fn decide(
    channel: &ChannelState,
    (writer, by): (&Writer, &By),
    command: ChannelCommand,
    subject: Subject,
    mint: &mut Mint<'_>,
) -> Result<Decided, Rejection> {
    if let ChannelCommand::Post(draft) = command {
        if let Some(first) = subject.repeated {
            return Ok(Decided::Already(Written::Repeated(first)));
        }
        return match channel.post(writer, *draft, mint)? {
            Posted::New(message) => Ok(Decided::Events(vec![Event::MessageCreated(message)])),
            // The first message was looked for before and is gone.
            Posted::Repeat(_) => Err(Rejection::Conflict("the nonce was used and deleted")),
        };
    }
    if let ChannelCommand::Interact(interaction) = command {
        let event = ChannelState::interact(writer, *interaction)?;
        return Ok(Decided::Events(vec![event]));
    }
    if let ChannelCommand::Respond(claim, response) = command {
        return respond(channel, writer, (&claim, response), subject, mint);
    }
    if let ChannelCommand::DeleteMany(_) | ChannelCommand::Purge(_) = command {
        let event = channel.delete_many(subject.present, writer, mint.now)?;
        return Ok(event.map_or(Decided::Already(Written::Done), |event| {
            noted(writer, by, vec![event], None, mint)
        }));
    }
    let Some(message) = subject.message else {
        return Err(Rejection::Unknown(Noun::Message));
    };
    let events = match command {
        ChannelCommand::Post(_)
        | ChannelCommand::DeleteMany(_)
        | ChannelCommand::Purge(_)
        | ChannelCommand::Interact(_)
        | ChannelCommand::Respond(..) => Vec::new(),
        ChannelCommand::Edit(_, edit) => {
            let event = ChannelState::edit(&message, writer, *edit, subject.mentions, mint)?;
            event.into_iter().collect()
        }
        ChannelCommand::Delete(_) => vec![channel.delete(&message, writer)?],
        ChannelCommand::React(_, given) => {
            let event = channel.react(&message, writer, given, subject.has_it)?;
            event.into_iter().collect()
        }
        ChannelCommand::Unreact(_, emoji, user) => {
            vec![channel.unreact(&message, writer, user, emoji, subject.has_it)?]
        }
        ChannelCommand::ClearReactions(_, emoji) => {
            let event = channel.clear_reactions(&message, writer, emoji)?;
            event.into_iter().collect()
        }
        ChannelCommand::Pin(_, by) => {
            channel.pin(&message, writer, *by, subject.pins.len(), mint)?
        }
        ChannelCommand::Unpin(_) => {
            let others = subject.pins.iter().filter(|pin| pin.id != message.id);
            let last = others.filter_map(|pin| pin.pinned_at).max();
            channel.unpin(&message, writer, last)?
        }
    };
    if events.is_empty() {
        return Ok(Decided::Already(Written::Message(message)));
    }
    Ok(noted(writer, by, events, Some(&message), mint))
}

/// Events, and in a guild what goes into its audit log about them. Webhooks are no members: what
/// they do with their own messages is nobody's deed.
fn noted(
    writer: &Writer,
    by: &By,
    mut events: Vec<Event>,
    subject: Option<&Message>,
    mint: &mut Mint<'_>,
) -> Decided {
    if writer.member.is_some() {
        let entries = audit::of_channel(by, &events, subject, mint);
        events.extend(entries);
    }
    Decided::Events(events)
}

/// What the writer is told of its own event.
pub(super) fn written(channel: &ChannelState, event: Option<&Event>) -> Written {
    match event {
        Some(Event::MessageCreated(message) | Event::MessageUpdated(message)) => {
            let held = channel.window().get(message.id).cloned();
            Written::Message(held.unwrap_or_else(|| Arc::new((**message).clone())))
        }
        _ => Written::Done,
    }
}
