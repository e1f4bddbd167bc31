//! Sessions that start while relays have yet to hear what was answered before.

use futures_util::future::join;
use guildhall_model::Permissions;
use guildhall_model::command::{GuildCommand, PermissionEdit, RoleUpdate};
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::Event;
use guildhall_ports::fake::Fate;

use crate::client::{Client, identify};
use crate::house::{House, Serving};
use crate::town::{Town, founded, new_role};

/// Has the relay wait for the founder's session partition, whose log holds its frames.
fn detain_relay(house: &House, serving: &Serving, town: &Town) {
    house.frames.hold();
    let is_full = || {
        let partitions = serving.node.observe().session_partitions;
        partitions
            .iter()
            .any(|one| one.queue.used == one.queue.bound)
    };
    let mut n = 0;
    while !is_full() {
        town.posted(serving, 1, &format!("post {n}"));
        n += 1;
    }
    // Whatever it is in the midst of, it cannot finish this one.
    town.posted(serving, 1, "detained");
    serving.turn(100);
}

/// Joins the town, and cannot see its channel by the time of the answer.
fn join_in_vain(serving: &Serving, town: &Town, who: &guildhall_model::account::Account) {
    let user = Box::new(who.user.clone());
    let join = GuildCommand::Join { user, code: None };
    let hide = RoleUpdate {
        permissions: Some(PermissionEdit {
            mask: Permissions::VIEW_CHANNEL,
            bits: Permissions::empty(),
        }),
        ..RoleUpdate::default()
    };
    let hide = GuildCommand::UpdateRole(town.guild.everyone_role(), hide);
    for (actor, command) in [(who.user.id, join), (town.owner(), hide)] {
        let done = serving.node.command(town.guild, actor, command);
        serving.run(done).unwrap();
    }
}

/// A relay that knows of the session lets it in where its user joins, with what was so then.
#[test]
fn who_starts_a_session_is_not_shown_what_was_hidden_before() {
    let (house, serving, town, _founder) = founded();
    let stranger = Town::stranger(&house, &serving);
    detain_relay(&house, &serving, &town);
    join_in_vain(&serving, &town, &stranger);
    let starts = serving.node.open_session(identify(&stranger, 1));
    let meanwhile = async {
        let waiting = house.frames.until_waiting(2).await;
        house.frames.settle(waiting[1].ticket, Fate::Applied);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        house.frames.flow();
    };
    let (handle, ()) = serving.run(join(starts, meanwhile));
    let mut client = Client::started(&serving, &stranger, 1, handle.unwrap());
    let made = serving.node.command(town.guild, town.owner(), new_role());
    serving.run(made).unwrap();
    client.until(&serving, |told| {
        told.iter().any(|dispatch| {
            matches!(dispatch, Dispatch::Event(record) if matches!(record.event, Event::RoleCreated(_)))
        })
    });
    let shown = client.told.iter().filter_map(|dispatch| match dispatch {
        Dispatch::GuildAvailable(snapshot) if snapshot.guild.id == town.guild => Some(snapshot),
        _ => None,
    });
    let shown: Vec<usize> = shown.map(|snapshot| snapshot.channels.len()).collect();
    assert_eq!(
        shown,
        [0],
        "it is told of the guild once, and of no channel"
    );
}
