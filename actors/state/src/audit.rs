//! What goes into a guild's audit log: entries follow from decided events, and from nothing else.

#[cfg(test)]
mod tests;

use guildhall_model::audit::{AuditEntry, By, Deed, Turn};
use guildhall_model::channel::{Channel, Overwrite, OverwriteTarget};
use guildhall_model::emoji::EmojiChange;
use guildhall_model::event::{Change, Departure, Event};
use guildhall_model::member::Member;
use guildhall_model::message::Message;
use guildhall_model::{RoleId, UserId};

use crate::Mint;
use crate::guild::GuildState;

/// The entries about events that were decided for `by` in this state of the guild. What nobody did
/// who is a member has none.
pub fn of_guild(state: &GuildState, by: &By, events: &[Event], mint: &mut Mint<'_>) -> Vec<Event> {
    if state.member(by.user_id).is_none() {
        return Vec::new();
    }
    let deeds = events.iter().flat_map(|event| deeds(state, event));
    deeds.map(|deed| entry(by, deed, mint)).collect()
}

/// The entries about events of a channel of a guild; `subject` is the message that they are about,
/// where there is one.
pub fn of_channel(
    by: &By,
    events: &[Event],
    subject: Option<&Message>,
    mint: &mut Mint<'_>,
) -> Vec<Event> {
    let deeds = events
        .iter()
        .filter_map(|event| channel_deed(by.user_id, event, subject));
    deeds.map(|deed| entry(by, deed, mint)).collect()
}

fn entry(by: &By, deed: Deed, mint: &mut Mint<'_>) -> Event {
    Event::Audited(Box::new(AuditEntry {
        id: mint.id(),
        by: by.user_id,
        reason: by.reason.clone().map(Into::into),
        deed,
    }))
}

fn deeds(state: &GuildState, event: &Event) -> Vec<Deed> {
    let deed = match event {
        Event::GuildUpdated(change) => Deed::Guild(Box::new(Change {
            before: change.before.clone(),
            after: change.after.clone(),
        })),
        Event::ChannelCreated(channel) => Deed::Channel(Box::new(Turn::made(channel.clone()))),
        Event::ChannelUpdated(change) => return channel_deeds(state, change),
        Event::ChannelDeleted(channel) => Deed::Channel(Box::new(Turn::ended(channel.clone()))),
        Event::RoleCreated(role) => Deed::Role(Box::new(Turn::made(role.clone()))),
        Event::RoleUpdated(change) => Deed::Role(Box::new(Turn::changed((**change).clone()))),
        Event::RoleDeleted(end) => Deed::Role(Box::new(Turn::ended(end.role.clone()))),
        Event::MemberJoined { member, .. } if member.user.bot => Deed::Bot(member.user.id),
        Event::MemberUpdated(change) => return member_deeds(state, change),
        Event::MemberRemoved {
            member,
            how: Departure::Kicked,
        } => Deed::Kick(member.user.id),
        Event::BanAdded(ban) => Deed::Ban(ban.user.id),
        Event::BanRemoved(ban) => Deed::Unban(ban.user.id),
        Event::InviteCreated(invite) => Deed::Invite(Box::new(Turn::made(invite.clone()))),
        Event::InviteDeleted(invite) => Deed::Invite(Box::new(Turn::ended(invite.clone()))),
        Event::WebhookCreated(webhook) => Deed::Webhook(Box::new(Turn::made((**webhook).clone()))),
        Event::WebhookUpdated(change) => Deed::Webhook(Box::new(Turn::changed((**change).clone()))),
        Event::WebhookDeleted(webhook) => Deed::Webhook(Box::new(Turn::ended((**webhook).clone()))),
        Event::EmojisChanged(changed) => Deed::Emoji(Box::new(match &changed.change {
            EmojiChange::Created(emoji) => Turn::made(emoji.clone()),
            EmojiChange::Updated(change) => Turn::changed(change.clone()),
            EmojiChange::Deleted(emoji) => Turn::ended(emoji.clone()),
        })),
        _ => return Vec::new(),
    };
    vec![deed]
}

/// What changed about a channel itself, and each overwrite that did.
fn channel_deeds(state: &GuildState, change: &Change<Channel>) -> Vec<Deed> {
    let Change { before, after } = change;
    let bare = |channel: &Channel| Channel {
        overwrites: Vec::new(),
        ..channel.clone()
    };
    let mut deeds = Vec::new();
    if bare(before) != bare(after) {
        deeds.push(Deed::Channel(Box::new(Turn::changed(change.clone()))));
    }
    let find = |channel: &Channel, target: OverwriteTarget| {
        let mut overwrites = channel.overwrites.iter();
        overwrites.find(|other| other.target == target).copied()
    };
    let mut turn = |turn: Turn<Overwrite>, target: OverwriteTarget| {
        deeds.push(Deed::Overwrite {
            channel_id: after.id,
            role: role_name(state, target),
            turn,
        });
    };
    for old in &before.overwrites {
        let new = find(after, old.target);
        if new != Some(*old) {
            let changed = Turn {
                before: Some(*old),
                after: new,
            };
            turn(changed, old.target);
        }
    }
    for new in &after.overwrites {
        if find(before, new.target).is_none() {
            turn(Turn::made(*new), new.target);
        }
    }
    deeds
}

fn role_name(state: &GuildState, target: OverwriteTarget) -> Option<String> {
    match target {
        OverwriteTarget::Role(id) => state.role(id).map(|role| role.name.clone()),
        OverwriteTarget::Member(_) => None,
    }
}

/// A member's public identity is its own affair, and what follows from it no deed.
fn member_deeds(state: &GuildState, change: &Change<Member>) -> Vec<Deed> {
    let Change { before, after } = change;
    let mut deeds = Vec::new();
    if before.nick != after.nick || before.timed_out_until != after.timed_out_until {
        deeds.push(Deed::Member(Box::new(change.clone())));
    }
    let named = |roles: &[RoleId], others: &[RoleId]| {
        let changed = roles.iter().filter(|role| !others.contains(role));
        let name = |id| {
            state
                .role(id)
                .map_or_else(String::new, |role| role.name.clone())
        };
        changed.map(|&id| (id, name(id))).collect::<Vec<_>>()
    };
    let (added, removed) = (
        named(&after.roles, &before.roles),
        named(&before.roles, &after.roles),
    );
    if !added.is_empty() || !removed.is_empty() {
        deeds.push(Deed::MemberRoles {
            user_id: after.user.id,
            added,
            removed,
        });
    }
    deeds
}

/// What people do with their own messages is no deed.
fn channel_deed(by: UserId, event: &Event, subject: Option<&Message>) -> Option<Deed> {
    match event {
        Event::MessageDeleted {
            channel_id,
            only_for: None,
            ..
        } => {
            let author_id = subject?.author.id;
            (author_id != by).then_some(Deed::MessageDelete {
                author_id,
                channel_id: *channel_id,
            })
        }
        Event::MessagesDeleted {
            ids, channel_id, ..
        } => Some(Deed::MessagesDelete {
            channel_id: *channel_id,
            count: u32::try_from(ids.len()).unwrap_or(u32::MAX),
        }),
        Event::MessageUpdated(after) => {
            let before = subject?;
            let is_set = after.pinned_at.is_some();
            (before.pinned_at.is_some() != is_set).then_some(Deed::Pin {
                message_id: after.id,
                author_id: after.author.id,
                channel_id: after.channel_id,
                is_set,
            })
        }
        _ => None,
    }
}
