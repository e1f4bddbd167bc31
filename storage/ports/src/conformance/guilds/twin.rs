//! A slow, plain twin of the store: a guild's rows in lists, and how events change them.

use guildhall_model::channel::OverwriteTarget;
use guildhall_model::emoji::EmojiChange;
use guildhall_model::event::{Event, Founding};
use guildhall_model::guild::GuildRows;
use guildhall_model::user::User;

/// The rows of a guild that has just begun.
pub(in crate::conformance) fn founded(founding: Founding) -> GuildRows {
    GuildRows {
        guild: founding.guild,
        deleted: false,
        roles: vec![founding.everyone],
        channels: vec![founding.channel],
        members: vec![founding.owner],
        bans: Vec::new(),
        invites: Vec::new(),
        webhooks: Vec::new(),
        emojis: Vec::new(),
        gseq: 1,
    }
}

/// What the rows are after an event that is not the first.
pub(in crate::conformance) fn fold(rows: &mut GuildRows, gseq: u64, event: &Event) {
    rows.gseq = gseq;
    match event {
        Event::GuildUpdated(change) => rows.guild = change.after.clone(),
        Event::GuildDeleted => rows.deleted = true,
        Event::ChannelCreated(channel) => rows.channels.push(channel.clone()),
        Event::ChannelUpdated(change) => {
            rows.channels.retain(|c| c.id != change.after.id);
            rows.channels.push(change.after.clone());
        }
        Event::ChannelDeleted(channel) => rows.channels.retain(|c| c.id != channel.id),
        Event::RoleCreated(role) => rows.roles.push(role.clone()),
        Event::RoleUpdated(change) => {
            rows.roles.retain(|r| r.id != change.after.id);
            rows.roles.push(change.after.clone());
        }
        Event::RoleDeleted(end) => {
            let ended = end.role_id();
            rows.roles.retain(|r| r.id != ended);
            for member in &mut rows.members {
                member.roles.retain(|&held| held != ended);
            }
            for channel in &mut rows.channels {
                channel
                    .overwrites
                    .retain(|o| o.target != OverwriteTarget::Role(ended));
            }
        }
        Event::MemberJoined { member, invite } => {
            rows.members.push((**member).clone());
            for present in &mut rows.invites {
                if let Some(used) = invite
                    && used.code == present.code
                {
                    present.uses = used.uses + 1;
                }
            }
        }
        Event::MemberUpdated(change) => {
            rows.members.retain(|m| m.user.id != change.after.user.id);
            rows.members.push(change.after.clone());
        }
        Event::MemberRemoved { member, .. } => {
            rows.members.retain(|m| m.user.id != member.user.id);
        }
        Event::BanAdded(ban) => {
            rows.bans.retain(|b| b.user.id != ban.user.id);
            rows.bans.push(ban.clone());
        }
        Event::BanRemoved(ban) => rows.bans.retain(|b| b.user.id != ban.user.id),
        Event::InviteCreated(invite) => rows.invites.push(invite.clone()),
        Event::InviteDeleted(invite) => rows.invites.retain(|i| i.code != invite.code),
        Event::WebhookCreated(webhook) => rows.webhooks.push((**webhook).clone()),
        Event::WebhookUpdated(change) => {
            rows.webhooks.retain(|w| w.id != change.after.id);
            rows.webhooks.push(change.after.clone());
        }
        Event::WebhookDeleted(webhook) => rows.webhooks.retain(|w| w.id != webhook.id),
        Event::EmojisChanged(changed) => match &changed.change {
            EmojiChange::Created(emoji) => rows.emojis.push(emoji.clone()),
            EmojiChange::Updated(change) => {
                rows.emojis.retain(|e| e.id != change.after.id);
                rows.emojis.push(change.after.clone());
            }
            EmojiChange::Deleted(emoji) => rows.emojis.retain(|e| e.id != emoji.id),
        },
        other => unreachable!("{other:?} does not change a guild's rows"),
    }
}

/// Members and bans show the present profile of this user.
pub(in crate::conformance) fn show_profile(rows: &mut GuildRows, user: &User) {
    let shown = rows
        .members
        .iter_mut()
        .map(|member| &mut member.user)
        .chain(rows.bans.iter_mut().map(|ban| &mut ban.user));
    for profile in shown.filter(|profile| profile.id == user.id) {
        *profile = user.clone();
    }
}

/// The same rows in one order.
pub(in crate::conformance) fn in_order(mut rows: GuildRows) -> GuildRows {
    rows.roles.sort_by_key(|role| role.id);
    rows.channels.sort_by_key(|channel| channel.id);
    rows.members.sort_by_key(|member| member.user.id);
    rows.bans.sort_by_key(|ban| ban.user.id);
    rows.invites.sort_by(|a, b| a.code.cmp(&b.code));
    rows.webhooks.sort_by_key(|webhook| webhook.id);
    rows.emojis.sort_by_key(|emoji| emoji.id);
    rows
}
