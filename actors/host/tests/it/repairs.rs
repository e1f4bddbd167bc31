//! A frames log that refuses costs time: the node takes its session partitions over from itself.

use guildhall_embedded::log::{LogConfig, SegmentLog, Topic};
use guildhall_host::Refused;
use guildhall_host::node::ResumeError;
use guildhall_host::session::Ended;
use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::Event;
use guildhall_ports::fake::Fate;
use guildhall_ports::{Env, Failure};

use crate::client::{Client, identify};
use crate::house::{House, Serving};
use crate::town::{Town, founded, new_guild, new_role};

fn unavailable() -> Failure {
    Failure::unavailable("the frames log", "a test says so")
}

/// Waits until the node says that all its partitions work.
fn until_well(serving: &Serving) {
    while serving.node.check().is_err() {
        serving.turn(1);
    }
}

#[test]
fn a_refused_frame_costs_no_session_and_no_dispatch() {
    for fate in [Fate::Refused(unavailable()), Fate::Torn(0), Fate::Unheard] {
        let (mut house, serving, town, mut client) = founded();
        house.frames.hold();
        town.posted(&serving, 1, "second");
        let waiting = serving.run(house.frames.until_waiting(1));
        house.frames.settle(waiting[0].ticket, fate.clone());
        house.frames.flow();
        assert_eq!(client.until_ended(&serving), Ended::Failed, "{fate:?}");
        client.insist(&serving);
        let third = town.posted(&serving, 2, "third");
        client.until_told(&serving, third);
        assert_eq!(client.texts(), ["first", "second", "third"], "{fate:?}");
        client.leave();
        serving.kill();
        let serving = house.start();
        client.resume(&serving).unwrap();
        let fourth = town.posted(&serving, 1, "fourth");
        client.until_told(&serving, fourth);
        let all = ["first", "second", "third", "fourth"];
        assert_eq!(client.texts(), all, "{fate:?}");
    }
}

#[test]
fn while_the_log_refuses_clients_are_asked_to_come_back_and_the_node_says_so() {
    let (house, serving, town, mut client) = founded();
    assert_eq!(serving.node.check(), Ok(()));
    house.frames.fail(Some(unavailable()));
    let second = town.posted(&serving, 1, "second");
    assert_eq!(client.until_ended(&serving), Ended::Failed);
    for n in 0..4 {
        let resumed = client.resume(&serving);
        assert!(matches!(resumed, Err(ResumeError::Failure(_))), "{n}");
        // The first one reaches a partition that has not noticed yet.
        let opened = serving.run(serving.node.open_session(identify(&town.people[2], 9)));
        assert!(matches!(opened, Err(Refused::Failure(_))), "{n}");
        let why = serving.node.check().unwrap_err();
        assert!(why.contains("a test says so"), "{why}");
        town.posted(&serving, 2, &format!("meanwhile {n}"));
        serving.turn(50);
    }
    // Nobody could come back: the time counts for nobody.
    house.clock.advance_ms(60 * 60_000);
    house.frames.fail(None);
    until_well(&serving);
    serving.turn(100);
    client.resume(&serving).unwrap();
    client.until_told(&serving, second);
    let third = town.posted(&serving, 1, "third");
    client.until_told(&serving, third);
    let meanwhile = (0..4).map(|n| format!("meanwhile {n}"));
    let told = ["first", "second"].map(String::from).into_iter();
    let told: Vec<String> = told.chain(meanwhile).chain(["third".into()]).collect();
    assert_eq!(client.texts(), told);
    let other = Client::open(&serving, &town.people[2], 9);
    assert_eq!(other.texts(), [""; 0]);
}

#[test]
fn a_guild_that_was_joined_while_the_log_refused_is_shown_as_it_was_then() {
    let (house, serving, town, mut client) = founded();
    let founder = town.people[1].user.clone();
    let other = serving.run(
        serving
            .node
            .create_guild(founder.clone(), new_guild("Other")),
    );
    let other = other.unwrap().read(|state| state.guild().id);
    let mut member = Client::open(&serving, &town.people[1], 1);
    house.frames.fail(Some(unavailable()));
    let second = town.posted(&serving, 1, "second");
    client.until_ended(&serving);
    let joiner = &town.people[0].user;
    let join = GuildCommand::Join {
        user: Box::new(joiner.clone()),
        code: None,
    };
    let node = &serving.node;
    serving.run(node.command(other, joiner.id, join)).unwrap();
    serving
        .run(node.command(other, founder.id, new_role()))
        .unwrap();
    house.frames.fail(None);
    client.insist(&serving);
    let role_made = |told: &[Dispatch]| {
        told.iter().any(|dispatch| {
            matches!(dispatch, Dispatch::Event(record) if matches!(record.event, Event::RoleCreated(_)))
        })
    };
    client.until(&serving, role_made);
    client.until_told(&serving, second);
    let shown: Vec<usize> = client
        .told
        .iter()
        .filter_map(|dispatch| match dispatch {
            Dispatch::GuildAvailable(snapshot) if snapshot.guild.id == other => {
                Some(snapshot.roles.len())
            }
            _ => None,
        })
        .collect();
    assert_eq!(shown, [1], "once, and before the role was made");
    member.insist(&serving);
    member.until(&serving, role_made);
}

