//! Joining and leaving, nicknames, kicks and bans.

use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::Viewer;
use guildhall_model::event::{Departure, Event};
use guildhall_model::rejection::Noun;
use guildhall_model::text::DisplayName;
use guildhall_model::user::User;
use guildhall_model::{Permissions, Rejection};

use crate::scene::{BOT, OWNER, Scene, id, invite, join, new_channel, permissions_of, user};

fn kick(who: u64) -> GuildCommand {
    GuildCommand::Kick(id(who))
}

fn ban(who: u64) -> GuildCommand {
    GuildCommand::Ban(Box::new(user(who)), None)
}

fn nick(who: u64, name: &str) -> GuildCommand {
    GuildCommand::SetNick(id(who), Some(DisplayName::parse(name).unwrap()))
}

fn missing<T>(bits: Permissions) -> Result<T, Rejection> {
    Err(Rejection::MissingPermission(bits))
}

#[test]
fn kicks_and_bans_need_their_permissions() {
    let mut scene = Scene::peopled();
    assert_eq!(
        scene.attempt(5, kick(3)),
        missing(Permissions::KICK_MEMBERS)
    );
    assert_eq!(scene.attempt(3, ban(5)), missing(Permissions::BAN_MEMBERS));
    let lifted = scene.attempt(3, GuildCommand::Unban(id(5)));
    assert_eq!(lifted, missing(Permissions::BAN_MEMBERS));
}

#[test]
fn equals_superiors_and_oneself_cannot_be_kicked_or_banned() {
    let mut scene = Scene::peopled();
    let role = scene.state.member(id(2)).unwrap().roles.clone();
    scene.give(3, &role);
    for who in [2, 3] {
        assert_eq!(scene.attempt(2, kick(who)), Err(Rejection::Outranked));
        assert_eq!(scene.attempt(2, ban(who)), Err(Rejection::Outranked));
    }
    assert_eq!(scene.attempt(4, kick(3)), Err(Rejection::Outranked));
    assert!(scene.attempt(2, kick(4)).is_ok());
    assert!(scene.attempt(2, ban(5)).is_ok());
}

#[test]
fn nobody_removes_or_renames_the_owner() {
    let mut scene = Scene::peopled();
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::ADMINISTRATOR))
        .unwrap();
    for command in [kick(OWNER), ban(OWNER), nick(OWNER, "Fool")] {
        assert_eq!(scene.attempt(2, command), Err(Rejection::OwnerOnly));
    }
}

#[test]
fn administrators_without_rank_do_not_kick_each_other() {
    let mut scene = Scene::peopled();
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::ADMINISTRATOR))
        .unwrap();
    assert_eq!(scene.attempt(5, kick(BOT)), Err(Rejection::Outranked));
}

#[test]
fn the_owner_removes_anybody_else_but_does_not_leave() {
    let mut scene = Scene::peopled();
    assert!(scene.attempt(OWNER, kick(2)).is_ok());
    assert!(scene.attempt(OWNER, ban(3)).is_ok());
    assert_eq!(scene.attempt(OWNER, kick(OWNER)), Err(Rejection::OwnerOnly));
    let refused = scene.attempt(OWNER, GuildCommand::Leave);
    assert!(matches!(refused, Err(Rejection::Conflict(_))));
}

#[test]
fn who_is_banned_leaves_and_cannot_come_back_until_the_ban_is_lifted() {
    let mut scene = Scene::peopled();
    let events = scene.attempt(2, ban(5)).unwrap();
    assert!(matches!(
        &events[..],
        [
            Event::MemberRemoved { how: Departure::Banned, .. },
            Event::BanAdded(added),
        ] if added.user.id == id(5) && added.by == id(2)
    ));
    assert_eq!(
        scene.attempt(5, join(5, Some("door"))),
        Err(Rejection::Banned)
    );
    assert_eq!(scene.attempt(2, ban(5)), Ok(vec![]), "once is enough");
    scene.attempt(2, GuildCommand::Unban(id(5))).unwrap();
    assert!(scene.attempt(5, join(5, Some("door"))).is_ok());
    let twice = scene.attempt(2, GuildCommand::Unban(id(5)));
    assert_eq!(twice, Err(Rejection::Unknown(Noun::Ban)));
}

#[test]
fn strangers_can_be_banned_before_they_come() {
    let mut scene = Scene::peopled();
    let events = scene.attempt(2, ban(6)).unwrap();
    assert!(matches!(&events[..], [Event::BanAdded(_)]));
    assert_eq!(
        scene.attempt(6, join(6, Some("door"))),
        Err(Rejection::Banned)
    );
}

