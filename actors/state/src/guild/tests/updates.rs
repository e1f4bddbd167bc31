//! Changes of one part: time-outs, single roles, single overwrites, places.

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelMove, GuildCommand, MemberUpdate, RolesEdit};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::DisplayName;
use guildhall_model::{ChannelId, Permissions, Rejection, RoleId, Timestamp, limits};

use crate::scene::{BOT, NOW, OWNER, Scene, for_role, id, permissions_of};

fn time_out(who: u64, until: Option<Timestamp>) -> GuildCommand {
    let update = MemberUpdate {
        timed_out_until: Some(until),
        ..MemberUpdate::default()
    };
    GuildCommand::UpdateMember(id(who), update)
}

fn roles(who: u64, edit: RolesEdit) -> GuildCommand {
    let update = MemberUpdate {
        roles: Some(edit),
        ..MemberUpdate::default()
    };
    GuildCommand::UpdateMember(id(who), update)
}

/// A scene in which user 2 may do all of this, from a role at the place 10.
fn moderated() -> (Scene, RoleId) {
    let mut scene = Scene::peopled();
    let bits = Permissions::MODERATE_MEMBERS
        | Permissions::MANAGE_ROLES
        | Permissions::MANAGE_CHANNELS
        | Permissions::MANAGE_NICKNAMES;
    let role = scene.role(10, bits);
    scene.give(2, &[role]);
    (scene, role)
}

#[test]
fn who_is_timed_out_may_only_look_until_the_time_is_over() {
    let (mut scene, _) = moderated();
    let until = NOW.plus_ms(60_000);
    scene.attempt(2, time_out(5, Some(until))).unwrap();
    let held = |at| scene.state.permissions(id(5), at);
    assert!(Permissions::TIMED_OUT.contains(held(NOW)));
    assert!(held(until).contains(Permissions::SEND_MESSAGES));
    scene.attempt(2, time_out(5, None)).unwrap();
    assert!(scene.held(5).contains(Permissions::SEND_MESSAGES));
}

#[test]
fn a_time_out_needs_the_permission_and_a_rank_above() {
    let (mut scene, role) = moderated();
    let until = Some(NOW.plus_ms(60_000));
    let missing = Rejection::MissingPermission(Permissions::MODERATE_MEMBERS);
    assert_eq!(scene.attempt(5, time_out(3, until)), Err(missing));
    assert_eq!(
        scene.attempt(2, time_out(OWNER, until)),
        Err(Rejection::OwnerOnly)
    );
    scene.give(3, &[role]);
    assert_eq!(
        scene.attempt(2, time_out(3, until)),
        Err(Rejection::Outranked)
    );
    assert_eq!(
        scene.attempt(2, time_out(6, until)),
        Err(Rejection::Unknown(Noun::Member))
    );
}

#[test]
fn a_time_out_ends_within_28_days_and_one_that_is_over_is_none() {
    let (mut scene, _) = moderated();
    // Each attempt comes a millisecond after the one before.
    let last = |scene: &Scene| scene.now.plus_ms(1 + limits::TIMEOUT_MS_MAX);
    let late = last(&scene).plus_ms(1);
    let refused = scene.attempt(2, time_out(5, Some(late)));
    assert!(matches!(refused, Err(Rejection::Invalid(_))));
    let last = last(&scene);
    assert!(scene.attempt(2, time_out(5, Some(last))).is_ok());
    scene.attempt(2, time_out(5, Some(NOW))).unwrap();
    assert_eq!(scene.state.member(id(5)).unwrap().timed_out_until, None);
}

#[test]
fn administrators_are_beyond_time_outs() {
    let (mut scene, _) = moderated();
    let role = scene.role(1, Permissions::ADMINISTRATOR);
    scene.give(5, &[role]);
    let until = Some(NOW.plus_ms(60_000));
    assert_eq!(
        scene.attempt(2, time_out(5, until)),
        Err(Rejection::Outranked)
    );
}

#[test]
fn one_role_comes_and_goes_beside_the_others() {
    let (mut scene, high) = moderated();
    let (a, b) = (
        scene.role(1, Permissions::empty()),
        scene.role(2, Permissions::empty()),
    );
    scene.give(5, &[a]);
    scene.attempt(2, roles(5, RolesEdit::Add(b))).unwrap();
    assert_eq!(scene.attempt(2, roles(5, RolesEdit::Add(b))), Ok(vec![]));
    assert_eq!(scene.state.member(id(5)).unwrap().roles, [a, b]);
    scene.attempt(2, roles(5, RolesEdit::Remove(a))).unwrap();
    assert_eq!(scene.state.member(id(5)).unwrap().roles, [b]);
    // A role above one's own is out of reach, held or not.
    for edit in [RolesEdit::Add(high), RolesEdit::Remove(high)] {
        assert_eq!(scene.attempt(2, roles(5, edit)), Err(Rejection::Outranked));
    }
    let unknown = RoleId::new(999).unwrap();
    assert_eq!(
        scene.attempt(2, roles(5, RolesEdit::Remove(unknown))),
        Err(Rejection::Unknown(Noun::Role))
    );
}

