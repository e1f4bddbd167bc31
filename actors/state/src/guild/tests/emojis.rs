//! Emojis: who may make, change and end them, and what clients are told.

use guildhall_model::command::{EmojiUpdate, GuildCommand, NewEmoji};
use guildhall_model::emoji::EmojiChange;
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::EmojiName;
use guildhall_model::{EmojiId, Permissions, Rejection, RoleId, limits};

use crate::scene::{OWNER, Scene, permissions_of};

const CREATE: Permissions = Permissions::CREATE_GUILD_EXPRESSIONS;
const MANAGE: Permissions = Permissions::MANAGE_GUILD_EXPRESSIONS;

fn emoji_id(n: u64) -> EmojiId {
    EmojiId::new(5_000 + n).unwrap()
}

fn make(n: u64, is_animated: bool) -> GuildCommand {
    GuildCommand::CreateEmoji(NewEmoji {
        id: emoji_id(n),
        name: EmojiName::parse("beer").unwrap(),
        is_animated,
        roles: Vec::new(),
    })
}

fn rename(n: u64) -> GuildCommand {
    let name = EmojiName::parse("ale").ok();
    let update = EmojiUpdate { name, roles: None };
    GuildCommand::UpdateEmoji(emoji_id(n), update)
}

fn end(n: u64) -> GuildCommand {
    GuildCommand::DeleteEmoji(emoji_id(n))
}

/// Lets everybody do this.
fn allow(scene: &mut Scene, held: Permissions) {
    let everyone = scene.state.guild().id.everyone_role();
    let held = held | Permissions::DEFAULT;
    let command = permissions_of(everyone, held);
    scene.attempt(OWNER, command).unwrap();
}

#[test]
fn whoever_makes_an_emoji_may_change_it_and_others_need_to_manage_all() {
    let mut scene = Scene::peopled();
    let refused = Err(Rejection::MissingPermission(CREATE));
    assert_eq!(scene.attempt(2, make(1, false)), refused);
    allow(&mut scene, CREATE);
    scene.attempt(2, make(1, false)).unwrap();
    scene.attempt(2, rename(1)).unwrap();
    let refused = Err(Rejection::MissingPermission(MANAGE));
    assert_eq!(scene.attempt(3, rename(1)), refused);
    assert_eq!(scene.attempt(3, end(1)), refused);
    allow(&mut scene, Permissions::empty());
    assert_eq!(scene.attempt(2, end(1)), refused);
    allow(&mut scene, MANAGE);
    scene.attempt(3, end(1)).unwrap();
    let unknown = Err(Rejection::Unknown(Noun::Emoji));
    assert_eq!(scene.attempt(3, end(1)), unknown);
}

#[test]
fn emojis_that_move_are_counted_apart() {
    let mut scene = Scene::new();
    let limit = limits::GUILD_EMOJIS_MAX;
    for n in 0..limit as u64 {
        scene.attempt(OWNER, make(n, false)).unwrap();
    }
    let full = Err(Rejection::LimitReached {
        what: "emojis",
        limit,
    });
    assert_eq!(scene.attempt(OWNER, make(90, false)), full);
    scene.attempt(OWNER, make(90, true)).unwrap();
    scene.attempt(OWNER, end(0)).unwrap();
    scene.attempt(OWNER, make(91, false)).unwrap();
}

#[test]
fn every_change_tells_all_emojis() {
    let mut scene = Scene::new();
    scene.attempt(OWNER, make(2, false)).unwrap();
    let events = scene.attempt(OWNER, make(1, true)).unwrap();
    let [Event::EmojisChanged(changed)] = &events[..] else {
        panic!("{events:?}");
    };
    let ids: Vec<u64> = changed.emojis.iter().map(|emoji| emoji.id.get()).collect();
    assert_eq!(ids, [5_001, 5_002]);
    assert_eq!(scene.attempt(OWNER, rename(2)).unwrap().len(), 1);
    assert_eq!(scene.attempt(OWNER, rename(2)), Ok(vec![]), "as it is");
    let events = scene.attempt(OWNER, end(1)).unwrap();
    let [Event::EmojisChanged(changed)] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(matches!(changed.change, EmojiChange::Deleted(_)));
    assert_eq!(changed.emojis.len(), 1);
    assert_eq!(changed.emojis[0].name, "ale");
}

#[test]
fn an_emoji_is_kept_to_roles_that_there_are() {
    let mut scene = Scene::new();
    scene.attempt(OWNER, make(1, false)).unwrap();
    let keep = |role| {
        let roles = Some(vec![role, role]);
        let update = EmojiUpdate { name: None, roles };
        GuildCommand::UpdateEmoji(emoji_id(1), update)
    };
    let refused = scene
        .attempt(OWNER, keep(RoleId::new(404).unwrap()))
        .unwrap_err();
    assert!(matches!(refused, Rejection::Invalid(_)), "{refused:?}");
    let everyone = scene.state.guild().id.everyone_role();
    scene.attempt(OWNER, keep(everyone)).unwrap();
    assert_eq!(scene.state.emoji(emoji_id(1)).unwrap().roles, [everyone]);
}
