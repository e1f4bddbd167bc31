//! Making, changing and ending channels.

use std::collections::BTreeMap;

use guildhall_model::channel::{Channel, Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelUpdate, NewChannel};
use guildhall_model::event::{Change, Event};
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, Permissions, Rejection, limits};

use super::Acting;
use crate::Mint;

pub(super) fn create(
    acting: &Acting<'_>,
    new: NewChannel,
    mint: &mut Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_CHANNELS)?;
    if acting.state.channels.len() >= limits::CHANNELS_MAX {
        return Err(Rejection::LimitReached {
            what: "channels",
            limit: limits::CHANNELS_MAX,
        });
    }
    let last = acting
        .state
        .channels
        .values()
        .map(|channel| channel.position)
        .max();
    let channel = Channel {
        id: mint.id(),
        guild_id: acting.state.guild.id,
        kind: new.kind,
        name: new.name.into(),
        topic: new.topic.map(Into::into),
        position: new
            .position
            .unwrap_or_else(|| last.map_or(0, |last| last.saturating_add(1))),
        overwrites: checked(acting, &[], new.overwrites)?,
    };
    Ok(vec![Event::ChannelCreated(channel)])
}

pub(super) fn update(
    acting: &Acting<'_>,
    id: ChannelId,
    update: ChannelUpdate,
) -> Result<Vec<Event>, Rejection> {
    let before = acting
        .state
        .channel(id)
        .ok_or(Rejection::Unknown(Noun::Channel))?;
    acting.require_in(before, Permissions::MANAGE_CHANNELS)?;
    let mut after = Channel::clone(before);
    if let Some(name) = update.name {
        after.name = name.into();
    }
    if let Some(topic) = update.topic {
        after.topic = topic.map(Into::into);
    }
    if let Some(position) = update.position {
        after.position = position;
    }
    if let Some(edits) = update.overwrites {
        let edited = edits.iter().map(|edit| edit.apply(&before.overwrites));
        let overwrites = checked(acting, &before.overwrites, edited.collect())?;
        if overwrites != before.overwrites {
            acting.require_in(before, Permissions::MANAGE_ROLES)?;
            after.overwrites = overwrites;
        }
    }
    if **before == after {
        return Ok(Vec::new());
    }
    let before = Channel::clone(before);
    Ok(vec![Event::ChannelUpdated(Box::new(Change {
        before,
        after,
    }))])
}

/// A channel takes its webhooks with it.
pub(super) fn delete(acting: &Acting<'_>, id: ChannelId) -> Result<Vec<Event>, Rejection> {
    let channel = acting
        .state
        .channel(id)
        .ok_or(Rejection::Unknown(Noun::Channel))?;
    acting.require_in(channel, Permissions::MANAGE_CHANNELS)?;
    let webhooks = acting.state.webhooks();
    let ending = webhooks.filter(|webhook| webhook.channel_id == id);
    let ended = ending.map(|webhook| Event::WebhookDeleted(Box::new((**webhook).clone())));
    let channel = Event::ChannelDeleted(Channel::clone(channel));
    Ok(ended.chain([channel]).collect())
}

/// Puts channels at new places. A channel that is named twice goes to the last place.
pub(super) fn arrange(
    acting: &Acting<'_>,
    places: &[(ChannelId, u16)],
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_CHANNELS)?;
    let places: BTreeMap<ChannelId, u16> = places.iter().copied().collect();
    let mut events = Vec::new();
    for (id, position) in places {
        let position = Some(position);
        let update = ChannelUpdate {
            position,
            ..ChannelUpdate::default()
        };
        events.extend(self::update(acting, id, update)?);
    }
    Ok(events)
}

/// Gives a channel one overwrite and leaves the others.
pub(super) fn set_overwrite(
    acting: &Acting<'_>,
    id: ChannelId,
    overwrite: Overwrite,
) -> Result<Vec<Event>, Rejection> {
    let before = managed(acting, id)?;
    let others = before.overwrites.iter().copied();
    let others = others.filter(|other| other.target != overwrite.target);
    let all = others.chain([overwrite]).collect();
    let overwrites = checked(acting, &before.overwrites, all)?;
    Ok(replaced(before, overwrites))
}

/// Takes one overwrite from a channel and leaves the others.
pub(super) fn remove_overwrite(
    acting: &Acting<'_>,
    id: ChannelId,
    targets: [OverwriteTarget; 2],
) -> Result<Vec<Event>, Rejection> {
    let before = managed(acting, id)?;
    let others = before.overwrites.iter().copied();
    let others: Vec<_> = others
        .filter(|other| !targets.contains(&other.target))
        .collect();
    if others.len() == before.overwrites.len() {
        return Err(Rejection::Unknown(Noun::Overwrite));
    }
    let overwrites = checked(acting, &before.overwrites, others)?;
    Ok(replaced(before, overwrites))
}

/// A channel whose overwrites the actor may change.
fn managed<'a>(acting: &'a Acting<'_>, id: ChannelId) -> Result<&'a Channel, Rejection> {
    let channel = acting
        .state
        .channel(id)
        .ok_or(Rejection::Unknown(Noun::Channel))?;
    acting.require_in(channel, Permissions::MANAGE_ROLES)?;
    Ok(channel)
}

fn replaced(before: &Channel, overwrites: Vec<Overwrite>) -> Vec<Event> {
    if overwrites == before.overwrites {
        return Vec::new();
    }
    let before = before.clone();
    let after = Channel {
        overwrites,
        ..before.clone()
    };
    vec![Event::ChannelUpdated(Box::new(Change { before, after }))]
}

/// Overwrites in their stored order, each for somebody of this guild, and none that hands out or
/// takes away what the actor does not hold.
fn checked(
    acting: &Acting<'_>,
    before: &[Overwrite],
    mut overwrites: Vec<Overwrite>,
) -> Result<Vec<Overwrite>, Rejection> {
    if overwrites.len() > limits::OVERWRITES_MAX {
        let limit = limits::OVERWRITES_MAX;
        return Err(Rejection::LimitReached {
            what: "overwrites",
            limit,
        });
    }
    overwrites.sort_by_key(|overwrite| overwrite.target);
    if overwrites
        .windows(2)
        .any(|pair| pair[0].target == pair[1].target)
    {
        return Err(invalid("duplicate", "must not name a role or member twice"));
    }
    for overwrite in &overwrites {
        let known = match overwrite.target {
            OverwriteTarget::Role(role) => acting.state.role(role).is_some(),
            OverwriteTarget::Member(user) => acting.state.member(user).is_some(),
        };
        let stood = before.iter().find(|old| old.target == overwrite.target);
        if !known && stood.is_none() {
            return Err(invalid(
                "unknown_target",
                "must name roles and members of the server",
            ));
        }
    }
    acting.require_held(changed_bits(before, &overwrites))?;
    Ok(overwrites)
}

/// The bits in which two lists of overwrites differ for anybody.
fn changed_bits(before: &[Overwrite], after: &[Overwrite]) -> Permissions {
    let bits = |list: &[Overwrite], target| {
        let found = list.iter().find(|overwrite| overwrite.target == target);
        found.map_or((Permissions::empty(), Permissions::empty()), |o| {
            (o.allow, o.deny)
        })
    };
    before
        .iter()
        .chain(after)
        .fold(Permissions::empty(), |changed, overwrite| {
            let (old, new) = (
                bits(before, overwrite.target),
                bits(after, overwrite.target),
            );
            changed | (old.0 ^ new.0) | (old.1 ^ new.1)
        })
}

fn invalid(code: &'static str, message: &str) -> Rejection {
    Rejection::field("permissions.overwrites", code, message)
}
