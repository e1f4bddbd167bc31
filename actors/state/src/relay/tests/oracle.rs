//! Who is told what of one event, by asking one session after the other.

use guildhall_model::channel::Channel;
use guildhall_model::event::{Event, Record};
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::intent::Intents;
use guildhall_model::{Permissions, Timestamp, UserId};

use super::super::Subscriber;
use crate::guild::GuildState;

/// What one session is told, and what its partition notes about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Event(u64),
    Shown(Channel),
    Hidden(Channel),
    Gone,
    Subscribed {
        gseq: u64,
        announced: Option<Box<GuildSnapshot>>,
    },
    Unsubscribed,
}

/// What a subscribed session is told of an event that leads from one state to the next.
pub(super) fn told(
    (before, after): (&GuildState, &GuildState),
    record: &Record,
    subscriber: &Subscriber,
) -> Vec<Told> {
    let user = subscriber.viewer.user_id;
    let wants_guilds = subscriber.viewer.wants(Intents::GUILDS);
    if after.member(user).is_none() {
        let gone = wants_guilds.then_some(Told::Gone);
        return gone.into_iter().chain([Told::Unsubscribed]).collect();
    }
    let mut told = Vec::new();
    if hears((before, after), &record.event, subscriber) {
        told.push(Told::Event(record.gseq));
    }
    if after.is_deleted() {
        told.push(Told::Unsubscribed);
        return told;
    }
    if wants_guilds {
        told.extend(shifts(before, after, user));
    }
    told
}

fn hears(
    (before, after): (&GuildState, &GuildState),
    event: &Event,
    subscriber: &Subscriber,
) -> bool {
    let user = subscriber.viewer.user_id;
    let wants = |intent| subscriber.viewer.wants(intent);
    let holds = |bits| after.permissions(user, Timestamp(0)).intersects(bits);
    match event {
        Event::ChannelCreated(channel) => wants(Intents::GUILDS) && sees(after, user, channel),
        Event::ChannelDeleted(channel) => wants(Intents::GUILDS) && sees(before, user, channel),
        Event::ChannelUpdated(change) => {
            let stays = sees(before, user, &change.before) && sees(after, user, &change.after);
            wants(Intents::GUILDS) && stays
        }
        Event::GuildUpdated(_)
        | Event::GuildDeleted
        | Event::RoleCreated(_)
        | Event::RoleUpdated(_)
        | Event::RoleDeleted(_) => wants(Intents::GUILDS),
        Event::MemberJoined { .. } | Event::MemberRemoved { .. } => wants(Intents::GUILD_MEMBERS),
        Event::MemberUpdated(change) => {
            wants(Intents::GUILD_MEMBERS) || change.after.user.id == user
        }
        Event::BanAdded(_) | Event::BanRemoved(_) => {
            wants(Intents::GUILD_MODERATION) && holds(Permissions::BAN_MEMBERS)
        }
        Event::InviteCreated(_) | Event::InviteDeleted(_) => {
            let managers = Permissions::MANAGE_CHANNELS | Permissions::MANAGE_GUILD;
            wants(Intents::GUILD_INVITES) && holds(managers)
        }
        Event::WebhookCreated(_) | Event::WebhookUpdated(_) | Event::WebhookDeleted(_) => {
            wants(Intents::GUILD_WEBHOOKS) && holds(Permissions::MANAGE_WEBHOOKS)
        }
        Event::EmojisChanged(_) => wants(Intents::GUILD_EXPRESSIONS),
        Event::Audited(_) => wants(Intents::GUILD_MODERATION) && holds(Permissions::VIEW_AUDIT_LOG),
        Event::MessageCreated(message) => {
            let channel = after.channel(message.channel_id);
            wants(Intents::GUILD_MESSAGES)
                && channel.is_some_and(|channel| sees(after, user, channel))
        }
        other => panic!("the world makes no such event: {other:?}"),
    }
}

/// Channels that exist before and after and that the user has lost or gained.
fn shifts(before: &GuildState, after: &GuildState, user: UserId) -> Vec<Told> {
    let mut shifts = Vec::new();
    for channel in before.channels() {
        let Some(now) = after.channel(channel.id) else {
            continue;
        };
        match (sees(before, user, channel), sees(after, user, now)) {
            (true, false) => shifts.push(Told::Hidden(Channel::clone(channel))),
            (false, true) => shifts.push(Told::Shown(Channel::clone(now))),
            _ => {}
        }
    }
    shifts
}

fn sees(state: &GuildState, user: UserId, channel: &Channel) -> bool {
    let standing = state.standing(user, Timestamp(0));
    standing.is_some_and(|standing| {
        let access = standing.in_channel(&channel.overwrites);
        access.contains(Permissions::VIEW_CHANNEL)
    })
}
