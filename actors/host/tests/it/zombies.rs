//! An owner that was taken over without noticing can change nothing.

use guildhall_host::Refused;
use guildhall_host::node::ResumeError;
use guildhall_host::session::Ended;
use guildhall_ports::Failure;
use guildhall_ports::fake::Fate;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::house::House;
use crate::town::{Town, founded, new_role};

#[test]
fn a_former_owner_takes_no_session_back() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let mut client = Client::open(&former, &town.people[0], 0);
    let id = town.posted(&former, 1, "first");
    client.until_told(&former, id);
    let present = house.start();
    client.leave();
    let refused = client.resume(&former).unwrap_err();
    assert!(matches!(refused, ResumeError::Failure(_)), "{refused:?}");
    client.resume(&present).unwrap();
    let id = town.posted(&present, 1, "second");
    client.until_told(&present, id);
}

#[test]
fn a_former_owner_cannot_change_rows_whether_its_successor_has_or_not() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let present = house.start();
    let make =
        |at: &crate::house::Serving| at.run(at.node.command(town.guild, town.owner(), new_role()));
    let refused = make(&former).unwrap_err();
    assert!(
        matches!(refused, Refused::Failure(Failure::Stale { .. })),
        "{refused:?}"
    );
    for _ in 0..2 {
        make(&present).unwrap();
    }
    let view = present
        .run(present.node.guild(town.guild))
        .unwrap()
        .unwrap();
    assert_eq!(view.read(|state| state.roles().count()), 3);
}

#[test]
fn what_a_former_owner_would_tell_is_void_so_that_it_tells_nothing_and_nobody_starts_anew() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let mut clients: Vec<Client> = town.clients(&former);
    let id = town.posted(&former, 1, "first");
    for client in &mut clients {
        client.until_told(&former, id);
    }
    let present = house.start();
    town.posted(&former, 1, "void");
    for client in &mut clients {
        assert!(matches!(client.until_ended(&former), Ended::Failed));
        assert_eq!(client.texts(), ["first"]);
    }
    let id = town.posted(&present, 2, "second");
    for client in &mut clients {
        client.resume(&present).unwrap();
        client.until_told(&present, id);
        assert_eq!(client.texts(), ["first", "second"]);
        client.leave();
    }
    former.kill();
    present.kill();
    let third = house.start();
    for client in &mut clients {
        client.resume(&third).unwrap();
        client.take(usize::MAX);
        assert_eq!(client.texts(), ["first", "second"]);
    }
}

#[test]
fn a_former_owner_refuses_nobody_who_has_seen_more_than_it_knows() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let mut client = Client::open(&former, &town.people[0], 0);
    let id = town.posted(&former, 1, "first");
    client.until_told(&former, id);
    let present = house.start();
    client.resume(&present).unwrap();
    let id = town.posted(&present, 1, "second");
    client.until_told(&present, id);
    let refused = client.resume(&former).unwrap_err();
    assert!(
        matches!(refused, ResumeError::Failure(Failure::Stale { .. })),
        "{refused:?}"
    );
    client.resume(&present).unwrap();
}

#[test]
fn what_a_client_has_missed_is_counted_without_a_former_owners_void_frames() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let mut client = Client::open(&former, &town.people[0], 0);
    let id = town.posted(&former, 1, "first");
    client.until_told(&former, id);
    client.leave();
    let mut witness = Client::open(&former, &town.people[2], 0);
    let present = house.start();
    town.posted(&former, 1, "void");
    witness.until_ended(&former);
    assert_eq!(
        witness.texts(),
        [""; 0],
        "its frame is in the log, and void"
    );
    town.posted(&present, 1, "second");
    former.kill();
    present.kill();
    // Its ring is empty: what was missed is read from the log.
    let third = house.start();
    client.resume(&third).unwrap();
    client.take(usize::MAX);
    assert_eq!(client.texts(), ["first", "second"]);
}

/// Its successor's frames have other numbers than what it has told since.
#[test]
fn a_former_owner_replays_nothing_that_its_successor_has_written() {
    let (mut house, first, town, mut client) = founded();
    client.leave();
    town.posted(&first, 1, "second");
    first.turn(200);
    first.kill();
    // Its ring is empty: what was missed is read from the log.
    let former = house.start();
    house.frames.hold();
    town.posted(&former, 1, "third");
    let late = former.run(house.frames.until_waiting(1))[0].ticket;
    let resumed = client.resuming(&former);
    let (tell, told) = oneshot::channel();
    former.spawn(async move { drop(tell.send(resumed.await.map(drop))) });
    former.turn(100);
    let frames = house.frames.clone();
    let present = house.start_beside(async {
        loop {
            for waiting in frames.waiting() {
                if waiting.ticket != late {
                    frames.settle(waiting.ticket, Fate::Applied);
                }
            }
            tokio::task::yield_now().await;
        }
    });
    // What it has told becomes stable too late to count, and so does the client's return.
    house.frames.flow();
    let refused = former.run(told).unwrap().unwrap_err();
    assert!(matches!(refused, ResumeError::Failure(_)), "{refused:?}");
    client.resume(&present).unwrap();
    let id = town.posted(&present, 2, "fourth");
    client.until_told(&present, id);
    assert_eq!(client.texts(), ["first", "second", "third", "fourth"]);
}

#[test]
fn a_former_owners_late_event_is_void_however_far_its_successor_has_come() {
    let mut house = House::new();
    let former = house.start();
    let town = Town::found(&house, &former);
    let mut client = Client::open(&former, &town.people[0], 0);
    let id = town.posted(&former, 1, "first");
    client.until_told(&former, id);
    let present = house.start();
    client.leave();
    client.resume(&present).unwrap();
    let id = town.posted(&present, 1, "second");
    client.until_told(&present, id);
    assert_eq!(
        town.page(&present).len(),
        2,
        "the projection has come that far"
    );
    town.posted(&former, 2, "void");
    client.leave();
    former.kill();
    present.kill();
    let third = house.start();
    client.resume(&third).unwrap();
    let id = town.posted(&third, 2, "third");
    client.until_told(&third, id);
    assert_eq!(client.texts(), ["first", "second", "third"]);
}
