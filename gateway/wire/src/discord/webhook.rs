//! Webhooks: the object, and the payload of WEBHOOKS_UPDATE.

use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::{id, user, webhook as model};
use serde::Serialize;

use super::Shown;
use super::user::User;
use crate::id::Decimal;

/// The only type that there is: one that programs post with.
pub(super) const TYPE_INCOMING: u8 = 1;

/// A webhook as those see it who may manage it.
#[derive(Serialize)]
pub struct Webhook<'a> {
    id: Decimal<id::kind::Webhook>,
    r#type: u8,
    guild_id: Decimal<id::kind::Guild>,
    channel_id: Decimal<id::kind::Channel>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    name: &'a str,
    avatar: Option<Shown<PictureHash>>,
    token: &'a str,
    application_id: Option<Decimal<id::kind::Application>>,
}

impl<'a> Webhook<'a> {
    /// The webhook with who made it. Who merely shows its token is not told that, nor is anybody
    /// where that user is gone.
    pub fn new(webhook: &'a model::Webhook, creator: Option<&'a user::User>) -> Self {
        Self {
            id: Decimal(webhook.id),
            r#type: TYPE_INCOMING,
            guild_id: Decimal(webhook.guild_id),
            channel_id: Decimal(webhook.channel_id),
            user: creator.map(User::new),
            name: &webhook.name,
            avatar: webhook.avatar.as_ref().and_then(Picture::hash).map(Shown),
            token: webhook.token.reveal(),
            application_id: webhook.application_id.map(Decimal),
        }
    }
}

/// WEBHOOKS_UPDATE: something about the webhooks of a channel is different now.
#[derive(Serialize)]
pub(crate) struct WebhooksUpdate {
    guild_id: Decimal<id::kind::Guild>,
    channel_id: Decimal<id::kind::Channel>,
}

impl WebhooksUpdate {
    pub(crate) const fn new(webhook: &model::Webhook) -> Self {
        Self {
            guild_id: Decimal(webhook.guild_id),
            channel_id: Decimal(webhook.channel_id),
        }
    }
}
