//! Messages and reactions.

pub mod component;
pub mod embed;
mod rich;

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
pub use crate::emoji::Emoji;
use crate::id::{
    ApplicationId, ChannelId, GuildId, InteractionId, MessageId, RoleId, UserId, WebhookId,
};
use crate::interaction::Answers;
use crate::time::Timestamp;
use crate::user::User;
pub use rich::{MessageFlags, MessageKind, Rich};

/// A chat message. When it was posted is in its id.
///
/// It carries its author as of the moment of posting, so that an event can be rendered from the
/// log alone, years later, on any node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Names the message.
    pub id: MessageId,
    /// Where it was posted.
    pub channel_id: ChannelId,
    /// What kind of channel that is.
    pub place: Place,
    /// Who posted it.
    pub author: User,
    /// Up to 2,000 characters; none where something else is shown.
    pub content: String,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// The sender's own mark for it, at most once per author and channel.
    pub nonce: Option<Nonce>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Users named in the content.
    pub mentions: Vec<User>,
    /// Roles named in the content.
    pub mention_roles: Vec<RoleId>,
    /// `@everyone` or `@here` was used by somebody who may.
    pub mention_everyone: bool,
    /// Counts per emoji, in order of first use.
    pub reactions: Vec<ReactionCount>,
    /// When it was pinned.
    #[serde(default)]
    pub pinned_at: Option<Timestamp>,
    /// What only some messages have.
    #[serde(default)]
    pub rich: Option<Box<Rich>>,
}

/// The kind of channel that a message stands in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// A guild's channel.
    Guild {
        /// Which guild.
        guild_id: GuildId,
        /// The author's membership as of posting; absent once the author had left.
        member: Option<Authorship>,
    },
    /// The direct-message channel of two users, the smaller id first.
    Direct([UserId; 2]),
}

/// What a guild's member list said of an author.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Authorship {
    /// The name in this guild.
    pub nick: Option<String>,
    /// Roles, sorted by id.
    pub roles: Vec<RoleId>,
    /// When the author joined.
    pub joined_at: Timestamp,
}

/// A sender's own mark for a message: at most [`crate::limits::NONCE_CHARS_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Nonce {
    /// Sent as a string.
    Text(String),
    /// Sent as a number; answered as a number.
    Number(i64),
    /// Of the first answer to an interaction. Nobody sends it, and nobody is shown it.
    Interaction(InteractionId),
}

/// How often one emoji was given to a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReactionCount {
    /// Which emoji.
    pub emoji: Emoji,
    /// How many users gave it.
    pub count: u32,
}

/// Where a page of history begins. The message named is never part of a one-sided page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anchor {
    /// At the newest message.
    Newest,
    /// Just below this message.
    Before(MessageId),
    /// Just above this message.
    After(MessageId),
    /// With this message in the middle, if it exists.
    Around(MessageId),
}

impl Message {
    /// What kind of message it is.
    pub fn kind(&self) -> MessageKind {
        self.rich
            .as_ref()
            .map_or_else(Default::default, |rich| rich.kind)
    }

    /// Its switches.
    pub fn flags(&self) -> MessageFlags {
        self.rich
            .as_ref()
            .map_or_else(Default::default, |rich| rich.flags)
    }

    /// Boxes beside its content.
    pub fn embeds(&self) -> &[embed::Embed] {
        self.rich.as_ref().map_or(&[], |rich| &rich.embeds)
    }

    /// Files that belong to it.
    pub fn attachments(&self) -> &[Attachment] {
        self.rich.as_ref().map_or(&[], |rich| &rich.attachments)
    }

    /// Buttons and menus under it.
    pub fn components(&self) -> &[component::ActionRow] {
        self.rich.as_ref().map_or(&[], |rich| &rich.components)
    }

    /// The interaction that it answers.
    pub fn answers(&self) -> Option<&Answers> {
        self.rich.as_ref()?.answers.as_deref()
    }

    /// The only user who sees it, where there is one.
    pub fn only_for(&self) -> Option<UserId> {
        self.rich.as_ref()?.only_for
    }

    /// The webhook that posted it.
    pub fn webhook_id(&self) -> Option<WebhookId> {
        self.rich.as_ref().and_then(|rich| rich.webhook_id)
    }

    /// The application whose webhook posted it.
    pub fn application_id(&self) -> Option<ApplicationId> {
        self.rich.as_ref().and_then(|rich| rich.application_id)
    }

    /// The guild, unless it is a direct message.
    pub const fn guild_id(&self) -> Option<GuildId> {
        match &self.place {
            Place::Guild { guild_id, .. } => Some(*guild_id),
            Place::Direct(_) => None,
        }
    }

    /// `user` wrote the message, itself or by a webhook of its application, or is named in it: such
    /// readers see the content without the MESSAGE_CONTENT intent.
    pub fn concerns(&self, user: UserId) -> bool {
        let sender = self.application_id().map(ApplicationId::bot_user);
        self.author.id == user
            || sender == Some(user)
            || self.mentions.iter().any(|mentioned| mentioned.id == user)
    }
}
