//! What only some messages have: boxes, components, files, flags.

use serde::{Deserialize, Serialize};

use super::component::ActionRow;
use super::embed::Embed;
use crate::attachment::Attachment;
use crate::id::{ApplicationId, UserId, WebhookId};
use crate::interaction::Answers;

bitflags::bitflags! {
    /// Switches of a message; the bits are Discord's.
    /// <https://discord.com/developers/docs/resources/message#message-object-message-flags>
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct MessageFlags: u32 {
        /// Its embeds are not shown.
        const SUPPRESS_EMBEDS = 1 << 2;
        /// Its application has said that something will stand here.
        const LOADING = 1 << 7;
        /// Nobody is notified of it.
        const SUPPRESS_NOTIFICATIONS = 1 << 12;
    }
}

/// What only some messages have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rich {
    /// What kind of message it is.
    pub kind: MessageKind,
    /// Its switches.
    pub flags: MessageFlags,
    /// It is read aloud.
    pub tts: bool,
    /// Boxes beside its content.
    pub embeds: Vec<Embed>,
    /// Buttons and menus under it.
    pub components: Vec<ActionRow>,
    /// Files that belong to it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The interaction that it answers.
    #[serde(default)]
    pub answers: Option<Box<Answers>>,
    /// Nobody else sees it, and it is not part of the channel's history.
    #[serde(default)]
    pub only_for: Option<UserId>,
    /// The webhook that posted it.
    #[serde(default)]
    pub webhook_id: Option<WebhookId>,
    /// The application that the webhook belongs to.
    #[serde(default)]
    pub application_id: Option<ApplicationId>,
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MessageKind {
    /// Somebody wrote it.
    #[default]
    Written,
    /// The server says that its author has pinned the message that it answers.
    Pinned,
}

impl Rich {
    /// Boxed, unless it is like that of a message without anything.
    pub fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}
