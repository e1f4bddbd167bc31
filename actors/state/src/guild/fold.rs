//! Folding events into a guild's state, and taking them back.

use std::sync::Arc;

use guildhall_model::channel::{Channel, Overwrite, OverwriteTarget};
use guildhall_model::emoji::{EmojiChange, GuildEmoji};
use guildhall_model::event::{Event, RoleEnd};
use guildhall_model::member::Member;
use guildhall_model::webhook::Webhook;
use guildhall_model::{RoleId, UserId};

use super::GuildState;

/// Folds an event that is next in the stream.
pub(super) fn apply(state: &mut GuildState, event: &Event) {
    match event {
        Event::GuildUpdated(change) => state.guild = Arc::new(change.after.clone()),
        Event::GuildDeleted => state.deleted = true,
        Event::ChannelCreated(channel) => put_channel(state, channel),
        Event::ChannelUpdated(change) => put_channel(state, &change.after),
        Event::ChannelDeleted(channel) => {
            state.channels.remove(&channel.id);
        }
        Event::RoleCreated(role) => {
            state.roles.insert(role.id, Arc::new(role.clone()));
        }
        Event::RoleUpdated(change) => {
            state
                .roles
                .insert(change.after.id, Arc::new(change.after.clone()));
        }
        Event::RoleDeleted(end) => end_role(state, end),
        Event::MemberJoined { member, invite } => {
            put_member(state, member);
            if let Some(invite) = invite {
                let mut used = invite.clone();
                used.uses += 1;
                state.invites.insert(used.code.clone(), Arc::new(used));
            }
        }
        Event::MemberUpdated(change) => put_member(state, &change.after),
        Event::MemberRemoved { member, .. } => {
            state.members.remove(&member.user.id);
        }
        Event::BanAdded(ban) => {
            state.bans.insert(ban.user.id, Arc::new(ban.clone()));
        }
        Event::BanRemoved(ban) => {
            state.bans.remove(&ban.user.id);
        }
        Event::InviteCreated(invite) => {
            state
                .invites
                .insert(invite.code.clone(), Arc::new(invite.clone()));
        }
        Event::InviteDeleted(invite) => {
            state.invites.remove(&invite.code);
        }
        Event::WebhookCreated(webhook) => put_webhook(state, webhook),
        Event::WebhookUpdated(change) => put_webhook(state, &change.after),
        Event::WebhookDeleted(webhook) => {
            state.webhooks.remove(&webhook.id);
        }
        Event::EmojisChanged(change) => match &change.change {
            EmojiChange::Created(emoji) => put_emoji(state, emoji),
            EmojiChange::Updated(change) => put_emoji(state, &change.after),
            EmojiChange::Deleted(emoji) => end_emoji(state, emoji),
        },
        // The founding is where a state begins; messages are not part of a guild's state.
        _ => {}
    }
}

/// Takes back the event that was folded in last.
pub(super) fn revert(state: &mut GuildState, event: &Event) {
    match event {
        Event::GuildUpdated(change) => state.guild = Arc::new(change.before.clone()),
        Event::GuildDeleted => state.deleted = false,
        Event::ChannelCreated(channel) => {
            state.channels.remove(&channel.id);
        }
        Event::ChannelUpdated(change) => put_channel(state, &change.before),
        Event::ChannelDeleted(channel) => put_channel(state, channel),
        Event::RoleCreated(role) => {
            state.roles.remove(&role.id);
        }
        Event::RoleUpdated(change) => {
            state
                .roles
                .insert(change.before.id, Arc::new(change.before.clone()));
        }
        Event::RoleDeleted(end) => restore_role(state, end),
        Event::MemberJoined { member, invite } => {
            state.members.remove(&member.user.id);
            if let Some(invite) = invite {
                state
                    .invites
                    .insert(invite.code.clone(), Arc::new(invite.clone()));
            }
        }
        Event::MemberUpdated(change) => put_member(state, &change.before),
        Event::MemberRemoved { member, .. } => put_member(state, member),
        Event::BanAdded(ban) => {
            state.bans.remove(&ban.user.id);
        }
        Event::BanRemoved(ban) => {
            state.bans.insert(ban.user.id, Arc::new(ban.clone()));
        }
        Event::InviteCreated(invite) => {
            state.invites.remove(&invite.code);
        }
        Event::InviteDeleted(invite) => {
            state
                .invites
                .insert(invite.code.clone(), Arc::new(invite.clone()));
        }
        Event::WebhookCreated(webhook) => {
            state.webhooks.remove(&webhook.id);
        }
        Event::WebhookUpdated(change) => put_webhook(state, &change.before),
        Event::WebhookDeleted(webhook) => put_webhook(state, webhook),
        Event::EmojisChanged(change) => match &change.change {
            EmojiChange::Created(emoji) => end_emoji(state, emoji),
            EmojiChange::Updated(change) => put_emoji(state, &change.before),
            EmojiChange::Deleted(emoji) => put_emoji(state, emoji),
        },
        _ => {}
    }
}

fn put_emoji(state: &mut GuildState, emoji: &GuildEmoji) {
    state.emojis.insert(emoji.id, Arc::new(emoji.clone()));
}

fn end_emoji(state: &mut GuildState, emoji: &GuildEmoji) {
    state.emojis.remove(&emoji.id);
}

fn put_channel(state: &mut GuildState, channel: &Channel) {
    state.channels.insert(channel.id, Arc::new(channel.clone()));
}

fn put_webhook(state: &mut GuildState, webhook: &Webhook) {
    state.webhooks.insert(webhook.id, Arc::new(webhook.clone()));
}

fn put_member(state: &mut GuildState, member: &Member) {
    state
        .members
        .insert(member.user.id, Arc::new(member.clone()));
}

fn end_role(state: &mut GuildState, end: &RoleEnd) {
    let role = end.role_id();
    state.roles.remove(&role);
    for &holder in &end.holders {
        edit_roles(state, holder, |roles| roles.retain(|&held| held != role));
    }
    for (channel, overwrite) in &end.overwrites {
        if let Some(channel) = state.channels.get_mut(channel) {
            Arc::make_mut(channel)
                .overwrites
                .retain(|o| o.target != overwrite.target);
        }
    }
}

fn restore_role(state: &mut GuildState, end: &RoleEnd) {
    let role = end.role_id();
    state.roles.insert(role, Arc::new(end.role.clone()));
    for &holder in &end.holders {
        edit_roles(state, holder, |roles| {
            if let Err(place) = roles.binary_search(&role) {
                roles.insert(place, role);
            }
        });
    }
    for (channel, overwrite) in &end.overwrites {
        if let Some(channel) = state.channels.get_mut(channel) {
            insert_overwrite(&mut Arc::make_mut(channel).overwrites, *overwrite);
        }
    }
}

fn edit_roles(state: &mut GuildState, holder: UserId, edit: impl FnOnce(&mut Vec<RoleId>)) {
    if let Some(member) = state.members.get_mut(&holder) {
        edit(&mut Arc::make_mut(member).roles);
    }
}

/// Overwrites are kept in order of their targets, so that reverting restores the very same list.
fn insert_overwrite(overwrites: &mut Vec<Overwrite>, overwrite: Overwrite) {
    let key = |o: &Overwrite| -> OverwriteTarget { o.target };
    if let Err(place) = overwrites.binary_search_by_key(&overwrite.target, key) {
        overwrites.insert(place, overwrite);
    }
}
