//! Channels and their overwrites: who may make, change and end them.

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelUpdate, GuildCommand, OverwriteEdit, PermissionEdit};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::text::Topic;
use guildhall_model::{ChannelId, Permissions, Rejection, RoleId, limits};

use crate::scene::{OWNER, Scene, for_role, id, new_channel, overwrites_of};

const NONE: Permissions = Permissions::empty();

/// A guild in which user 2 holds these permissions.
fn held(powers: Permissions) -> Scene {
    let mut scene = Scene::new();
    scene.join(2);
    scene.join(3);
    let role = scene.role(5, powers);
    scene.give(2, &[role]);
    scene
}

fn topic(channel: ChannelId) -> GuildCommand {
    let update = ChannelUpdate {
        topic: Some(Some(Topic::parse("news").unwrap())),
        ..ChannelUpdate::default()
    };
    GuildCommand::UpdateChannel(channel, update)
}

#[test]
fn making_changing_and_ending_channels_needs_manage_channels() {
    let mut scene = held(Permissions::MANAGE_CHANNELS);
    let channel = scene.general();
    for command in [
        new_channel(vec![]),
        topic(channel),
        GuildCommand::DeleteChannel(channel),
    ] {
        let refused = scene.attempt(3, command.clone());
        assert_eq!(
            refused,
            Err(Rejection::MissingPermission(Permissions::MANAGE_CHANNELS))
        );
        assert_eq!(scene.attempt(2, command).map(|events| events.len()), Ok(1));
    }
}

#[test]
fn a_channel_that_is_not_visible_is_unknown_to_its_managers() {
    let mut scene = held(Permissions::MANAGE_CHANNELS | Permissions::MANAGE_ROLES);
    let hidden = vec![for_role(scene.everyone(), NONE, Permissions::VIEW_CHANNEL)];
    let channel = scene.channel(hidden);
    for command in [
        topic(channel),
        overwrites_of(channel, vec![]),
        GuildCommand::DeleteChannel(channel),
        GuildCommand::DeleteChannel(ChannelId::new(4).unwrap()),
    ] {
        assert_eq!(
            scene.attempt(2, command),
            Err(Rejection::Unknown(Noun::Channel))
        );
    }
}

#[test]
fn a_channel_can_take_or_give_the_right_to_manage_it() {
    let mut scene = held(Permissions::MANAGE_CHANNELS);
    let manage = Permissions::MANAGE_CHANNELS;
    let channel = scene.general();
    scene.overwrite(channel, vec![for_role(scene.everyone(), NONE, manage)]);
    let refused = scene.attempt(2, topic(channel));
    assert_eq!(refused, Err(Rejection::MissingPermission(manage)));
    scene.overwrite(channel, vec![for_role(scene.everyone(), manage, NONE)]);
    assert!(scene.attempt(3, topic(channel)).is_ok());
}

#[test]
fn overwrites_need_manage_roles_in_the_channel() {
    let mut scene = held(Permissions::MANAGE_CHANNELS);
    let quiet = vec![for_role(scene.everyone(), NONE, Permissions::SEND_MESSAGES)];
    let channel = scene.general();
    let refused = scene.attempt(2, overwrites_of(channel, quiet.clone()));
    assert_eq!(
        refused,
        Err(Rejection::MissingPermission(Permissions::MANAGE_ROLES))
    );
    let mut scene = held(Permissions::MANAGE_CHANNELS | Permissions::MANAGE_ROLES);
    let channel = scene.general();
    assert!(scene.attempt(2, overwrites_of(channel, quiet)).is_ok());
}

#[test]
fn no_overwrite_grants_denies_or_lifts_what_its_maker_does_not_hold() {
    let mut scene = held(Permissions::MANAGE_CHANNELS | Permissions::MANAGE_ROLES);
    let everyone = scene.everyone();
    let bits = Permissions::MANAGE_MESSAGES;
    let missing = Err(Rejection::MissingPermission(bits));
    let channel = scene.general();
    for overwrite in [
        for_role(everyone, bits, NONE),
        for_role(everyone, NONE, bits),
    ] {
        let refused = scene.attempt(2, overwrites_of(channel, vec![overwrite]));
        assert_eq!(refused, missing);
        assert_eq!(scene.attempt(2, new_channel(vec![overwrite])), missing);
    }
    scene.overwrite(channel, vec![for_role(everyone, NONE, bits)]);
    assert_eq!(scene.attempt(2, overwrites_of(channel, vec![])), missing);
}

