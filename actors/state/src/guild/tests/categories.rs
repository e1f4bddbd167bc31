//! Categories: what stands in them, and what becomes of it.

use guildhall_model::ChannelId;
use guildhall_model::Rejection;
use guildhall_model::channel::ChannelKind;
use guildhall_model::command::{ChannelMove, ChannelUpdate, GuildCommand, NewChannel};
use guildhall_model::event::Event;
use guildhall_model::limits::CATEGORY_CHANNELS_MAX;
use guildhall_model::text::ChannelName;

use crate::scene::{OWNER, Scene, new_category};

fn category(scene: &mut Scene) -> ChannelId {
    match &scene.attempt(OWNER, new_category()).unwrap()[..] {
        [Event::ChannelCreated(channel)] => channel.id,
        other => panic!("{other:?}"),
    }
}

fn room_in(parent: ChannelId, kind: ChannelKind) -> GuildCommand {
    GuildCommand::CreateChannel(NewChannel {
        name: ChannelName::parse("room").unwrap(),
        kind,
        topic: None,
        position: None,
        parent_id: Some(parent),
        overwrites: Vec::new(),
    })
}

fn put(id: ChannelId, parent: Option<ChannelId>) -> ChannelMove {
    ChannelMove {
        id,
        position: None,
        parent_id: Some(parent),
        takes_overwrites: false,
    }
}

fn is_refused(outcome: &Result<Vec<Event>, Rejection>) -> bool {
    matches!(outcome, Err(Rejection::Invalid(fields)) if fields[0].path == "parent_id")
}

#[test]
fn a_category_holds_fifty_channels_however_they_come() {
    let mut scene = Scene::new();
    let full = category(&mut scene);
    for _ in 1..CATEGORY_CHANNELS_MAX {
        scene
            .attempt(OWNER, room_in(full, ChannelKind::Text))
            .unwrap();
    }
    let (a, b) = (scene.channel(vec![]), scene.channel(vec![]));
    let both = GuildCommand::MoveChannels(vec![put(a, Some(full)), put(b, Some(full))]);
    assert!(is_refused(&scene.attempt(OWNER, both)));
    let one = GuildCommand::MoveChannels(vec![put(a, Some(full))]);
    assert_eq!(scene.attempt(OWNER, one).unwrap().len(), 1);
    assert!(is_refused(
        &scene.attempt(OWNER, room_in(full, ChannelKind::Voice))
    ));
    let update = ChannelUpdate {
        parent_id: Some(Some(full)),
        ..ChannelUpdate::default()
    };
    let update = GuildCommand::UpdateChannel(b, update);
    assert!(is_refused(&scene.attempt(OWNER, update)));
}

#[test]
fn categories_stand_in_none_and_channels_in_categories_only() {
    let mut scene = Scene::new();
    let rooms = category(&mut scene);
    let plain = scene.channel(vec![]);
    assert!(is_refused(
        &scene.attempt(OWNER, room_in(rooms, ChannelKind::Category))
    ));
    assert!(is_refused(
        &scene.attempt(OWNER, room_in(plain, ChannelKind::Text))
    ));
    let nowhere = ChannelId::new(404).unwrap();
    assert!(is_refused(
        &scene.attempt(OWNER, room_in(nowhere, ChannelKind::Text))
    ));
}

#[test]
fn channels_leave_a_category_before_it_ends() {
    let mut scene = Scene::new();
    let rooms = category(&mut scene);
    for _ in 0..2 {
        scene
            .attempt(OWNER, room_in(rooms, ChannelKind::Text))
            .unwrap();
    }
    let events = scene
        .attempt(OWNER, GuildCommand::DeleteChannel(rooms))
        .unwrap();
    let [
        Event::ChannelUpdated(_),
        Event::ChannelUpdated(_),
        Event::ChannelDeleted(ended),
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(ended.id, rooms);
    assert!(
        scene
            .state
            .channels()
            .all(|channel| channel.parent_id.is_none())
    );
}
