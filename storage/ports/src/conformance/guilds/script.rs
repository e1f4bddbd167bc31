//! Random lives of a guild: steps that become events which make sense at their time.

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::emoji::{EmojiChange, EmojisChange};
use guildhall_model::event::{Change, Departure, Event, GuildChange, RoleEnd};
use guildhall_model::guild::GuildRows;
use guildhall_model::member::Ban;
use guildhall_model::picture::Picture;
use guildhall_model::{Permissions, RoleId};
use proptest::prelude::*;

use super::super::sample::{self, NOW, id, invite, member, user};

/// How many users a script is about; their ids are 1 to this.
pub(super) const USERS: u64 = 5;

/// One thing that somebody does. Numbers pick from what is there, counted around.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Rename(u8),
    Open,
    MakeChannel,
    ChangeChannel {
        pick: usize,
        overwrites: Vec<(u8, u64)>,
    },
    EndChannel(usize),
    MakeRole(u64),
    ChangeRole {
        pick: usize,
        permissions: u64,
    },
    EndRole(usize),
    Join {
        pick: u64,
        by: Option<usize>,
    },
    SetRoles {
        pick: usize,
        roles: Vec<usize>,
    },
    TimeOut {
        pick: usize,
        ms: Option<i64>,
    },
    Leave(usize),
    Ban(u64),
    Unban(usize),
    Invite,
    Revoke(usize),
    MakeWebhook,
    ChangeWebhook {
        pick: usize,
        channel: usize,
    },
    EndWebhook(usize),
    MakeEmoji,
    ChangeEmoji {
        pick: usize,
        roles: Vec<usize>,
    },
    EndEmoji(usize),
}

/// A few dozen steps of every kind.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pick = 0_usize..8;
    let step = prop_oneof![
        any::<u8>().prop_map(Step::Rename),
        Just(Step::Open),
        Just(Step::MakeChannel),
        (
            pick.clone(),
            prop::collection::vec(any::<(u8, u64)>(), 0..6)
        )
            .prop_map(|(pick, overwrites)| Step::ChangeChannel { pick, overwrites }),
        pick.clone().prop_map(Step::EndChannel),
        any::<u64>().prop_map(Step::MakeRole),
        (pick.clone(), any::<u64>())
            .prop_map(|(pick, permissions)| Step::ChangeRole { pick, permissions }),
        pick.clone().prop_map(Step::EndRole),
        (1..=USERS, prop::option::of(pick.clone())).prop_map(|(pick, by)| Step::Join { pick, by }),
        (pick.clone(), prop::collection::vec(pick.clone(), 0..4))
            .prop_map(|(pick, roles)| Step::SetRoles { pick, roles }),
        (pick.clone(), prop::option::of(0..10_000_i64))
            .prop_map(|(pick, ms)| Step::TimeOut { pick, ms }),
        pick.clone().prop_map(Step::Leave),
        (1..=USERS).prop_map(Step::Ban),
        pick.clone().prop_map(Step::Unban),
        Just(Step::Invite),
        pick.clone().prop_map(Step::Revoke),
        Just(Step::MakeWebhook),
        (pick.clone(), pick.clone())
            .prop_map(|(pick, channel)| Step::ChangeWebhook { pick, channel }),
        pick.clone().prop_map(Step::EndWebhook),
        Just(Step::MakeEmoji),
        (pick.clone(), prop::collection::vec(pick.clone(), 0..4))
            .prop_map(|(pick, roles)| Step::ChangeEmoji { pick, roles }),
        pick.prop_map(Step::EndEmoji),
    ];
    prop::collection::vec(step, 1..40)
}

/// The event that a step is, given the rows before it and an unused number; `None` where it makes
/// no sense.
pub(super) fn event(step: &Step, rows: &GuildRows, unused: u64) -> Option<Event> {
    let guild = rows.guild.id.get();
    let event = match step {
        Step::Rename(_) | Step::Open => guild_event(step, rows),
        Step::MakeChannel => Event::ChannelCreated(sample::channel(unused, guild)),
        Step::ChangeChannel { pick, overwrites } => {
            let before = nth(&rows.channels, *pick)?.clone();
            let mut after = before.clone();
            after.topic = overwrites.first().map(|(n, _)| format!("topic {n}"));
            after.parent_id = overwrites
                .first()
                .and_then(|&(n, _)| nth(&rows.channels, n.into()))
                .map(|parent| parent.id);
            after.overwrites = self::overwrites(rows, overwrites);
            Event::ChannelUpdated(Box::new(Change { before, after }))
        }
        Step::EndChannel(pick) => Event::ChannelDeleted(nth(&rows.channels, *pick)?.clone()),
        Step::MakeRole(permissions) => {
            let mut role = sample::role(unused, guild);
            role.permissions = Permissions::from_bits_retain(*permissions);
            Event::RoleCreated(role)
        }
        Step::ChangeRole { pick, permissions } => {
            let before = nth(&rows.roles, *pick)?.clone();
            let mut after = before.clone();
            after.permissions = Permissions::from_bits_retain(*permissions);
            after.position += 1;
            Event::RoleUpdated(Box::new(Change { before, after }))
        }
        Step::EndRole(pick) => role_end(rows, *pick)?,
        Step::Invite => Event::InviteCreated(invite(&format!("code{unused}"), guild)),
        Step::Revoke(pick) => Event::InviteDeleted(nth(&rows.invites, *pick)?.clone()),
        Step::MakeWebhook => Event::WebhookCreated(Box::new(sample::webhook(unused, guild))),
        Step::ChangeWebhook { pick, channel } => {
            let before = nth(&rows.webhooks, *pick)?.clone();
            let mut after = before.clone();
            after.name = format!("renamed {channel}");
            let address = format!("https://pictures.example/{channel}");
            after.avatar = Some(Picture::Address(address));
            after.channel_id = nth(&rows.channels, *channel)?.id;
            Event::WebhookUpdated(Box::new(Change { before, after }))
        }
        Step::EndWebhook(pick) => {
            Event::WebhookDeleted(Box::new(nth(&rows.webhooks, *pick)?.clone()))
        }
        Step::MakeEmoji | Step::ChangeEmoji { .. } | Step::EndEmoji(_) => {
            emoji_event(step, rows, unused)?
        }
        people => member_event(people, rows)?,
    };
    Some(event)
}