#[test]
fn a_new_session_goes_to_a_partition_that_works() {
    let (house, serving, town, mut client) = founded();
    house.frames.hold();
    town.posted(&serving, 1, "second");
    let refused = serving.run(house.frames.until_waiting(1));
    let refusing = Fate::Refused(unavailable());
    house.frames.settle(refused[0].ticket, refusing);
    client.until_ended(&serving);
    for n in 0..2 {
        let (node, request) = (serving.node.clone(), identify(&town.people[2], n));
        serving.spawn(async move { drop(node.open_session(request).await) });
    }
    // One append is the broken partition's way back, the other holds both new sessions.
    let waiting = serving.run(house.frames.until_waiting(2));
    serving.turn(100);
    assert_eq!(house.frames.waiting().len(), 2);
    let broken = refused[0].partition;
    let epochs: Vec<_> = waiting
        .iter()
        .map(|append| (append.partition == broken, append.epoch > refused[0].epoch))
        .collect();
    assert!(
        epochs.contains(&(true, true)) && epochs.contains(&(false, false)),
        "{epochs:?}"
    );
    house.frames.flow();
    client.insist(&serving);
    let third = town.posted(&serving, 1, "third");
    client.until_told(&serving, third);
    assert_eq!(client.texts(), ["first", "second", "third"]);
}

#[test]
fn a_former_owner_whose_frame_is_refused_does_not_take_over_again() {
    let (mut house, former, town, mut client) = founded();
    let present = house.start();
    house.frames.hold();
    town.posted(&former, 1, "void");
    let waiting = former.run(house.frames.until_waiting(1));
    house
        .frames
        .settle(waiting[0].ticket, Fate::Refused(unavailable()));
    house.frames.flow();
    assert_eq!(client.until_ended(&former), Ended::Failed);
    former.turn(1_000);
    let refused = client.resume(&former).unwrap_err();
    assert!(
        matches!(refused, ResumeError::Failure(Failure::Stale { .. })),
        "{refused:?}"
    );
    client.resume(&present).unwrap();
    let second = town.posted(&present, 1, "second");
    client.until_told(&present, second);
    assert_eq!(client.texts(), ["first", "second"]);
}

/// Each frame begins a segment of its own, which needs the directory.
#[test]
fn a_disk_that_fails_for_a_while_costs_no_session_and_no_dispatch() {
    let dir = tempfile::tempdir().unwrap();
    let (here, away) = (dir.path().join("frames"), dir.path().join("away"));
    let config = LogConfig {
        segment_bytes: 10,
        ..LogConfig::default()
    };
    let log = SegmentLog::open(&here, Topic::Frames, config, Env::system().random).unwrap();
    let mut house = House::with_frames_on_disk(log);
    let serving = house.start();
    let town = Town::found(&house, &serving);
    let mut client = Client::open(&serving, &town.people[0], 0);
    let first = town.posted(&serving, 1, "first");
    client.until_told(&serving, first);
    std::fs::rename(&here, &away).unwrap();
    town.posted(&serving, 1, "second");
    assert_eq!(client.until_ended(&serving), Ended::Failed);
    assert!(matches!(
        client.resume(&serving),
        Err(ResumeError::Failure(_))
    ));
    assert!(serving.node.check().is_err());
    std::fs::rename(&away, &here).unwrap();
    client.insist(&serving);
    let third = town.posted(&serving, 2, "third");
    client.until_told(&serving, third);
    assert_eq!(client.texts(), ["first", "second", "third"]);
    until_well(&serving);
    client.leave();
    serving.kill();
    let serving = house.start();
    client.resume(&serving).unwrap();
    let fourth = town.posted(&serving, 2, "fourth");
    client.until_told(&serving, fourth);
    assert_eq!(client.texts(), ["first", "second", "third", "fourth"]);
}
