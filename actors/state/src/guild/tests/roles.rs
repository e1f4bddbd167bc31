//! Roles are made, changed, ended and assigned below the actor's own rank only.

use guildhall_model::channel::OverwriteTarget;
use guildhall_model::command::{GuildCommand, PermissionEdit, RoleUpdate};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::RoleName;
use guildhall_model::{Permissions, Rejection, RoleId, limits};

use crate::scene::{OWNER, Scene, for_role, id, permissions_of};

/// A guild in which user 2 manages roles from position 5, and the role that lets it.
fn managed() -> (Scene, RoleId) {
    let mut scene = Scene::new();
    scene.join(2);
    scene.join(3);
    let powers = Permissions::MANAGE_ROLES | Permissions::KICK_MEMBERS;
    let manager = scene.role(5, powers);
    scene.give(2, &[manager]);
    (scene, manager)
}

fn at(position: u16) -> RoleUpdate {
    RoleUpdate {
        position: Some(position),
        ..RoleUpdate::default()
    }
}

fn with(bits: Permissions) -> RoleUpdate {
    let mask = Permissions::EVERYTHING;
    RoleUpdate {
        permissions: Some(PermissionEdit { mask, bits }),
        ..RoleUpdate::default()
    }
}

fn missing<T>(bits: Permissions) -> Result<T, Rejection> {
    Err(Rejection::MissingPermission(bits))
}

#[test]
fn making_changing_ending_and_assigning_roles_needs_manage_roles() {
    let (mut scene, _) = managed();
    let low = scene.role(1, Permissions::empty());
    for command in [
        GuildCommand::CreateRole(RoleUpdate::default()),
        GuildCommand::UpdateRole(low, at(2)),
        GuildCommand::DeleteRole(low),
        GuildCommand::SetMemberRoles(id(3), vec![low]),
    ] {
        let refused = scene.attempt(3, command.clone());
        assert_eq!(refused, missing(Permissions::MANAGE_ROLES));
    }
}

#[test]
fn nobody_grants_or_takes_what_they_do_not_hold() {
    let (mut scene, _) = managed();
    let low = scene.role(1, Permissions::MANAGE_MESSAGES);
    let create = GuildCommand::CreateRole(with(Permissions::BAN_MEMBERS));
    assert_eq!(scene.attempt(2, create), missing(Permissions::BAN_MEMBERS));
    let grant = permissions_of(
        low,
        Permissions::MANAGE_MESSAGES | Permissions::ADMINISTRATOR,
    );
    assert_eq!(scene.attempt(2, grant), missing(Permissions::ADMINISTRATOR));
    let take = permissions_of(low, Permissions::empty());
    assert_eq!(
        scene.attempt(2, take),
        missing(Permissions::MANAGE_MESSAGES)
    );
    let everyone = permissions_of(
        scene.everyone(),
        Permissions::DEFAULT | Permissions::BAN_MEMBERS,
    );
    assert_eq!(
        scene.attempt(2, everyone),
        missing(Permissions::BAN_MEMBERS)
    );
    let held = permissions_of(
        low,
        Permissions::MANAGE_MESSAGES | Permissions::KICK_MEMBERS,
    );
    assert_eq!(scene.attempt(2, held).map(|events| events.len()), Ok(1));
}

#[test]
fn an_administrator_grants_everything_below_the_own_rank() {
    let (mut scene, manager) = managed();
    scene
        .attempt(OWNER, permissions_of(manager, Permissions::ADMINISTRATOR))
        .unwrap();
    let create = GuildCommand::CreateRole(with(Permissions::EVERYTHING));
    assert!(scene.attempt(2, create).is_ok());
    let own = permissions_of(manager, Permissions::EVERYTHING);
    assert_eq!(scene.attempt(2, own), Err(Rejection::Outranked));
}