fn guild_event(step: &Step, rows: &GuildRows) -> Event {
    let before = rows.guild.clone();
    let mut after = before.clone();
    match step {
        Step::Rename(n) => {
            after.name = format!("Named {n}");
            after.description = None;
        }
        _ => after.is_public = !after.is_public,
    }
    let (roles, member_count) = (rows.roles.clone(), 1);
    Event::GuildUpdated(Box::new(GuildChange {
        before,
        after,
        roles,
        emojis: rows.emojis.clone(),
        member_count,
    }))
}

fn member_event(step: &Step, rows: &GuildRows) -> Option<Event> {
    let event = match step {
        Step::Join { pick, by } => {
            if rows.members.iter().any(|m| m.user.id == id(*pick)) {
                return None;
            }
            Event::MemberJoined {
                member: Box::new(member(user(*pick))),
                invite: by.and_then(|by| nth(&rows.invites, by)).cloned(),
            }
        }
        Step::SetRoles { pick, roles } => {
            let before = nth(&rows.members, *pick)?.clone();
            let mut after = before.clone();
            after.nick = roles.first().map(|n| format!("nick {n}"));
            after.roles = held(rows, roles);
            Event::MemberUpdated(Box::new(Change { before, after }))
        }
        Step::TimeOut { pick, ms } => {
            let before = nth(&rows.members, *pick)?.clone();
            let mut after = before.clone();
            after.timed_out_until = ms.map(|ms| NOW.plus_ms(ms));
            after.temporary = ms.is_some();
            Event::MemberUpdated(Box::new(Change { before, after }))
        }
        Step::Leave(pick) => Event::MemberRemoved {
            member: Box::new(nth(&rows.members, *pick)?.clone()),
            how: Departure::Left,
        },
        Step::Ban(pick) => Event::BanAdded(Ban {
            user: user(*pick),
            reason: pick.is_multiple_of(2).then(|| "spam".to_owned()),
            by: rows.guild.owner_id,
            at: NOW.plus_ms(rows.gseq.cast_signed()),
        }),
        Step::Unban(pick) => Event::BanRemoved(nth(&rows.bans, *pick)?.clone()),
        other => unreachable!("{other:?} is not about members"),
    };
    Some(event)
}

fn emoji_event(step: &Step, rows: &GuildRows, unused: u64) -> Option<Event> {
    let change = match step {
        Step::ChangeEmoji { pick, roles } => {
            let before = nth(&rows.emojis, *pick)?.clone();
            let mut after = before.clone();
            after.name = format!("renamed_{unused}");
            after.roles = held(rows, roles);
            EmojiChange::Updated(Change { before, after })
        }
        Step::EndEmoji(pick) => EmojiChange::Deleted(nth(&rows.emojis, *pick)?.clone()),
        _ => EmojiChange::Created(sample::guild_emoji(unused, rows.guild.id.get())),
    };
    // What clients are told of changes no row.
    let emojis = Vec::new();
    Some(Event::EmojisChanged(Box::new(EmojisChange {
        change,
        emojis,
    })))
}

fn role_end(rows: &GuildRows, pick: usize) -> Option<Event> {
    let role = nth(&rows.roles, pick).filter(|role| !role.is_everyone())?;
    let target = OverwriteTarget::Role(role.id);
    let holders = rows
        .members
        .iter()
        .filter(|member| member.roles.contains(&role.id))
        .map(|member| member.user.id)
        .collect();
    let overwrites = rows
        .channels
        .iter()
        .flat_map(|channel| channel.overwrites.iter().map(|o| (channel.id, *o)))
        .filter(|(_, overwrite)| overwrite.target == target)
        .collect();
    Some(Event::RoleDeleted(Box::new(RoleEnd {
        role: role.clone(),
        holders,
        overwrites,
    })))
}

/// Overwrites of roles and members that are there, in order of their targets.
fn overwrites(rows: &GuildRows, picks: &[(u8, u64)]) -> Vec<Overwrite> {
    let mut list: Vec<Overwrite> = picks
        .iter()
        .filter_map(|&(pick, bits)| {
            let target = if pick.is_multiple_of(2) {
                OverwriteTarget::Role(nth(&rows.roles, pick.into())?.id)
            } else {
                OverwriteTarget::Member(nth(&rows.members, pick.into())?.user.id)
            };
            Some(Overwrite {
                target,
                allow: Permissions::from_bits_retain(bits),
                deny: Permissions::from_bits_retain(!bits),
            })
        })
        .collect();
    list.sort_by_key(|overwrite| overwrite.target);
    list.dedup_by_key(|overwrite| overwrite.target);
    list
}

/// Roles that are there, sorted, without `@everyone`.
fn held(rows: &GuildRows, picks: &[usize]) -> Vec<RoleId> {
    let mut roles: Vec<RoleId> = picks
        .iter()
        .filter_map(|&pick| nth(&rows.roles, pick))
        .filter(|role| !role.is_everyone())
        .map(|role| role.id)
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn nth<T>(list: &[T], pick: usize) -> Option<&T> {
    list.get(pick.checked_rem(list.len())?)
}
