//! Which deeds are noted, and whose.

use guildhall_model::audit::{By, Deed, DeedKind, Turn};
use guildhall_model::command::{GuildCommand, MemberUpdate, RoleUpdate, RolesEdit};
use guildhall_model::event::Event;
use guildhall_model::snowflake::Generator;
use guildhall_model::text::{DisplayName, Reason, RoleName};
use guildhall_model::{Permissions, UserId};
use proptest::prelude::*;

use super::*;
use crate::Mint;
use crate::scene::{BOT, OWNER, Scene, dice, for_role, id, overwrites_of, user};

/// What is noted of a command, which is then carried out.
fn noted(scene: &mut Scene, actor: u64, command: GuildCommand) -> Vec<Deed> {
    let before = scene.state.clone();
    let events = scene.attempt(actor, command).unwrap();
    deeds_of(&before, id(actor), &events)
}

fn deeds_of(state: &GuildState, by: UserId, events: &[Event]) -> Vec<Deed> {
    let mut ids = Generator::new(0, 0);
    let mut mint = Mint {
        now: crate::scene::NOW,
        ids: &mut ids,
    };
    let by = By {
        user_id: by,
        reason: Reason::parse("spring").ok(),
    };
    let entries = of_guild(state, &by, events, &mut mint).into_iter();
    let deeds = entries.map(|event| match event {
        Event::Audited(entry) => {
            assert_eq!(entry.by, by.user_id);
            assert_eq!(entry.reason.as_deref(), Some("spring"));
            entry.deed
        }
        other => panic!("an entry is an event of its own kind: {other:?}"),
    });
    deeds.collect()
}

#[test]
fn who_comes_goes_or_renames_itself_does_nothing_to_the_guild() {
    let mut scene = Scene::peopled();
    let before = scene.state.clone();
    scene.join(6);
    let joined = [scene.history.last().unwrap().event.clone()];
    assert_eq!(deeds_of(&before, id(6), &joined), []);
    assert_eq!(deeds_of(&scene.state, id(6), &joined), []);
    let mut renamed = user(6);
    renamed.display_name = Some("Six".to_owned());
    let refresh = GuildCommand::RefreshMember(Box::new(renamed));
    assert_eq!(noted(&mut scene, 6, refresh), []);
    assert_eq!(noted(&mut scene, 6, GuildCommand::Leave), []);
}

#[test]
fn a_ban_is_one_deed_and_its_member_was_not_kicked() {
    let mut scene = Scene::peopled();
    let ban = GuildCommand::Ban(Box::new(user(5)), None);
    assert_eq!(noted(&mut scene, 2, ban), [Deed::Ban(id(5))]);
    let lift = GuildCommand::Unban(id(5));
    assert_eq!(noted(&mut scene, 2, lift), [Deed::Unban(id(5))]);
    let kick = GuildCommand::Kick(id(BOT));
    assert_eq!(noted(&mut scene, 2, kick), [Deed::Kick(id(BOT))]);
    let bot = GuildCommand::AddBot(Box::new(user(BOT)));
    assert_eq!(noted(&mut scene, OWNER, bot), [Deed::Bot(id(BOT))]);
}

#[test]
fn a_name_and_roles_of_a_member_are_two_deeds() {
    let mut scene = Scene::peopled();
    let old = scene.role(1, Permissions::empty());
    let new = scene.role(1, Permissions::empty());
    scene.give(5, &[old]);
    let update = MemberUpdate {
        nick: Some(DisplayName::parse("Five").ok()),
        roles: Some(RolesEdit::Exactly(vec![new])),
        timed_out_until: None,
    };
    let deeds = noted(&mut scene, 2, GuildCommand::UpdateMember(id(5), update));
    let name = |role| scene.state.role(role).unwrap().name.clone();
    let [Deed::Member(renamed), roles] = &deeds[..] else {
        panic!("two deeds: {deeds:?}");
    };
    assert_eq!(renamed.after.nick.as_deref(), Some("Five"));
    let expected = Deed::MemberRoles {
        user_id: id(5),
        added: vec![(new, name(new))],
        removed: vec![(old, name(old))],
    };
    assert_eq!(*roles, expected);
}

#[test]
fn each_overwrite_that_changes_is_a_deed_and_the_channel_only_if_it_does() {
    let mut scene = Scene::peopled();
    let channel = scene.state.channels().next().unwrap().id;
    let [kept, changed, ended, made] = [(); 4].map(|()| scene.role(1, Permissions::empty()));
    let (none, view) = (Permissions::empty(), Permissions::VIEW_CHANNEL);
    for role in [kept, changed, ended] {
        let overwrite = for_role(role, none, view);
        let set = GuildCommand::SetOverwrite(channel, overwrite);
        let name = scene.state.role(role).map(|role| role.name.clone());
        let expected = Deed::Overwrite {
            channel_id: channel,
            role: name,
            turn: Turn::made(overwrite),
        };
        assert_eq!(noted(&mut scene, OWNER, set), [expected]);
    }
    let after = vec![
        for_role(kept, none, view),
        for_role(changed, view, none),
        for_role(made, view, none),
    ];
    let deeds = noted(&mut scene, OWNER, overwrites_of(channel, after));
    let kinds: Vec<DeedKind> = deeds.iter().map(Deed::kind).collect();
    let expected = [
        DeedKind::OverwriteUpdate,
        DeedKind::OverwriteDelete,
        DeedKind::OverwriteCreate,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_role_is_noted_from_its_beginning_to_its_end() {
    let mut scene = Scene::peopled();
    let named = |name: &str| RoleUpdate {
        name: RoleName::parse(name).ok(),
        ..RoleUpdate::default()
    };
    let made = noted(&mut scene, OWNER, GuildCommand::CreateRole(named("smith")));
    let [Deed::Role(turn)] = &made[..] else {
        panic!("one deed: {made:?}");
    };
    let role = turn.last().unwrap().id;
    let command = GuildCommand::UpdateRole(role, named("baker"));
    let changed = noted(&mut scene, OWNER, command);
    let ended = noted(&mut scene, OWNER, GuildCommand::DeleteRole(role));
    let kinds = [&made, &changed, &ended].map(|deeds| deeds[0].kind());
    let expected = [
        DeedKind::RoleCreate,
        DeedKind::RoleUpdate,
        DeedKind::RoleDelete,
    ];
    assert_eq!(kinds, expected);
}

proptest! {
    /// What changes a guild is noted whoever does it, unless it is the doer's own affair.
    #[test]
    fn whatever_a_manager_changes_is_noted(rolls in prop::collection::vec(dice(), 1..60)) {
        let mut scene = Scene::peopled();
        for roll in rolls {
            let (actor, command) = (roll.actor, roll.command(&scene.state));
            let before = scene.state.clone();
            let Ok(events) = scene.attempt(actor, command) else { continue };
            let own = events.iter().all(|event| match event {
                Event::MemberJoined { member, .. } => !member.user.bot,
                Event::MemberRemoved { member, .. } => member.user.id == id(actor),
                Event::MemberUpdated(change) => {
                    change.before.nick == change.after.nick
                        && change.before.roles == change.after.roles
                        && change.before.timed_out_until == change.after.timed_out_until
                }
                Event::GuildDeleted => true,
                _ => false,
            });
            let is_member = before.member(id(actor)).is_some();
            let deeds = deeds_of(&before, id(actor), &events);
            prop_assert_eq!(deeds.is_empty(), own || !is_member, "{:?}", events);
        }
    }
}
