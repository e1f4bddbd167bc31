//! Invites: who may make and revoke them, and when they open the guild.

use guildhall_model::command::{GuildCommand, NewInvite};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, Permissions, Rejection, limits};

use crate::scene::{OWNER, Scene, for_role, id, invite, join, permissions_of};

fn unknown<T>(noun: Noun) -> Result<T, Rejection> {
    Err(Rejection::Unknown(noun))
}

fn revoke(code: &str) -> GuildCommand {
    GuildCommand::DeleteInvite(code.to_owned())
}

#[test]
fn a_private_guild_opens_by_invite_only() {
    let mut scene = Scene::new();
    assert_eq!(scene.attempt(2, join(2, None)), unknown(Noun::Guild));
    assert_eq!(
        scene.attempt(2, join(2, Some("guess"))),
        unknown(Noun::Invite)
    );
    scene.attempt(OWNER, invite("open", 0, 0)).unwrap();
    assert!(scene.attempt(2, join(2, Some("open"))).is_ok());
    assert_eq!(
        scene.attempt(2, join(2, None)),
        Ok(vec![]),
        "a member is in already"
    );
}

#[test]
fn an_invite_is_used_up() {
    let mut scene = Scene::new();
    scene.attempt(OWNER, invite("twice", 2, 0)).unwrap();
    for who in [2, 3] {
        scene.attempt(who, join(who, Some("twice"))).unwrap();
    }
    assert_eq!(
        scene.attempt(4, join(4, Some("twice"))),
        unknown(Noun::Invite)
    );
    assert_eq!(scene.state.invite("twice").unwrap().uses, 2);
}

#[test]
fn a_member_who_shows_an_invite_does_not_use_it_up() {
    let mut scene = Scene::new();
    scene.attempt(OWNER, invite("once", 1, 0)).unwrap();
    assert_eq!(scene.attempt(OWNER, join(OWNER, Some("once"))), Ok(vec![]));
    assert!(
        scene
            .attempt(2, join(2, Some("once")))
            .is_ok_and(|events| events.len() == 1)
    );
}

#[test]
fn an_invite_expires_to_the_millisecond() {
    let mut scene = Scene::new();
    scene.attempt(OWNER, invite("short", 0, 60)).unwrap();
    let end = scene.state.invite("short").unwrap().expires_at().unwrap();
    // The scene's clock ticks once before every command.
    scene.now = end.plus_ms(-2);
    assert!(scene.attempt(2, join(2, Some("short"))).is_ok());
    assert_eq!(
        scene.attempt(3, join(3, Some("short"))),
        unknown(Noun::Invite)
    );
}

#[test]
fn who_comes_by_a_temporary_invite_is_a_temporary_member() {
    let mut scene = Scene::new();
    let new = NewInvite {
        code: "visit".to_owned(),
        channel_id: None,
        max_uses: 0,
        max_age_s: 0,
        temporary: true,
    };
    scene
        .attempt(OWNER, GuildCommand::CreateInvite(new))
        .unwrap();
    scene.attempt(2, join(2, Some("visit"))).unwrap();
    scene.join(3);
    let is_temporary = |who| scene.state.member(id(who)).unwrap().temporary;
    assert!(is_temporary(2) && !is_temporary(3));
}

#[test]
fn an_invite_needs_its_permission_in_its_channel() {
    let mut scene = Scene::peopled();
    let needed = Permissions::CREATE_INSTANT_INVITE;
    let none = Permissions::empty();
    let channel = scene.channel(vec![for_role(scene.everyone(), none, needed)]);
    let hidden = scene.channel(vec![for_role(
        scene.everyone(),
        none,
        Permissions::VIEW_CHANNEL,
    )]);
    let to = |channel_id: ChannelId| {
        GuildCommand::CreateInvite(NewInvite {
            code: "mine".to_owned(),
            channel_id: Some(channel_id),
            max_uses: 0,
            max_age_s: 0,
            temporary: false,
        })
    };
    assert_eq!(
        scene.attempt(5, to(channel)),
        Err(Rejection::MissingPermission(needed))
    );
    assert_eq!(scene.attempt(5, to(hidden)), unknown(Noun::Channel));
    assert_eq!(
        scene.attempt(5, to(ChannelId::new(4).unwrap())),
        unknown(Noun::Channel)
    );
    let events = scene.attempt(5, invite("mine", 0, 0)).unwrap();
    let [Event::InviteCreated(made)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((made.channel_id, made.inviter_id), (scene.general(), id(5)));
}

#[test]
fn who_sees_no_channel_makes_no_invite() {
    let mut scene = Scene::peopled();
    let blind = Permissions::CREATE_INSTANT_INVITE;
    scene
        .attempt(OWNER, permissions_of(scene.everyone(), blind))
        .unwrap();
    assert_eq!(
        scene.attempt(5, invite("mine", 0, 0)),
        unknown(Noun::Channel)
    );
}

#[test]
fn a_code_is_taken_once() {
    let mut scene = Scene::peopled();
    assert_eq!(
        scene.attempt(5, invite("door", 0, 0)),
        Err(Rejection::Taken("code"))
    );
}

#[test]
fn its_maker_a_guild_manager_or_its_channels_manager_revokes_an_invite() {
    let mut scene = Scene::peopled();
    for manager in [5, 2, 3] {
        scene.attempt(5, invite("mine", 0, 0)).unwrap();
        assert!(scene.attempt(manager, revoke("mine")).is_ok());
    }
    scene.attempt(2, invite("moderators", 0, 0)).unwrap();
    let refused = scene.attempt(5, revoke("moderators"));
    assert!(matches!(refused, Err(Rejection::MissingPermission(_))));
    assert_eq!(scene.attempt(5, revoke("mine")), unknown(Noun::Invite));
}

#[test]
fn an_invite_outlives_its_channel_and_can_still_be_revoked_by_guild_managers() {
    let mut scene = Scene::peopled();
    scene.attempt(5, invite("mine", 0, 0)).unwrap();
    scene
        .attempt(OWNER, GuildCommand::DeleteChannel(scene.general()))
        .unwrap();
    let refused = scene.attempt(3, revoke("mine"));
    assert_eq!(
        refused,
        Err(Rejection::MissingPermission(Permissions::MANAGE_GUILD))
    );
    assert!(scene.attempt(2, revoke("mine")).is_ok());
}

#[test]
fn a_guild_has_a_bounded_number_of_open_invites() {
    let mut scene = Scene::new();
    for n in 0..limits::INVITES_MAX {
        scene
            .attempt(OWNER, invite(&format!("code{n}"), 1, 0))
            .unwrap();
    }
    let refused = scene.attempt(OWNER, invite("more", 0, 0));
    assert!(matches!(
        refused,
        Err(Rejection::LimitReached {
            what: "invites",
            ..
        })
    ));
    scene.attempt(2, join(2, Some("code0"))).unwrap();
    assert!(
        scene.attempt(OWNER, invite("more", 0, 0)).is_ok(),
        "spent ones do not count"
    );
}