#[test]
fn a_role_without_named_permissions_starts_with_those_of_everyone_that_its_maker_holds() {
    let (mut scene, _) = managed();
    let events = scene
        .attempt(2, GuildCommand::CreateRole(RoleUpdate::default()))
        .unwrap();
    let [Event::RoleCreated(role)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(role.permissions, Permissions::DEFAULT);
    assert_eq!((role.position, role.name.as_str()), (1, "new role"));
}

#[test]
fn the_own_and_higher_roles_are_out_of_reach() {
    let (mut scene, manager) = managed();
    let high = scene.role(6, Permissions::empty());
    for role in [manager, high] {
        for command in [
            GuildCommand::UpdateRole(role, at(1)),
            GuildCommand::DeleteRole(role),
            GuildCommand::SetMemberRoles(id(3), vec![role]),
        ] {
            assert_eq!(scene.attempt(2, command), Err(Rejection::Outranked));
        }
    }
    let laid_down = GuildCommand::SetMemberRoles(id(2), vec![]);
    assert_eq!(scene.attempt(2, laid_down), Err(Rejection::Outranked));
}

#[test]
fn a_role_is_not_lifted_to_or_over_the_own_rank() {
    let (mut scene, _) = managed();
    let low = scene.role(1, Permissions::empty());
    for command in [
        GuildCommand::UpdateRole(low, at(6)),
        GuildCommand::CreateRole(at(6)),
    ] {
        assert_eq!(scene.attempt(2, command), Err(Rejection::Outranked));
    }
    assert!(
        scene
            .attempt(2, GuildCommand::UpdateRole(low, at(4)))
            .is_ok()
    );
}

#[test]
fn of_equal_positions_the_older_role_ranks_higher() {
    let mut scene = Scene::peopled();
    let roles = |scene: &Scene, who| scene.state.member(id(who)).unwrap().roles.clone();
    let (older, younger) = (roles(&scene, 3), roles(&scene, 4));
    let renamed = |role: RoleId| {
        let name = Some(RoleName::parse("renamed").unwrap());
        GuildCommand::UpdateRole(
            role,
            RoleUpdate {
                name,
                ..RoleUpdate::default()
            },
        )
    };
    assert_eq!(
        scene.attempt(4, renamed(older[0])),
        Err(Rejection::Outranked)
    );
    assert!(scene.attempt(3, renamed(younger[0])).is_ok());
    // A new role of the same position is the youngest of all.
    assert!(scene.attempt(4, GuildCommand::CreateRole(at(3))).is_ok());
}

#[test]
fn of_several_roles_the_highest_decides_the_rank() {
    let (mut scene, manager) = managed();
    let low = scene.role(1, Permissions::empty());
    let middle = scene.role(4, Permissions::empty());
    scene.give(2, &[low, manager]);
    assert!(scene.attempt(2, GuildCommand::DeleteRole(middle)).is_ok());
}

#[test]
fn everyone_keeps_its_name_place_and_life() {
    let mut scene = Scene::new();
    let everyone = scene.everyone();
    let name = Some(RoleName::parse("all").unwrap());
    let renamed = RoleUpdate {
        name,
        ..RoleUpdate::default()
    };
    for command in [
        GuildCommand::UpdateRole(everyone, renamed),
        GuildCommand::UpdateRole(everyone, at(1)),
        GuildCommand::DeleteRole(everyone),
    ] {
        let refused = scene.attempt(OWNER, command);
        assert!(
            matches!(refused, Err(Rejection::Conflict(_))),
            "{refused:?}"
        );
    }
    assert!(
        scene
            .attempt(OWNER, permissions_of(everyone, Permissions::empty()))
            .is_ok()
    );
}

#[test]
fn only_everyone_stands_at_the_bottom() {
    let (mut scene, _) = managed();
    let refused = scene.attempt(OWNER, GuildCommand::CreateRole(at(0)));
    assert!(matches!(refused, Err(Rejection::Conflict(_))));
}

#[test]
fn everyone_is_never_among_a_members_roles() {
    let (mut scene, manager) = managed();
    let roles = vec![manager, scene.everyone(), manager];
    scene
        .attempt(OWNER, GuildCommand::SetMemberRoles(id(3), roles))
        .unwrap();
    assert_eq!(scene.state.member(id(3)).unwrap().roles, [manager]);
}

#[test]
fn roles_and_members_that_do_not_exist_are_unknown() {
    let (mut scene, manager) = managed();
    let none = RoleId::new(4).unwrap();
    let unknown = |noun| Err(Rejection::Unknown(noun));
    let assign = |who, role| GuildCommand::SetMemberRoles(id(who), vec![role]);
    assert_eq!(
        scene.attempt(2, GuildCommand::DeleteRole(none)),
        unknown(Noun::Role)
    );
    assert_eq!(
        scene.attempt(2, GuildCommand::UpdateRole(none, at(1))),
        unknown(Noun::Role)
    );
    assert_eq!(scene.attempt(2, assign(3, none)), unknown(Noun::Role));
    assert_eq!(scene.attempt(2, assign(9, manager)), unknown(Noun::Member));
}

#[test]
fn a_role_that_ends_takes_its_overwrites_and_assignments_along() {
    let (mut scene, _) = managed();
    let role = scene.role(1, Permissions::empty());
    scene.give(3, &[role]);
    let secret = Permissions::VIEW_CHANNEL;
    let channel = scene.channel(vec![for_role(role, secret, Permissions::empty())]);
    scene.attempt(2, GuildCommand::DeleteRole(role)).unwrap();
    assert!(scene.state.member(id(3)).unwrap().roles.is_empty());
    let left = &scene.state.channel(channel).unwrap().overwrites;
    assert!(
        left.iter()
            .all(|overwrite| overwrite.target != OverwriteTarget::Role(role))
    );
}

#[test]
fn what_is_as_asked_already_is_no_event() {
    let (mut scene, manager) = managed();
    for command in [
        GuildCommand::SetMemberRoles(id(2), vec![manager]),
        GuildCommand::UpdateRole(manager, RoleUpdate::default()),
    ] {
        assert_eq!(scene.attempt(OWNER, command), Ok(vec![]));
    }
}

#[test]
fn a_guild_has_a_bounded_number_of_roles() {
    let mut scene = Scene::new();
    for _ in 1..limits::ROLES_MAX {
        scene.role(1, Permissions::empty());
    }
    let refused = scene.attempt(OWNER, GuildCommand::CreateRole(at(1)));
    assert!(matches!(
        refused,
        Err(Rejection::LimitReached { what: "roles", .. })
    ));
}
