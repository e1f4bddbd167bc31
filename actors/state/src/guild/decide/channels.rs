//! Making, changing and ending channels.

use std::collections::BTreeMap;

use guildhall_model::channel::{Channel, ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelMove, ChannelUpdate, NewChannel};
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
    let parent = match new.parent_id {
        Some(id) => Some(category(acting, id, new.kind)?),
        None => None,
    };
    let overwrites = match parent {
        // Whoever may make a channel there may let it be as its category is.
        Some(category) if new.overwrites.is_empty() => category.overwrites.clone(),
        _ => checked(acting, &[], new.overwrites)?,
    };
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
        parent_id: new.parent_id,
        overwrites,
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
    if let Some(parent_id) = update.parent_id {
        if let Some(id) = parent_id.filter(|_| parent_id != before.parent_id) {
            category(acting, id, before.kind)?;
        }
        after.parent_id = parent_id;
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
    // What stood in a category stands in none, before there is none.
    let mut events: Vec<Event> = children(acting, id)
        .map(|child| {
            let before = child.clone();
            let after = Channel {
                parent_id: None,
                ..before.clone()
            };
            Event::ChannelUpdated(Box::new(Change { before, after }))
        })
        .collect();
    events.extend(ended);
    events.push(Event::ChannelDeleted(Channel::clone(channel)));
    Ok(events)
}

fn children<'a>(acting: &'a Acting<'_>, category: ChannelId) -> impl Iterator<Item = &'a Channel> {
    let all = acting.state.channels().map(|channel| &**channel);
    all.filter(move |channel| channel.parent_id == Some(category))
}

/// A category that the actor sees and that has room for one more channel of this kind.
fn category<'a>(
    acting: &'a Acting<'_>,
    id: ChannelId,
    kind: ChannelKind,
) -> Result<&'a Channel, Rejection> {
    let invalid = |why: &str| Rejection::field("parent_id", "channel_parent_invalid", why);
    if kind == ChannelKind::Category {
        return Err(invalid("categories stand in no other"));
    }
    let found = acting.state.channel(id).filter(|channel| {
        let is_seen = acting
            .require_in(channel, Permissions::VIEW_CHANNEL)
            .is_ok();
        channel.kind == ChannelKind::Category && is_seen
    });
    let found = found.ok_or_else(|| invalid("there is no such category"))?;
    if limits::CATEGORY_CHANNELS_MAX <= children(acting, id).count() {
        let why = "the category is full";
        return Err(Rejection::field(
            "parent_id",
            "channel_parent_max_channels",
            why,
        ));
    }
    Ok(found)
}

/// Puts channels at new places. A channel that is named twice goes to the last place.
pub(super) fn arrange(
    acting: &Acting<'_>,
    moves: Vec<ChannelMove>,
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_CHANNELS)?;
    let moves: BTreeMap<ChannelId, ChannelMove> =
        moves.into_iter().map(|place| (place.id, place)).collect();
    let comers = |parent: ChannelId| {
        let all = moves.values();
        all.filter(|place| place.parent_id == Some(Some(parent)))
            .count()
    };
    // Each move is decided by what was there before all of them, so that none sees the others.
    let stayers = |parent: ChannelId| {
        let named = |channel: &&Channel| !moves.contains_key(&channel.id);
        children(acting, parent).filter(named).count()
    };
    let is_full = |place: &ChannelMove| {
        let parent = place.parent_id.flatten();
        parent
            .is_some_and(|parent| limits::CATEGORY_CHANNELS_MAX < stayers(parent) + comers(parent))
    };
    if moves.values().any(is_full) {
        let why = "the category is full";
        return Err(Rejection::field(
            "parent_id",
            "channel_parent_max_channels",
            why,
        ));
    }
    let mut events = Vec::new();
    for (id, place) in moves {
        let parent = place.parent_id.flatten();
        let parent = parent.and_then(|parent| acting.state.channel(parent));
        let taken = parent.filter(|_| place.takes_overwrites);
        let update = ChannelUpdate {
            position: place.position,
            parent_id: place.parent_id,
            overwrites: taken.map(|parent| {
                let each = parent.overwrites.iter().copied();
                each.map(Into::into).collect()
            }),
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
