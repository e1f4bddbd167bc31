//! Messages.

use guildhall_model::interaction::{Answers, Occasion};
use guildhall_model::message as model;
use guildhall_model::message::{MessageKind, Place};
use guildhall_model::{ApplicationId, ChannelId, GuildId, WebhookId, id};
use serde::Serialize;

use super::NoList;
use super::attachment::Attachment;
use super::channel::ChannelType;
use super::emoji::Emoji;
use super::interaction::{InteractionMetadata, MessageInteraction};
use super::member::Membership;
use super::user::User;
use crate::file_url::FileUrls;
use crate::id::Decimal;
use crate::native::message::Nonce;
use crate::rich::{ActionRow, Embed};
use crate::time::Iso8601;

const TYPE_DEFAULT: u8 = 0;
const TYPE_PINNED: u8 = 6;
const TYPE_REPLY: u8 = 19;
const TYPE_COMMAND: u8 = 20;
/// Only one user sees it; the model holds who.
const FLAG_EPHEMERAL: u32 = 1 << 6;

/// A message.
#[derive(Serialize)]
pub struct Message<'a> {
    id: Decimal<id::kind::Message>,
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    /// discord.js and JDA make a direct channel that they do not know from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_type: Option<ChannelType>,
    author: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<Decimal<id::kind::Webhook>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<Decimal<id::kind::Application>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Membership<'a>>,
    content: &'a str,
    timestamp: Iso8601,
    edited_timestamp: Option<Iso8601>,
    tts: bool,
    mention_everyone: bool,
    mentions: Vec<User<'a>>,
    mention_roles: Vec<Decimal<id::kind::Role>>,
    attachments: Vec<Attachment<'a>>,
    embeds: Vec<Embed<'a>>,
    reactions: Vec<Reaction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<Nonce<'a>>,
    pinned: bool,
    r#type: u8,
    /// For replies. `referenced_message` is left out: to clients that means "not fetched".
    #[serde(rename = "message_reference", skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction_metadata: Option<InteractionMetadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interaction: Option<MessageInteraction<'a>>,
    flags: u32,
    components: Vec<ActionRow<'a>>,
    sticker_items: NoList,
}

#[derive(Serialize)]
struct Reference {
    r#type: u8,
    message_id: Decimal<id::kind::Message>,
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
}

#[derive(Serialize)]
struct Reaction<'a> {
    emoji: Emoji<'a>,
    count: u32,
    count_details: CountDetails,
    burst_colors: NoList,
    me_burst: bool,
    me: bool,
}

#[derive(Serialize)]
struct CountDetails {
    burst: u32,
    normal: u32,
}

impl<'a> Message<'a> {
    /// As everybody sees it: reactions do not tell whose they are.
    pub fn new(message: &'a model::Message, urls: &'a FileUrls) -> Self {
        Self::build(message, &[], urls)
    }

    /// As one reader sees it, who gave these emoji.
    pub fn seen_by_giver_of(
        mine: &[model::Emoji],
        message: &'a model::Message,
        urls: &'a FileUrls,
    ) -> Self {
        Self::build(message, mine, urls)
    }

    /// The same without what its author composed, for readers without MESSAGE_CONTENT.
    /// <https://discord.com/developers/docs/events/gateway#message-content-intent>
    pub fn blanked(self) -> Self {
        Self {
            content: "",
            attachments: Vec::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            ..self
        }
    }

    fn build(message: &'a model::Message, mine: &[model::Emoji], urls: &'a FileUrls) -> Self {
        let (guild_id, member, channel_type) = match &message.place {
            Place::Guild { guild_id, member } => (Some(*guild_id), member.as_ref(), None),
            Place::Direct(_) => (None, None, Some(ChannelType::Direct)),
        };
        Self {
            id: Decimal(message.id),
            channel_id: Decimal(message.channel_id),
            guild_id: guild_id.map(Decimal),
            channel_type,
            author: match message.webhook_id() {
                Some(_) => User::of_webhook(&message.author),
                None => User::new(&message.author),
            },
            webhook_id: webhook_of(message).map(Decimal),
            application_id: application_of(message).map(Decimal),
            member: member.map(Membership::of_author),
            content: &message.content,
            timestamp: Iso8601(message.id.created_at()),
            edited_timestamp: message.edited_at.map(Iso8601),
            tts: message.rich.as_ref().is_some_and(|rich| rich.tts),
            mention_everyone: message.mention_everyone,
            mentions: message.mentions.iter().map(User::new).collect(),
            mention_roles: message.mention_roles.iter().copied().map(Decimal).collect(),
            attachments: message
                .attachments()
                .iter()
                .map(|file| Attachment::new(message.channel_id, file, urls))
                .collect(),
            embeds: message.embeds().iter().map(Embed::new).collect(),
            reactions: message
                .reactions
                .iter()
                .map(|given| Reaction::new(given, mine.contains(&given.emoji)))
                .collect(),
            nonce: message.nonce.as_ref().and_then(Nonce::of),
            pinned: message.pinned_at.is_some(),
            r#type: type_of(message),
            interaction_metadata: message
                .answers()
                .map(|answers| InteractionMetadata::new(answers, guild_id)),
            interaction: message.answers().and_then(MessageInteraction::new),
            reference: Reference::of(message, message.channel_id, guild_id),
            flags: flags_of(message),
            components: message.components().iter().map(ActionRow::new).collect(),
            sticker_items: [],
        }
    }
}

/// An application's answers are posted by the webhook that it is itself.
fn webhook_of(message: &model::Message) -> Option<WebhookId> {
    let own = |answers: &Answers| WebhookId::new(answers.application_id.get());
    message
        .webhook_id()
        .or_else(|| message.answers().and_then(own))
}

fn application_of(message: &model::Message) -> Option<ApplicationId> {
    let answering = message.answers().map(|answers| answers.application_id);
    message.application_id().or(answering)
}

fn type_of(message: &model::Message) -> u8 {
    let is_first = |answers: &Answers| {
        matches!(answers.occasion, Occasion::Command(_)) && answers.original_id.is_none()
    };
    match (message.kind(), message.reply_to) {
        (MessageKind::Pinned, _) => TYPE_PINNED,
        _ if message.answers().is_some_and(is_first) => TYPE_COMMAND,
        (MessageKind::Written, Some(_)) => TYPE_REPLY,
        (MessageKind::Written, None) => TYPE_DEFAULT,
    }
}

fn flags_of(message: &model::Message) -> u32 {
    let ephemeral = message.only_for().map_or(0, |_| FLAG_EPHEMERAL);
    message.flags().bits() | ephemeral
}

impl Reference {
    /// A reply answers a message of the same channel.
    fn of(
        message: &model::Message,
        channel_id: ChannelId,
        guild_id: Option<GuildId>,
    ) -> Option<Self> {
        Some(Self {
            r#type: 0,
            message_id: Decimal(message.reply_to?),
            channel_id: Decimal(channel_id),
            guild_id: guild_id.map(Decimal),
        })
    }
}

impl<'a> Reaction<'a> {
    fn new(given: &'a model::ReactionCount, me: bool) -> Self {
        Self {
            emoji: Emoji::new(&given.emoji),
            count: given.count,
            count_details: CountDetails {
                burst: 0,
                normal: given.count,
            },
            burst_colors: [],
            me_burst: false,
            me,
        }
    }
}
