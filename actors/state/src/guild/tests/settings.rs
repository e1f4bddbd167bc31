//! The guild itself: who may change it, hand it over and end it.

use guildhall_model::command::{GuildCommand, GuildUpdate};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::GuildName;
use guildhall_model::{Permissions, Rejection};

use crate::scene::{BOT, OWNER, Scene, id, join, permissions_of};

fn renamed(name: &str) -> GuildCommand {
    GuildCommand::UpdateGuild(GuildUpdate {
        name: Some(GuildName::parse(name).unwrap()),
        ..GuildUpdate::default()
    })
}

fn handed_to(who: u64) -> GuildCommand {
    GuildCommand::UpdateGuild(GuildUpdate {
        owner_id: Some(id(who)),
        ..GuildUpdate::default()
    })
}

#[test]
fn changing_the_guild_needs_manage_guild() {
    let mut scene = Scene::peopled();
    let refused = scene.attempt(3, renamed("Other"));
    assert_eq!(
        refused,
        Err(Rejection::MissingPermission(Permissions::MANAGE_GUILD))
    );
    assert!(
        scene
            .attempt(2, renamed("Other"))
            .is_ok_and(|events| events.len() == 1)
    );
    assert_eq!(scene.attempt(2, renamed("Other")), Ok(vec![]));
}

#[test]
fn only_the_owner_hands_the_guild_over_and_only_to_a_person_who_is_a_member() {
    let mut scene = Scene::peopled();
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::ADMINISTRATOR))
        .unwrap();
    assert_eq!(scene.attempt(2, handed_to(2)), Err(Rejection::OwnerOnly));
    for who in [6, BOT] {
        let refused = scene.attempt(OWNER, handed_to(who));
        assert!(matches!(refused, Err(Rejection::Invalid(_))), "{refused:?}");
    }
    scene.attempt(OWNER, handed_to(5)).unwrap();
    assert_eq!(
        scene.attempt(OWNER, handed_to(OWNER)),
        Err(Rejection::OwnerOnly)
    );
    assert!(scene.attempt(OWNER, GuildCommand::Leave).is_ok());
}

#[test]
fn only_the_owner_ends_the_guild_and_then_it_is_unknown() {
    let mut scene = Scene::peopled();
    assert_eq!(
        scene.attempt(2, GuildCommand::DeleteGuild),
        Err(Rejection::OwnerOnly)
    );
    scene.attempt(OWNER, GuildCommand::DeleteGuild).unwrap();
    for command in [
        GuildCommand::DeleteGuild,
        renamed("Other"),
        join(6, Some("door")),
    ] {
        assert_eq!(
            scene.attempt(OWNER, command),
            Err(Rejection::Unknown(Noun::Guild))
        );
    }
}

#[test]
fn the_owner_holds_everything_whatever_roles_say() {
    let mut scene = Scene::peopled();
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::empty()))
        .unwrap();
    assert_eq!(scene.held(OWNER), Permissions::EVERYTHING);
    assert_eq!(scene.held(5), Permissions::empty());
}

#[test]
fn a_public_guild_opens_without_an_invite() {
    let mut scene = Scene::new();
    let public = GuildUpdate {
        is_public: Some(true),
        ..GuildUpdate::default()
    };
    scene
        .attempt(OWNER, GuildCommand::UpdateGuild(public))
        .unwrap();
    let events = scene.attempt(2, join(2, None)).unwrap();
    assert!(matches!(
        &events[..],
        [Event::MemberJoined { invite: None, .. }]
    ));
}
