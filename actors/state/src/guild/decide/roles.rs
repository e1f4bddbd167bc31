//! Making, changing, ending and assigning roles, always below the actor's own rank.

use std::collections::BTreeMap;

use guildhall_model::channel::OverwriteTarget;
use guildhall_model::command::{RoleUpdate, RolesEdit};
use guildhall_model::event::{Change, Event, RoleEnd};
use guildhall_model::member::Member;
use guildhall_model::rejection::Noun;
use guildhall_model::role::Role;
use guildhall_model::{Permissions, Rejection, RoleId, UserId, limits};

use super::Acting;
use crate::Mint;

pub(super) fn create(
    acting: &Acting<'_>,
    new: RoleUpdate,
    mint: &mut Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_ROLES)?;
    if acting.state.roles.len() >= limits::ROLES_MAX {
        return Err(Rejection::LimitReached {
            what: "roles",
            limit: limits::ROLES_MAX,
        });
    }
    let guild_id = acting.state.guild.id;
    let everyone = acting.state.role(guild_id.everyone_role());
    let start = everyone.map_or(Permissions::empty(), |role| role.permissions);
    let mut role = Role {
        id: mint.id(),
        guild_id,
        name: "new role".to_owned(),
        color: 0,
        hoist: false,
        mentionable: false,
        managed: false,
        permissions: start & acting.standing.in_guild(),
        position: 1,
    };
    if new.permissions.is_some() {
        role.permissions = Permissions::empty();
    }
    edit(acting, &mut role, new)?;
    acting.require_held(role.permissions)?;
    Ok(vec![Event::RoleCreated(role)])
}

pub(super) fn update(
    acting: &Acting<'_>,
    id: RoleId,
    update: RoleUpdate,
) -> Result<Vec<Event>, Rejection> {
    let before = acting
        .state
        .role(id)
        .ok_or(Rejection::Unknown(Noun::Role))?;
    acting.require(Permissions::MANAGE_ROLES)?;
    if before.is_everyone() {
        if update.name.is_some() || update.position.is_some_and(|position| position != 0) {
            return Err(Rejection::Conflict("@everyone keeps its name and place"));
        }
    } else {
        acting.require_above(Some(before.rank()))?;
    }
    let mut after = Role::clone(before);
    edit(acting, &mut after, update)?;
    acting.require_held(before.permissions ^ after.permissions)?;
    if **before == after {
        return Ok(Vec::new());
    }
    let before = Role::clone(before);
    Ok(vec![Event::RoleUpdated(Box::new(Change { before, after }))])
}

fn edit(acting: &Acting<'_>, role: &mut Role, update: RoleUpdate) -> Result<(), Rejection> {
    if let Some(name) = update.name {
        role.name = name.into();
    }
    role.color = update.color.unwrap_or(role.color);
    role.hoist = update.hoist.unwrap_or(role.hoist);
    role.mentionable = update.mentionable.unwrap_or(role.mentionable);
    if let Some(edit) = update.permissions {
        role.permissions = edit.apply(role.permissions);
    }
    if role.is_everyone() {
        return Ok(());
    }
    if let Some(position) = update.position {
        if position == 0 {
            return Err(Rejection::Conflict("only @everyone stands lowest"));
        }
        role.position = position;
    }
    acting.require_above(Some(role.rank()))
}

pub(super) fn delete(acting: &Acting<'_>, id: RoleId) -> Result<Vec<Event>, Rejection> {
    let role = acting
        .state
        .role(id)
        .ok_or(Rejection::Unknown(Noun::Role))?;
    acting.require(Permissions::MANAGE_ROLES)?;
    if role.is_everyone() || role.managed {
        return Err(Rejection::Conflict(
            "this role lasts as long as its server or bot",
        ));
    }
    acting.require_above(Some(role.rank()))?;
    let mut holders: Vec<UserId> = acting
        .state
        .members()
        .filter(|member| member.roles.binary_search(&id).is_ok())
        .map(|member| member.user.id)
        .collect();
    holders.sort_unstable();
    let overwrites = acting.state.channels().flat_map(|channel| {
        let of_role = channel
            .overwrites
            .iter()
            .filter(|o| o.target == OverwriteTarget::Role(id));
        of_role.map(|overwrite| (channel.id, *overwrite))
    });
    let end = RoleEnd {
        role: Role::clone(role),
        holders,
        overwrites: overwrites.collect(),
    };
    Ok(vec![Event::RoleDeleted(Box::new(end))])
}

/// The roles of a member after an edit, sorted.
pub(super) fn edited(
    acting: &Acting<'_>,
    before: &Member,
    edit: RolesEdit,
) -> Result<Vec<RoleId>, Rejection> {
    acting.require(Permissions::MANAGE_ROLES)?;
    let mut roles = match edit {
        RolesEdit::Exactly(roles) => roles,
        RolesEdit::Add(id) => {
            require_assignable(acting, id)?;
            before.roles.iter().copied().chain([id]).collect()
        }
        RolesEdit::Remove(id) => {
            require_assignable(acting, id)?;
            let held = before.roles.iter().copied();
            held.filter(|&held| held != id).collect()
        }
    };
    roles.retain(|&id| id != acting.state.guild.id.everyone_role());
    roles.sort_unstable();
    roles.dedup();
    let added = roles.iter().filter(|id| !before.roles.contains(id));
    let taken = before.roles.iter().filter(|id| !roles.contains(id));
    for &id in added.chain(taken) {
        require_assignable(acting, id)?;
    }
    Ok(roles)
}

fn require_assignable(acting: &Acting<'_>, id: RoleId) -> Result<(), Rejection> {
    let role = acting
        .state
        .role(id)
        .ok_or(Rejection::Unknown(Noun::Role))?;
    if role.managed {
        return Err(Rejection::Conflict("a bot's own role cannot be assigned"));
    }
    acting.require_above(Some(role.rank()))
}

/// Puts roles at new places, all below the actor's own before and after. A role that is named
/// twice goes to the last place.
pub(super) fn arrange(
    acting: &Acting<'_>,
    places: &[(RoleId, u16)],
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_ROLES)?;
    let places: BTreeMap<RoleId, u16> = places.iter().copied().collect();
    let mut events = Vec::new();
    for (id, position) in places {
        let position = Some(position);
        let update = RoleUpdate {
            position,
            ..RoleUpdate::default()
        };
        events.extend(self::update(acting, id, update)?);
    }
    Ok(events)
}
