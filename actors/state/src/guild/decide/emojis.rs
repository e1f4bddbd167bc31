//! Making, changing and ending the guild's own emojis.

use guildhall_model::command::{EmojiUpdate, NewEmoji};
use guildhall_model::emoji::{EmojiChange, EmojisChange, GuildEmoji};
use guildhall_model::event::{Change, Event};
use guildhall_model::rejection::Noun;
use guildhall_model::{EmojiId, Permissions, Rejection, RoleId, limits};

use super::Acting;

pub(super) fn create(acting: &Acting<'_>, new: NewEmoji) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::CREATE_GUILD_EXPRESSIONS)?;
    let alike = acting
        .state
        .emojis()
        .filter(|emoji| emoji.is_animated == new.is_animated)
        .count();
    let limit = limits::GUILD_EMOJIS_MAX;
    if alike >= limit {
        return Err(Rejection::LimitReached {
            what: "emojis",
            limit,
        });
    }
    if acting.state.emoji(new.id).is_some() {
        return Err(Rejection::Taken("id"));
    }
    let emoji = GuildEmoji {
        id: new.id,
        guild_id: acting.state.guild.id,
        name: new.name.into(),
        is_animated: new.is_animated,
        roles: checked(acting, &[], new.roles)?,
        creator_id: acting.standing.user_id,
    };
    Ok(changed(acting, EmojiChange::Created(emoji)))
}

pub(super) fn update(
    acting: &Acting<'_>,
    id: EmojiId,
    update: EmojiUpdate,
) -> Result<Vec<Event>, Rejection> {
    let before = own(acting, id)?;
    let mut after = before.clone();
    if let Some(name) = update.name {
        after.name = name.into();
    }
    if let Some(roles) = update.roles {
        after.roles = checked(acting, &before.roles, roles)?;
    }
    if *before == after {
        return Ok(Vec::new());
    }
    let before = before.clone();
    Ok(changed(
        acting,
        EmojiChange::Updated(Change { before, after }),
    ))
}

pub(super) fn delete(acting: &Acting<'_>, id: EmojiId) -> Result<Vec<Event>, Rejection> {
    let emoji = own(acting, id)?.clone();
    Ok(changed(acting, EmojiChange::Deleted(emoji)))
}

/// An emoji that the actor may change: whoever made it needs no more than to make one.
fn own<'a>(acting: &'a Acting<'_>, id: EmojiId) -> Result<&'a GuildEmoji, Rejection> {
    let unknown = Rejection::Unknown(Noun::Emoji);
    let emoji = acting.state.emoji(id).ok_or(unknown)?;
    let managed = acting.require(Permissions::MANAGE_GUILD_EXPRESSIONS);
    if emoji.creator_id == acting.standing.user_id {
        managed.or_else(|refused| {
            let made = acting.require(Permissions::CREATE_GUILD_EXPRESSIONS);
            made.map_err(|_| refused)
        })?;
    } else {
        managed?;
    }
    Ok(emoji)
}

/// Roles in their stored order, each once, and none that is new and unknown.
fn checked(
    acting: &Acting<'_>,
    before: &[RoleId],
    mut roles: Vec<RoleId>,
) -> Result<Vec<RoleId>, Rejection> {
    roles.sort_unstable();
    roles.dedup();
    let is_known = |role: &RoleId| acting.state.role(*role).is_some() || before.contains(role);
    if !roles.iter().all(is_known) {
        let why = "must name roles of the server";
        return Err(Rejection::field("roles", "unknown_role", why));
    }
    Ok(roles)
}

fn changed(acting: &Acting<'_>, change: EmojiChange) -> Vec<Event> {
    let mut emojis = acting.state.emoji_list();
    match &change {
        EmojiChange::Created(emoji) => emojis.push(emoji.clone()),
        EmojiChange::Updated(change) => {
            let places = emojis
                .iter_mut()
                .filter(|emoji| emoji.id == change.after.id);
            places.for_each(|place| place.clone_from(&change.after));
        }
        EmojiChange::Deleted(ended) => emojis.retain(|emoji| emoji.id != ended.id),
    }
    emojis.sort_unstable_by_key(|emoji| emoji.id);
    vec![Event::EmojisChanged(Box::new(EmojisChange {
        change,
        emojis,
    }))]
}
