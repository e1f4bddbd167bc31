//! Channels with their overwrites, and direct-message channels.

use guildhall_model::channel as model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::permission::NativePermissions;
use super::user::User;
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::time::Utc;

/// A channel of either kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AnyChannel)]
pub enum ChannelBody<'a> {
    /// Of a server.
    Server(Channel<'a>),
    /// Of two users.
    Direct(DirectChannel<'a>),
}

/// A channel of a server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Channel<'a> {
    id: UuidText,
    server_id: UuidText,
    name: &'a str,
    r#type: ChannelType,
    #[schema(required)]
    topic: Option<&'a str>,
    /// Order among the server's channels; equal positions sort by id.
    position: u16,
    /// The category that it stands in.
    #[schema(required)]
    parent_id: Option<UuidText>,
    permissions: ChannelPermissions,
    created_at: Utc,
}

/// What happens in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelType {
    /// Messages.
    Text,
    /// Calls.
    Voice,
    /// Other channels under one heading.
    Category,
}

/// How a channel departs from what roles grant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChannelPermissions {
    overwrites: Vec<Overwrite>,
}

/// What one role or member is allowed or denied in the channel.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Overwrite {
    /// The role or the user. The role of everybody has its server's id.
    pub(super) id: UuidText,
    pub(super) r#type: OverwriteType,
    /// Wins over `deny` of the same overwrite.
    #[schema(value_type = u64)]
    pub(super) allow: NativePermissions,
    #[schema(value_type = u64)]
    pub(super) deny: NativePermissions,
}

/// Whom an overwrite binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverwriteType {
    /// Everybody who has the role.
    Role,
    /// One member.
    Member,
}

impl<'a> Channel<'a> {
    /// The channel as those see it who may view it.
    pub fn new(channel: &'a model::Channel, spelling: &Spelling) -> Self {
        Self {
            id: spelling.uuid(channel.id),
            server_id: spelling.uuid(channel.guild_id),
            name: &channel.name,
            r#type: channel.kind.into(),
            topic: channel.topic.as_deref(),
            position: channel.position,
            parent_id: channel.parent_id.map(|id| spelling.uuid(id)),
            permissions: ChannelPermissions {
                overwrites: channel
                    .overwrites
                    .iter()
                    .map(|overwrite| Overwrite::new(overwrite, spelling))
                    .collect(),
            },
            created_at: Utc(channel.id.created_at()),
        }
    }
}

impl Overwrite {
    pub(super) fn new(overwrite: &model::Overwrite, spelling: &Spelling) -> Self {
        let (id, r#type) = match overwrite.target {
            model::OverwriteTarget::Role(role) => (spelling.uuid(role), OverwriteType::Role),
            model::OverwriteTarget::Member(user) => (spelling.uuid(user), OverwriteType::Member),
        };
        Self {
            id,
            r#type,
            allow: NativePermissions::of(overwrite.allow),
            deny: NativePermissions::of(overwrite.deny),
        }
    }
}

impl From<model::ChannelKind> for ChannelType {
    fn from(kind: model::ChannelKind) -> Self {
        match kind {
            model::ChannelKind::Text => Self::Text,
            model::ChannelKind::Voice => Self::Voice,
            model::ChannelKind::Category => Self::Category,
        }
    }
}

impl From<ChannelType> for model::ChannelKind {
    fn from(kind: ChannelType) -> Self {
        match kind {
            ChannelType::Text => Self::Text,
            ChannelType::Voice => Self::Voice,
            ChannelType::Category => Self::Category,
        }
    }
}

/// The direct-message channel of two users.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DirectChannel<'a> {
    id: UuidText,
    /// Always `direct`.
    r#type: &'static str,
    /// The users at its ends; in READY without the receiver.
    recipients: Vec<User<'a>>,
    created_at: Utc,
}

impl<'a> DirectChannel<'a> {
    /// The channel with the users that its reader is told of.
    pub fn new(
        channel: &model::DirectChannel,
        recipients: impl IntoIterator<Item = &'a guildhall_model::user::User>,
        installation: &'a Installation,
    ) -> Self {
        Self {
            id: installation.spelling.uuid(channel.id),
            r#type: "direct",
            recipients: recipients
                .into_iter()
                .map(|user| User::new(user, installation))
                .collect(),
            created_at: Utc(channel.id.created_at()),
        }
    }
}
