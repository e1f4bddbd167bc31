//! An application's answers to an interaction: what must be known for them, and what they lead to.

use std::sync::Arc;

use guildhall_model::command::{AnswerRef, Edit, Response};
use guildhall_model::interaction::{InteractionClaim, Occasion};
use guildhall_model::message::{Message, Nonce};
use guildhall_model::rejection::Noun;
use guildhall_model::{MessageId, Rejection};
use guildhall_ports::messages::NonceUse;
use guildhall_state::Mint;
use guildhall_state::channel::{Answered, ChannelState, Writer};

use super::decide::{Decided, Subject};
use super::{ChannelActor, Room};
use crate::error::Refused;
use crate::node::Written;

impl ChannelActor {
    pub(super) async fn subject_of_response(
        &self,
        room: &Room,
        claim: &InteractionClaim,
        response: &Response,
    ) -> Result<Subject, Refused> {
        let answered = self.answered(room, claim, response.is_first()).await?;
        let mut subject = Subject::default();
        match response {
            Response::Update(edit) | Response::Edit(_, edit) => {
                subject.mentions = self.named_by(edit).await?;
            }
            _ => {}
        }
        subject.message = match response {
            Response::Edit(AnswerRef::Original, _) | Response::Delete(AnswerRef::Original) => {
                answered.original.clone()
            }
            Response::Edit(AnswerRef::Message(id), _)
            | Response::Delete(AnswerRef::Message(id)) => Some(self.find_any(room, *id).await?),
            _ => None,
        };
        subject.answered = answered;
        Ok(subject)
    }

    /// How far the answers to an interaction have come. For a first answer memory is enough, if it
    /// reaches back to the interaction.
    async fn answered(
        &self,
        room: &Room,
        claim: &InteractionClaim,
        is_first: bool,
    ) -> Result<Answered, Refused> {
        let bot = claim.application_id.bot_user();
        let nonce = Nonce::Interaction(claim.id);
        let source = match claim.occasion {
            Occasion::Component(id) => Some(id),
            Occasion::Command(_) => None,
        };
        if let Some(id) = room.channel.by_nonce(bot, &nonce) {
            let original = match self.found(room, id).await? {
                None => self.source(room, source).await?,
                found => found,
            };
            return Ok(Answered {
                is_answered: true,
                original,
            });
        }
        let is_known = room.nonces_known_after <= self.node.inner.env.now();
        if is_first && is_known {
            return Ok(Answered {
                is_answered: false,
                original: self.source(room, source).await?,
            });
        }
        self.projected(room).await?;
        let oldest = MessageId::new(claim.id.get()).ok_or_else(unknown)?;
        let messages = &self.node.inner.stores.messages;
        let (is_answered, original) = match messages.by_nonce(room.id, bot, &nonce, oldest).await? {
            Some(NonceUse::Message(message)) => (true, Some(Arc::from(message))),
            Some(NonceUse::Deleted) => (true, self.source(room, source).await?),
            None => (false, self.source(room, source).await?),
        };
        Ok(Answered {
            is_answered,
            original,
        })
    }

    async fn source(
        &self,
        room: &Room,
        id: Option<MessageId>,
    ) -> Result<Option<Arc<Message>>, Refused> {
        match id {
            Some(id) => self.found(room, id).await,
            None => Ok(None),
        }
    }

    async fn found(&self, room: &Room, id: MessageId) -> Result<Option<Arc<Message>>, Refused> {
        match self.find_any(room, id).await {
            Ok(message) => Ok(Some(message)),
            Err(Refused::Rejection(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

pub(super) fn respond(
    channel: &ChannelState,
    writer: &Writer,
    (claim, response): (&InteractionClaim, Response),
    subject: Subject,
    mint: &mut Mint<'_>,
) -> Result<Decided, Rejection> {
    let Subject {
        answered,
        message,
        mentions,
        ..
    } = subject;
    let own = || {
        let message = message
            .as_deref()
            .ok_or(Rejection::Unknown(Noun::Message))?;
        ChannelState::answer_of(claim, message)
    };
    let events = match response {
        Response::Reply(draft) => channel.reply(writer, claim, *draft, &answered, mint)?,
        Response::Acknowledge => channel.acknowledge(writer, claim, None, &answered, mint)?,
        Response::Update(edit) => {
            let edit: (Edit, _) = (*edit, mentions);
            channel.acknowledge(writer, claim, Some(edit), &answered, mint)?
        }
        Response::FollowUp(draft) => channel.follow_up(writer, *draft, &answered, mint)?,
        Response::Edit(_, edit) => {
            let own = own()?;
            let writer = writer.as_author_of(own);
            let changed = ChannelState::edit(own, &writer, *edit, mentions, mint)?;
            changed.into_iter().collect()
        }
        Response::Delete(_) => vec![channel.delete_answer(claim, own()?)?],
    };
    if events.is_empty() {
        let same = message.or(answered.original);
        let same = same.ok_or(Rejection::Unknown(Noun::Message))?;
        return Ok(Decided::Already(Written::Message(same)));
    }
    Ok(Decided::Events(events))
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Interaction).into()
}
