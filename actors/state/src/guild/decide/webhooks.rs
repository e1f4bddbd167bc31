//! Making, changing and ending webhooks.

use std::sync::Arc;

use guildhall_model::command::{NewWebhook, WebhookUpdate};
use guildhall_model::event::{Change, Event};
use guildhall_model::rejection::Noun;
use guildhall_model::webhook::{Webhook, WebhookToken};
use guildhall_model::{ChannelId, Permissions, Rejection, WebhookId, limits};

use super::{Acting, GuildState};

pub(super) fn create(acting: &Acting<'_>, new: NewWebhook) -> Result<Vec<Event>, Rejection> {
    require_room(acting, new.channel_id)?;
    Ok(vec![Event::WebhookCreated(Box::new(Webhook {
        id: new.id,
        guild_id: acting.state.guild.id,
        channel_id: new.channel_id,
        name: new.name.into(),
        avatar: new.avatar,
        token: new.token,
        creator_id: acting.standing.user_id,
        application_id: new.application_id,
    }))])
}

pub(super) fn update(
    acting: &Acting<'_>,
    id: WebhookId,
    update: WebhookUpdate,
) -> Result<Vec<Event>, Rejection> {
    let before = managed(acting, id)?;
    if let Some(channel) = update.channel_id
        && channel != before.channel_id
    {
        require_room(acting, channel)?;
    }
    Ok(changed(before, update))
}

/// The token is worth less than the permission: it moves no webhook to another channel.
pub(super) fn update_by_token(
    state: &GuildState,
    id: WebhookId,
    token: &WebhookToken,
    update: WebhookUpdate,
) -> Result<Vec<Event>, Rejection> {
    let before = shown(state, id, token)?;
    let update = WebhookUpdate {
        channel_id: None,
        ..update
    };
    Ok(changed(before, update))
}

pub(super) fn delete(acting: &Acting<'_>, id: WebhookId) -> Result<Vec<Event>, Rejection> {
    Ok(ended(managed(acting, id)?))
}

pub(super) fn delete_by_token(
    state: &GuildState,
    id: WebhookId,
    token: &WebhookToken,
) -> Result<Vec<Event>, Rejection> {
    Ok(ended(shown(state, id, token)?))
}

/// A webhook that the actor may change. Whoever does not see its channel does not see it.
fn managed<'a>(acting: &'a Acting<'_>, id: WebhookId) -> Result<&'a Arc<Webhook>, Rejection> {
    let unknown = || Rejection::Unknown(Noun::Webhook);
    let webhook = acting.state.webhook(id).ok_or_else(unknown)?;
    let channel = acting.state.channel(webhook.channel_id);
    let allowed = acting.require_in(channel.ok_or_else(unknown)?, Permissions::MANAGE_WEBHOOKS);
    allowed.map_err(|refused| match refused {
        Rejection::Unknown(_) => unknown(),
        other => other,
    })?;
    Ok(webhook)
}

/// A webhook whose token has been shown, and not changed since.
fn shown<'a>(
    state: &'a GuildState,
    id: WebhookId,
    token: &WebhookToken,
) -> Result<&'a Arc<Webhook>, Rejection> {
    let unknown = Rejection::Unknown(Noun::Webhook);
    let webhook = state.webhook(id).ok_or(unknown)?;
    if webhook.token == *token {
        Ok(webhook)
    } else {
        Err(Rejection::WrongWebhookToken)
    }
}

/// The actor may put one more webhook into this channel.
fn require_room(acting: &Acting<'_>, id: ChannelId) -> Result<(), Rejection> {
    let channel = acting.state.channel(id);
    let channel = channel.ok_or(Rejection::Unknown(Noun::Channel))?;
    acting.require_in(channel, Permissions::MANAGE_WEBHOOKS)?;
    let is_here = |webhook: &&Arc<Webhook>| webhook.channel_id == id;
    let limit = limits::WEBHOOKS_MAX;
    if limit <= acting.state.webhooks().filter(is_here).count() {
        return Err(Rejection::LimitReached {
            what: "webhooks",
            limit,
        });
    }
    Ok(())
}

fn changed(before: &Webhook, update: WebhookUpdate) -> Vec<Event> {
    let mut after = before.clone();
    if let Some(name) = update.name {
        after.name = name.into();
    }
    if let Some(avatar) = update.avatar {
        after.avatar = avatar;
    }
    if let Some(channel_id) = update.channel_id {
        after.channel_id = channel_id;
    }
    if *before == after {
        return Vec::new();
    }
    let before = before.clone();
    vec![Event::WebhookUpdated(Box::new(Change { before, after }))]
}

fn ended(webhook: &Webhook) -> Vec<Event> {
    vec![Event::WebhookDeleted(Box::new(webhook.clone()))]
}
