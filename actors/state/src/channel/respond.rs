//! What is decided about interactions: who may use what of an application, and how it answers.

use std::sync::Arc;

use guildhall_model::command::{Draft, Edit};
use guildhall_model::event::Event;
use guildhall_model::interaction::{Interaction, InteractionClaim, InteractionData, Occasion};
use guildhall_model::message::{Message, MessageFlags, Nonce};
use guildhall_model::rejection::Noun;
use guildhall_model::user::User;
use guildhall_model::{Permissions, Rejection};

use super::decide::Posted;
use super::{ChannelState, Writer};
use crate::Mint;

/// What an application may do with an answer, whatever it may do otherwise.
/// <https://discord.com/developers/docs/interactions/receiving-and-responding>
const ANSWERING: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::SEND_MESSAGES)
    .union(Permissions::EMBED_LINKS)
    .union(Permissions::ATTACH_FILES)
    .union(Permissions::READ_MESSAGE_HISTORY);

/// How far the answers to an interaction have come.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// The first one was given.
    pub is_answered: bool,
    /// The message that it is, or the one whose component was used.
    pub original: Option<Arc<Message>>,
}

impl Writer {
    /// The same for an answer to an interaction.
    #[must_use]
    pub fn answering(mut self) -> Self {
        self.access |= ANSWERING;
        self
    }

    /// The same as the author of what its application has posted, itself or by a webhook.
    #[must_use]
    pub fn as_author_of(&self, message: &Message) -> Self {
        Self {
            user_id: message.author.id,
            access: self.access,
            member: self.member.clone(),
            mentionable: self.mentionable.clone(),
        }
    }
}

impl ChannelState {
    /// Decides that a command or a component may be used.
    pub fn interact(writer: &Writer, mut interaction: Interaction) -> Result<Event, Rejection> {
        writer.require(match interaction.data {
            InteractionData::Command(_) => Permissions::USE_APPLICATION_COMMANDS,
            InteractionData::Component(_) => Permissions::empty(),
        })?;
        interaction.permissions = writer.access;
        interaction.member = writer.member.as_deref().cloned();
        Ok(Event::InteractionCreated(Box::new(interaction)))
    }

    /// Decides a first answer that is a message. Its draft may be empty if it is loading.
    pub fn reply(
        &self,
        writer: &Writer,
        claim: &InteractionClaim,
        mut draft: Draft,
        answered: &Answered,
        mint: &mut Mint<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        first(answered)?;
        draft.nonce = Some(Nonce::Interaction(claim.id));
        match self.post(writer, draft, mint)? {
            Posted::New(message) => Ok(vec![Event::MessageCreated(message)]),
            Posted::Repeat(_) => Err(Rejection::AlreadyAcknowledged),
        }
    }

    /// Decides a first answer that is none, with what it changes about the message whose component
    /// was used.
    pub fn acknowledge(
        &self,
        writer: &Writer,
        claim: &InteractionClaim,
        edit: Option<(Edit, Vec<User>)>,
        answered: &Answered,
        mint: &Mint<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        first(answered)?;
        if let Occasion::Command(_) = claim.occasion {
            let why = "a command has no message to come back to";
            return Err(Rejection::field("type", "unknown_value", why));
        }
        let acknowledged = Event::InteractionAcknowledged {
            id: claim.id,
            application_id: claim.application_id,
            user_id: claim.user_id,
            channel_id: self.id,
            place: self.place.clone(),
        };
        let Some((edit, mentions)) = edit else {
            return Ok(vec![acknowledged]);
        };
        let message = answered.original.as_deref().ok_or_else(unknown)?;
        let writer = writer.as_author_of(message);
        let changed = Self::edit(message, &writer, edit, mentions, mint)?;
        Ok(changed.into_iter().chain([acknowledged]).collect())
    }

    /// Decides a later answer. The first one after "loading" takes its place, so that it is seen
    /// by whoever was to see it.
    pub fn follow_up(
        &self,
        writer: &Writer,
        draft: Draft,
        answered: &Answered,
        mint: &mut Mint<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        if !answered.is_answered {
            return Err(Rejection::Unknown(Noun::Webhook));
        }
        if let Some(original) = answered.original.as_deref()
            && original.flags().contains(MessageFlags::LOADING)
        {
            let mentions = draft.mentions;
            let edit = Edit {
                content: Some(draft.content),
                embeds: Some(draft.rich.embeds),
                components: Some(draft.rich.components),
                attachments: Some(draft.rich.attachments),
                suppress_embeds: None,
                allowed_mentions: draft.allowed_mentions,
            };
            let changed = Self::edit(original, writer, edit, mentions, mint)?;
            return Ok(changed.into_iter().collect());
        }
        match self.post(writer, draft, mint)? {
            Posted::New(message) => Ok(vec![Event::MessageCreated(message)]),
            Posted::Repeat(_) => Err(Rejection::Conflict("the nonce was used and deleted")),
        }
    }

    /// Refuses an answer that is not one to this interaction.
    pub fn answer_of<'a>(
        claim: &InteractionClaim,
        message: &'a Message,
    ) -> Result<&'a Message, Rejection> {
        let is_answer = message
            .answers()
            .is_some_and(|answers| answers.interaction_id == claim.id);
        let is_source = claim.occasion == Occasion::Component(message.id);
        if is_answer || is_source {
            Ok(message)
        } else {
            Err(unknown())
        }
    }

    /// Decides that an answer is deleted.
    pub fn delete_answer(
        &self,
        claim: &InteractionClaim,
        message: &Message,
    ) -> Result<Event, Rejection> {
        let message = Self::answer_of(claim, message)?;
        Ok(Event::MessageDeleted {
            id: message.id,
            channel_id: self.id,
            place: self.place.clone(),
            only_for: message.only_for(),
        })
    }
}

fn first(answered: &Answered) -> Result<(), Rejection> {
    if answered.is_answered {
        return Err(Rejection::AlreadyAcknowledged);
    }
    Ok(())
}

fn unknown() -> Rejection {
    Rejection::Unknown(Noun::Message)
}
