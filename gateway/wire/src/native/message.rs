//! Messages: of a server's channel, and direct ones.

use guildhall_model::message as model;
use guildhall_model::message::{Emoji, MessageFlags, Place};
use guildhall_model::{GuildId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::interaction::Answered;
use super::user::User;
use crate::emoji_text::EmojiText;
use crate::file_url::AttachmentUrl;
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::rich::{ActionRow, Embed};
use crate::time::Utc;

/// A message of either kind; which one depends on where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AnyMessage)]
pub enum MessageBody<'a> {
    /// In a server's channel.
    Server(Box<Message<'a>>),
    /// Between two users.
    Direct(Box<DirectMessage<'a>>),
}

/// A message in a server's channel.
#[expect(clippy::struct_excessive_bools, reason = "they are its fields")]
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message<'a> {
    id: UuidText,
    channel_id: UuidText,
    server_id: UuidText,
    user_id: UuidText,
    /// Who posted it, as of then. Of a webhook's message it is no user: the name and the picture
    /// are those that the webhook gave.
    author: User<'a>,
    /// The webhook that posted it.
    #[schema(required)]
    webhook_id: Option<UuidText>,
    content: &'a str,
    timestamp: Utc,
    #[schema(required)]
    edited_at: Option<Utc>,
    /// Addresses of files.
    #[schema(value_type = Vec<String>)]
    attachments: Vec<AttachmentUrl<'a>>,
    reactions: Vec<Reaction<'a>>,
    /// The sender's own mark, as it was sent.
    #[schema(required)]
    nonce: Option<Nonce<'a>>,
    #[schema(required)]
    reply_to: Option<UuidText>,
    /// Users named in the content.
    mentions: Vec<UuidText>,
    /// Roles named in the content.
    mention_roles: Vec<UuidText>,
    mention_everyone: bool,
    /// It is pinned.
    pinned: bool,
    /// Boxes beside the content.
    embeds: Vec<Embed<'a>>,
    /// Buttons and menus under it.
    components: Vec<ActionRow<'a>>,
    /// What it answers, if it is an application's answer.
    #[schema(required)]
    interaction: Option<Answered<'a>>,
    /// Nobody but whom it answers sees it, and it is not part of the history.
    ephemeral: bool,
    /// Its application has said that something will stand here.
    loading: bool,
}

/// A message between two users.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DirectMessage<'a> {
    id: UuidText,
    channel_id: UuidText,
    sender_id: UuidText,
    recipient_id: UuidText,
    content: &'a str,
    timestamp: Utc,
    /// Addresses of files.
    #[schema(value_type = Vec<String>)]
    attachments: Vec<AttachmentUrl<'a>>,
    #[schema(required)]
    edited_at: Option<Utc>,
    reactions: Vec<Reaction<'a>>,
    /// The sender's own mark, as it was sent.
    #[schema(required)]
    nonce: Option<Nonce<'a>>,
    #[schema(required)]
    reply_to: Option<UuidText>,
    /// It is pinned.
    pinned: bool,
    /// Boxes beside the content.
    embeds: Vec<Embed<'a>>,
    /// Buttons and menus under it.
    components: Vec<ActionRow<'a>>,
    /// What it answers, if it is an application's answer.
    #[schema(required)]
    interaction: Option<Answered<'a>>,
    /// Nobody but whom it answers sees it, and it is not part of the history.
    ephemeral: bool,
    /// Its application has said that something will stand here.
    loading: bool,
}

/// How often one emoji was given.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Reaction<'a> {
    /// A standard emoji, or `name:id` of a server's own.
    #[schema(value_type = &str)]
    emoji: EmojiText<'a>,
    count: u32,
    /// The reader is among them. Left out where one body goes to many readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    me: Option<bool>,
}

/// A nonce in the form in which it came.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Nonce<'a> {
    Text(&'a str),
    Number(i64),
}

impl<'a> Nonce<'a> {
    /// The nonce, if its sender chose it.
    pub(crate) fn of(nonce: &'a model::Nonce) -> Option<Self> {
        match nonce {
            model::Nonce::Text(text) => Some(Self::Text(text)),
            model::Nonce::Number(number) => Some(Self::Number(*number)),
            model::Nonce::Interaction(_) => None,
        }
    }
}

impl<'a> Reaction<'a> {
    /// A message's reactions as one reader sees them, who gave these emoji.
    pub fn list(message: &'a model::Message, mine: &[Emoji], spelling: &Spelling) -> Vec<Self> {
        Self::counts(message, Some(mine), spelling)
    }

    fn counts(
        message: &'a model::Message,
        mine: Option<&[Emoji]>,
        spelling: &Spelling,
    ) -> Vec<Self> {
        let counts = message.reactions.iter().map(|given| Self {
            emoji: EmojiText::new(&given.emoji, spelling),
            count: given.count,
            me: mine.map(|mine| mine.contains(&given.emoji)),
        });
        counts.collect()
    }
}