#[test]
fn a_kicked_member_may_come_back_without_the_former_roles() {
    let mut scene = Scene::peopled();
    scene.attempt(2, kick(4)).unwrap();
    assert_eq!(
        scene.attempt(2, kick(4)),
        Err(Rejection::Unknown(Noun::Member))
    );
    scene.join(4);
    assert!(scene.state.member(id(4)).unwrap().roles.is_empty());
}

#[test]
fn a_banned_bot_is_not_brought_in() {
    let mut scene = Scene::peopled();
    let bring = || GuildCommand::AddBot(Box::new(user(BOT)));
    assert_eq!(
        scene.attempt(5, bring()),
        missing(Permissions::MANAGE_GUILD)
    );
    assert_eq!(scene.attempt(2, bring()), Ok(vec![]), "it is here already");
    scene.attempt(2, ban(BOT)).unwrap();
    assert_eq!(scene.attempt(2, bring()), Err(Rejection::Banned));
    scene.attempt(2, GuildCommand::Unban(id(BOT))).unwrap();
    assert!(
        scene
            .attempt(2, bring())
            .is_ok_and(|events| events.len() == 1)
    );
}

#[test]
fn the_own_nickname_needs_another_permission_than_that_of_others() {
    let mut scene = Scene::peopled();
    assert!(
        scene
            .attempt(5, nick(5, "Five"))
            .is_ok_and(|events| events.len() == 1)
    );
    assert_eq!(scene.attempt(5, nick(5, "Five")), Ok(vec![]));
    assert_eq!(
        scene.attempt(5, nick(BOT, "Tool")),
        missing(Permissions::MANAGE_NICKNAMES)
    );
    assert!(scene.attempt(3, nick(5, "Fifth")).is_ok());
    assert_eq!(
        scene.attempt(3, nick(2, "Second")),
        Err(Rejection::Outranked)
    );
    assert_eq!(
        scene.attempt(3, nick(6, "Sixth")),
        Err(Rejection::Unknown(Noun::Member))
    );
    let everyone = scene.everyone();
    scene
        .attempt(OWNER, permissions_of(everyone, Permissions::VIEW_CHANNEL))
        .unwrap();
    assert_eq!(
        scene.attempt(5, nick(5, "V")),
        missing(Permissions::CHANGE_NICKNAME)
    );
}

#[test]
fn a_stranger_learns_nothing() {
    let mut scene = Scene::peopled();
    let (channel, role) = (scene.general(), scene.everyone());
    for command in [
        GuildCommand::UpdateGuild(guildhall_model::command::GuildUpdate::default()),
        GuildCommand::DeleteGuild,
        new_channel(vec![]),
        GuildCommand::DeleteChannel(channel),
        GuildCommand::CreateRole(guildhall_model::command::RoleUpdate::default()),
        GuildCommand::DeleteRole(role),
        GuildCommand::SetMemberRoles(id(5), vec![]),
        nick(5, "Five"),
        nick(6, "Six"),
        GuildCommand::AddBot(Box::new(user(BOT))),
        GuildCommand::Leave,
        kick(5),
        ban(5),
        GuildCommand::Unban(id(5)),
        invite("mine", 0, 0),
        GuildCommand::DeleteInvite("door".to_owned()),
        join(6, None),
    ] {
        assert_eq!(
            scene.attempt(6, command),
            Err(Rejection::Unknown(Noun::Guild))
        );
    }
    assert_eq!(scene.held(6), Permissions::empty());
    assert!(scene.state.visible_channels(id(6)).is_empty());
    assert!(scene.state.snapshot_for(&Viewer::person(id(6))).is_none());
}

#[test]
fn a_changed_profile_reaches_the_guilds_of_its_user_only() {
    let mut scene = Scene::peopled();
    let changed = |number| User {
        display_name: Some("New".to_owned()),
        ..user(number)
    };
    let refresh = |number| GuildCommand::RefreshMember(Box::new(changed(number)));
    let events = scene.attempt(5, refresh(5)).unwrap();
    let [Event::MemberUpdated(change)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(change.after.user, changed(5));
    assert_eq!(scene.attempt(5, refresh(5)), Ok(vec![]));
    assert_eq!(scene.attempt(6, refresh(6)), Ok(vec![]));
}

#[test]
fn a_guild_above_the_threshold_of_a_viewer_comes_without_the_others() {
    let mut scene = Scene::new();
    for n in 0..50 {
        scene.join(100 + n);
    }
    let count = scene.state.members().count();
    let shown = |threshold| {
        let viewer = Viewer {
            large_threshold: threshold,
            ..Viewer::person(id(OWNER))
        };
        let snapshot = scene.state.snapshot_for(&viewer).unwrap();
        assert_eq!(usize::try_from(snapshot.member_count), Ok(count));
        (snapshot.large, snapshot.members.len())
    };
    let threshold = u8::try_from(count).unwrap();
    assert_eq!(shown(threshold), (false, count));
    assert_eq!(shown(threshold - 1), (true, 1));
}
