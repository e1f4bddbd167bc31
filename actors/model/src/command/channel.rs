//! Requests to write into a channel.

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
use crate::id::{MessageId, RoleId, UserId};
use crate::interaction::{Interaction, InteractionClaim};
use crate::message::component::ActionRow;
use crate::message::embed::Embed;
use crate::message::{Emoji, Nonce, Rich};
use crate::text::Content;
use crate::user::User;

/// A request to write into a channel. The acting user travels beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ChannelCommand {
    /// Post a message.
    Post(Box<Draft>),
    /// Change a message.
    Edit(MessageId, Box<Edit>),
    /// Delete a message.
    Delete(MessageId),
    /// Delete several messages at once; those that do not exist are passed over.
    DeleteMany(Vec<MessageId>),
    /// The same with messages of somebody who has been banned, by who may ban.
    Purge(Vec<MessageId>),
    /// Give an emoji to a message.
    React(MessageId, Given),
    /// Take an emoji back; another user's needs a permission.
    Unreact(MessageId, Emoji, UserId),
    /// Take all reactions of a message away, or all of one emoji.
    ClearReactions(MessageId, Option<Emoji>),
    /// Pin a message. The acting user signs the notice of it.
    Pin(MessageId, Box<User>),
    /// Take a pin away.
    Unpin(MessageId),
    /// Use a command or a component of an application.
    Interact(Box<Interaction>),
    /// Do something with an interaction for its application, which has shown the token.
    Respond(Box<InteractionClaim>, Response),
}

/// What an application does with an interaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Response {
    /// Answer it with a message, which may say that more will come.
    Reply(Box<Draft>),
    /// Let the user see that nothing more will come, or something later.
    Acknowledge,
    /// Change the message whose component was used.
    Update(Box<Edit>),
    /// Say more, or what the first answer has announced.
    FollowUp(Box<Draft>),
    /// Change an answer.
    Edit(AnswerRef, Box<Edit>),
    /// Delete an answer.
    Delete(AnswerRef),
}

/// One of the answers to an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerRef {
    /// The first one; where that was no message, the one whose component was used.
    Original,
    /// The one with this id.
    Message(MessageId),
}

impl Response {
    /// It is the one that may be given once.
    pub const fn is_first(&self) -> bool {
        matches!(self, Self::Reply(_) | Self::Acknowledge | Self::Update(_))
    }
}

/// An emoji that somebody gives to a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Given {
    /// Which.
    pub emoji: Emoji,
    /// It belongs to another guild than the message.
    pub is_external: bool,
}

/// A message before it has an id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// Who posts, as of now.
    pub author: User,
    /// What is said.
    pub content: Option<Content>,
    /// The sender's own mark.
    pub nonce: Option<Nonce>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// The users that are mentioned and that exist.
    pub mentions: Vec<User>,
    /// Whom the content may mention beside them.
    pub allowed_mentions: AllowedMentions,
    /// What else belongs to it.
    pub rich: Rich,
}

impl Draft {
    /// The draft that only says something.
    pub fn said(author: User, content: Content) -> Self {
        Self {
            author,
            content: Some(content),
            nonce: None,
            reply_to: None,
            mentions: Vec::new(),
            allowed_mentions: AllowedMentions::default(),
            rich: Rich::default(),
        }
    }
}

/// What changes about a message. What is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Edit {
    /// What is said; nothing any more where the inner value is absent.
    pub content: Option<Option<Content>>,
    /// The boxes beside it.
    pub embeds: Option<Vec<Embed>>,
    /// The buttons and menus under it.
    pub components: Option<Vec<ActionRow>>,
    /// The files that it keeps and that are added.
    pub attachments: Option<Vec<Attachment>>,
    /// Whether its embeds are hidden.
    pub suppress_embeds: Option<bool>,
    /// Whom the new content may mention.
    pub allowed_mentions: AllowedMentions,
}

impl Edit {
    /// The edit that only changes what is said.
    pub fn of_content(content: Content) -> Self {
        Self {
            content: Some(Some(content)),
            ..Self::default()
        }
    }

    /// It touches what only the author may change.
    pub const fn is_the_authors(&self) -> bool {
        self.content.is_some()
            || self.embeds.is_some()
            || self.components.is_some()
            || self.attachments.is_some()
    }
}

/// Whom a message may mention among those that its content names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedMentions {
    /// `@everyone` and `@here`, by whoever may.
    pub everyone: bool,
    /// Which roles.
    pub roles: Allowed<RoleId>,
    /// Which users.
    pub users: Allowed<UserId>,
    /// The author of the message that is answered is mentioned, though the content does not say so.
    pub replied_user: bool,
}

/// Some of those that are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Allowed<T> {
    /// All of them.
    All,
    /// These only.
    These(Vec<T>),
}

impl<T: PartialEq> Allowed<T> {
    /// This one is among them.
    pub fn includes(&self, id: &T) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(id),
        }
    }
}

impl Default for AllowedMentions {
    /// All that the content names, and nobody else.
    fn default() -> Self {
        Self {
            everyone: true,
            roles: Allowed::All,
            users: Allowed::All,
            replied_user: false,
        }
    }
}