impl<'a> MessageBody<'a> {
    /// As everybody sees it: reactions do not tell whose they are.
    pub fn new(message: &'a model::Message, installation: &'a Installation) -> Self {
        Self::build(message, None, installation)
    }

    /// As one reader sees it, who gave these emoji.
    pub fn seen_by_giver_of(
        mine: &[Emoji],
        message: &'a model::Message,
        installation: &'a Installation,
    ) -> Self {
        Self::build(message, Some(mine), installation)
    }

    /// The same without what its author composed, for readers who may not see it.
    pub fn blanked(mut self) -> Self {
        let (content, files, embeds, components) = match &mut self {
            Self::Server(it) => {
                let it = &mut **it;
                (
                    &mut it.content,
                    &mut it.attachments,
                    &mut it.embeds,
                    &mut it.components,
                )
            }
            Self::Direct(it) => {
                let it = &mut **it;
                (
                    &mut it.content,
                    &mut it.attachments,
                    &mut it.embeds,
                    &mut it.components,
                )
            }
        };
        *content = "";
        files.clear();
        embeds.clear();
        components.clear();
        self
    }

    fn build(
        message: &'a model::Message,
        mine: Option<&[Emoji]>,
        installation: &'a Installation,
    ) -> Self {
        let reactions = Reaction::counts(message, mine, &installation.spelling);
        match &message.place {
            Place::Guild { guild_id, .. } => Self::Server(Box::new(Message::new(
                message,
                *guild_id,
                reactions,
                installation,
            ))),
            Place::Direct(users) => Self::Direct(Box::new(DirectMessage::new(
                message,
                *users,
                reactions,
                installation,
            ))),
        }
    }
}

fn addresses<'a>(
    message: &'a model::Message,
    installation: &'a Installation,
) -> Vec<AttachmentUrl<'a>> {
    let files = message.attachments().iter();
    files
        .map(|file| installation.urls.attachment(message.channel_id, file))
        .collect()
}

impl<'a> Message<'a> {
    fn new(
        message: &'a model::Message,
        guild_id: GuildId,
        reactions: Vec<Reaction<'a>>,
        installation: &'a Installation,
    ) -> Self {
        let spelling = &installation.spelling;
        Self {
            id: spelling.uuid(message.id),
            channel_id: spelling.uuid(message.channel_id),
            server_id: spelling.uuid(guild_id),
            user_id: spelling.uuid(message.author.id),
            webhook_id: message.webhook_id().map(|id| spelling.uuid(id)),
            author: User::new(&message.author, installation),
            content: &message.content,
            timestamp: Utc(message.id.created_at()),
            edited_at: message.edited_at.map(Utc),
            attachments: addresses(message, installation),
            reactions,
            nonce: message.nonce.as_ref().and_then(Nonce::of),
            reply_to: message.reply_to.map(|id| spelling.uuid(id)),
            mentions: message
                .mentions
                .iter()
                .map(|user| spelling.uuid(user.id))
                .collect(),
            mention_roles: message
                .mention_roles
                .iter()
                .map(|&role| spelling.uuid(role))
                .collect(),
            mention_everyone: message.mention_everyone,
            pinned: message.pinned_at.is_some(),
            embeds: message.embeds().iter().map(Embed::new).collect(),
            components: message.components().iter().map(ActionRow::new).collect(),
            interaction: message
                .answers()
                .map(|answers| Answered::new(answers, spelling)),
            ephemeral: message.only_for().is_some(),
            loading: message.flags().contains(MessageFlags::LOADING),
        }
    }
}

impl<'a> DirectMessage<'a> {
    fn new(
        message: &'a model::Message,
        users: [UserId; 2],
        reactions: Vec<Reaction<'a>>,
        installation: &'a Installation,
    ) -> Self {
        let spelling = &installation.spelling;
        let sender = message.author.id;
        let recipient = if users[0] == sender {
            users[1]
        } else {
            users[0]
        };
        Self {
            id: spelling.uuid(message.id),
            channel_id: spelling.uuid(message.channel_id),
            sender_id: spelling.uuid(sender),
            recipient_id: spelling.uuid(recipient),
            content: &message.content,
            timestamp: Utc(message.id.created_at()),
            attachments: addresses(message, installation),
            edited_at: message.edited_at.map(Utc),
            reactions,
            nonce: message.nonce.as_ref().and_then(Nonce::of),
            reply_to: message.reply_to.map(|id| spelling.uuid(id)),
            pinned: message.pinned_at.is_some(),
            embeds: message.embeds().iter().map(Embed::new).collect(),
            components: message.components().iter().map(ActionRow::new).collect(),
            interaction: message
                .answers()
                .map(|answers| Answered::new(answers, spelling)),
            ephemeral: message.only_for().is_some(),
            loading: message.flags().contains(MessageFlags::LOADING),
        }
    }
}