#[test]
fn a_change_of_several_things_is_made_as_a_whole_or_not_at_all() {
    let (mut scene, high) = moderated();
    let update = |edit| MemberUpdate {
        nick: Some(Some(DisplayName::parse("Nick").unwrap())),
        roles: Some(RolesEdit::Add(edit)),
        timed_out_until: Some(Some(NOW.plus_ms(60_000))),
    };
    let refused = GuildCommand::UpdateMember(id(5), update(high));
    assert_eq!(scene.attempt(2, refused), Err(Rejection::Outranked));
    let low = scene.role(1, Permissions::empty());
    let events = scene.attempt(2, GuildCommand::UpdateMember(id(5), update(low)));
    assert!(matches!(&events.unwrap()[..], [Event::MemberUpdated(_)]));
    let member = scene.state.member(id(5)).unwrap();
    assert_eq!(member.nick.as_deref(), Some("Nick"));
    assert_eq!(member.roles, [low]);
    assert!(member.timed_out_until.is_some());
}

#[test]
fn one_overwrite_is_set_and_taken_beside_the_others() {
    let (mut scene, _) = moderated();
    let everyone = scene.everyone();
    let first = for_role(
        everyone,
        Permissions::empty(),
        Permissions::MANAGE_NICKNAMES,
    );
    let channel = scene.channel(vec![first]);
    let target = OverwriteTarget::Member(id(5));
    let second = Overwrite {
        target,
        allow: Permissions::MANAGE_ROLES,
        deny: Permissions::empty(),
    };
    let set = |overwrite| GuildCommand::SetOverwrite(channel, overwrite);
    scene.attempt(2, set(second)).unwrap();
    assert_eq!(
        scene.state.channel(channel).unwrap().overwrites,
        [first, second]
    );
    assert_eq!(scene.attempt(2, set(second)), Ok(vec![]));
    let beyond = Overwrite {
        allow: Permissions::BAN_MEMBERS,
        ..second
    };
    let missing = Rejection::MissingPermission(Permissions::BAN_MEMBERS);
    assert_eq!(scene.attempt(2, set(beyond)), Err(missing));
    let take = || GuildCommand::RemoveOverwrite(channel, [target, target]);
    let missing = Rejection::MissingPermission(Permissions::MANAGE_ROLES);
    assert_eq!(scene.attempt(BOT, take()), Err(missing));
    scene.attempt(2, take()).unwrap();
    assert_eq!(scene.state.channel(channel).unwrap().overwrites, [first]);
    assert_eq!(
        scene.attempt(2, take()),
        Err(Rejection::Unknown(Noun::Overwrite))
    );
}

fn place(id: ChannelId, position: u16) -> ChannelMove {
    ChannelMove {
        id,
        position: Some(position),
        parent_id: None,
        takes_overwrites: false,
    }
}

#[test]
fn channels_and_roles_are_put_in_their_places_all_or_none() {
    let (mut scene, high) = moderated();
    let (a, b) = (scene.channel(vec![]), scene.channel(vec![]));
    let places = GuildCommand::MoveChannels(vec![place(a, 7), place(b, 3)]);
    assert_eq!(scene.attempt(2, places).unwrap().len(), 2);
    assert_eq!(scene.state.channel(a).unwrap().position, 7);
    assert_eq!(scene.state.channel(b).unwrap().position, 3);

    let (low, mid) = (
        scene.role(1, Permissions::empty()),
        scene.role(2, Permissions::empty()),
    );
    let places = GuildCommand::MoveRoles(vec![(low, 2), (mid, 1)]);
    assert_eq!(scene.attempt(2, places).unwrap().len(), 2);
    assert!(scene.state.role(mid).unwrap().rank() < scene.state.role(low).unwrap().rank());
    for beyond in [vec![(low, 1), (high, 1)], vec![(low, 11)]] {
        let places = GuildCommand::MoveRoles(beyond);
        assert_eq!(scene.attempt(2, places), Err(Rejection::Outranked));
    }
    let open = permissions_of(scene.everyone(), Permissions::empty());
    scene.attempt(OWNER, open).unwrap();
    let missing = Rejection::MissingPermission(Permissions::MANAGE_CHANNELS);
    let places = GuildCommand::MoveChannels(vec![]);
    assert_eq!(scene.attempt(5, places), Err(missing));
}