#[test]
fn an_edit_of_overwrites_keeps_the_bits_that_it_does_not_name() {
    let mut scene = held(Permissions::MANAGE_CHANNELS | Permissions::MANAGE_ROLES);
    let (everyone, channel) = (scene.everyone(), scene.general());
    let hidden = Permissions::from_bits_retain(1 << 50);
    scene.overwrite(channel, vec![for_role(everyone, hidden, NONE)]);
    let edit = PermissionEdit {
        mask: Permissions::SEND_MESSAGES,
        bits: Permissions::SEND_MESSAGES,
    };
    let update = ChannelUpdate {
        overwrites: Some(vec![OverwriteEdit {
            target: OverwriteTarget::Role(everyone),
            allow: PermissionEdit::exactly(NONE),
            deny: edit,
        }]),
        ..ChannelUpdate::default()
    };
    let lifted = scene.attempt(2, GuildCommand::UpdateChannel(channel, update.clone()));
    assert_eq!(lifted, Err(Rejection::MissingPermission(hidden)));
    let mut update = update;
    update.overwrites.as_mut().unwrap()[0].allow = edit;
    scene
        .attempt(2, GuildCommand::UpdateChannel(channel, update))
        .unwrap();
    let kept = for_role(
        everyone,
        hidden | Permissions::SEND_MESSAGES,
        Permissions::SEND_MESSAGES,
    );
    assert_eq!(scene.state.channel(channel).unwrap().overwrites, vec![kept]);
}

#[test]
fn overwrites_name_roles_and_members_of_the_guild_once_each() {
    let mut scene = held(Permissions::ADMINISTRATOR);
    let channel = scene.general();
    let stranger = OverwriteTarget::Member(id(9));
    let gone = OverwriteTarget::Role(RoleId::new(4).unwrap());
    let to = |target| Overwrite {
        target,
        allow: NONE,
        deny: NONE,
    };
    let member = to(OverwriteTarget::Member(id(3)));
    for overwrites in [vec![to(stranger)], vec![to(gone)], vec![member, member]] {
        let refused = scene.attempt(2, overwrites_of(channel, overwrites));
        assert!(matches!(refused, Err(Rejection::Invalid(_))), "{refused:?}");
    }
    scene
        .attempt(2, overwrites_of(channel, vec![member]))
        .unwrap();
    scene.attempt(2, GuildCommand::Kick(id(3))).unwrap();
    let kept = scene.attempt(2, overwrites_of(channel, vec![member]));
    assert_eq!(kept, Ok(vec![]), "who has left keeps what stands");
}

#[test]
fn overwrites_are_kept_in_the_order_of_their_targets() {
    let mut scene = Scene::peopled();
    let mut overwrites: Vec<Overwrite> = [4, 2, 3]
        .map(|who| Overwrite {
            target: OverwriteTarget::Member(id(who)),
            allow: NONE,
            deny: NONE,
        })
        .into();
    overwrites.push(for_role(scene.everyone(), NONE, NONE));
    let channel = scene.channel(overwrites.clone());
    overwrites.sort_by_key(|overwrite| overwrite.target);
    assert_eq!(scene.state.channel(channel).unwrap().overwrites, overwrites);
}

#[test]
fn a_new_channel_stands_behind_all_others() {
    let mut scene = Scene::new();
    let first = scene.channel(vec![]);
    let second = scene.channel(vec![]);
    let place = |channel| scene.state.channel(channel).unwrap().position;
    assert_eq!((place(first), place(second)), (1, 2));
}

#[test]
fn a_guild_has_a_bounded_number_of_channels_and_each_of_overwrites() {
    let mut scene = Scene::new();
    for _ in 1..limits::CHANNELS_MAX {
        scene.channel(vec![]);
    }
    let refused = scene.attempt(OWNER, new_channel(vec![]));
    assert!(matches!(
        refused,
        Err(Rejection::LimitReached {
            what: "channels",
            ..
        })
    ));
    let many = vec![for_role(scene.everyone(), NONE, NONE); limits::OVERWRITES_MAX + 1];
    let refused = scene.attempt(OWNER, overwrites_of(scene.general(), many));
    assert!(matches!(
        refused,
        Err(Rejection::LimitReached {
            what: "overwrites",
            ..
        })
    ));
}

#[test]
fn an_unchanged_channel_is_no_event_and_a_changed_one_says_what_it_was() {
    let mut scene = Scene::new();
    let channel = scene.general();
    let before = scene.state.channel(channel).unwrap().clone();
    let events = scene.attempt(OWNER, topic(channel)).unwrap();
    let [Event::ChannelUpdated(change)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(change.before, *before);
    assert_eq!(change.after.topic.as_deref(), Some("news"));
    assert_eq!(scene.attempt(OWNER, topic(channel)), Ok(vec![]));
}
