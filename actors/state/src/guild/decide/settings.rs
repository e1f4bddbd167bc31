//! Changing and ending the guild itself.

use guildhall_model::command::GuildUpdate;
use guildhall_model::event::{Event, GuildChange};
use guildhall_model::role::Role;
use guildhall_model::{Permissions, Rejection};

use super::Acting;

pub(super) fn update(acting: &Acting<'_>, update: GuildUpdate) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_GUILD)?;
    let before = (*acting.state.guild).clone();
    let mut after = before.clone();
    if let Some(owner_id) = update.owner_id.filter(|&id| id != before.owner_id) {
        if !acting.is_owner() {
            return Err(Rejection::OwnerOnly);
        }
        if acting
            .state
            .member(owner_id)
            .is_none_or(|member| member.user.bot)
        {
            return Err(Rejection::field(
                "owner_id",
                "not_a_member",
                "must be a member, no bot",
            ));
        }
        after.owner_id = owner_id;
    }
    if let Some(name) = update.name {
        after.name = name.into();
    }
    if let Some(description) = update.description {
        after.description = description.map(Into::into);
    }
    if let Some(icon) = update.icon {
        after.icon = icon;
    }
    if let Some(is_public) = update.is_public {
        after.is_public = is_public;
    }
    if before == after {
        return Ok(Vec::new());
    }
    let roles = acting.state.roles().map(|role| Role::clone(role)).collect();
    let member_count = acting.state.member_count();
    Ok(vec![Event::GuildUpdated(Box::new(GuildChange {
        before,
        after,
        roles,
        emojis: acting.state.emoji_list(),
        member_count,
    }))])
}

pub(super) fn delete(acting: &Acting<'_>) -> Result<Vec<Event>, Rejection> {
    if !acting.is_owner() {
        return Err(Rejection::OwnerOnly);
    }
    Ok(vec![Event::GuildDeleted])
}
