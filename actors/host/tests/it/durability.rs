//! What is told is stable, what is acknowledged is told once, and a log that refuses costs time.

use guildhall_host::observe::EventPartitionState;
use guildhall_host::{Refused, Written};
use guildhall_model::Timestamp;
use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Event, Record};
use guildhall_ports::fake::{Fate, Way};
use guildhall_ports::guilds::CommitError;
use guildhall_ports::{Failure, Guilds as _};

use crate::client::Client;
use crate::house::House;
use crate::town::{Town, founded, new_role, post};

#[test]
fn nothing_is_told_before_its_frame_is_stable() {
    let (house, serving, town, mut client) = founded();
    house.frames.hold();
    let id = town.posted(&serving, 1, "held");
    serving.run(house.frames.until_waiting(1));
    serving.turn(100);
    client.take(usize::MAX);
    assert_eq!(client.texts(), ["first"]);
    house.frames.flow();
    client.until_told(&serving, id);
    assert_eq!(client.texts(), ["first", "held"]);
}

#[test]
fn nothing_is_acknowledged_before_its_event_is_stable() {
    let (house, serving, town, mut client) = founded();
    house.events.hold();
    let waits = serving.run(async {
        let post = std::pin::pin!(town.post(&serving.node, 1, "held"));
        let waits = house.events.until_waiting(1);
        match futures_util::future::select(post, std::pin::pin!(waits)).await {
            futures_util::future::Either::Left(_) => panic!("acknowledged too early"),
            futures_util::future::Either::Right((waiting, _)) => waiting.len(),
        }
    });
    assert_eq!(waits, 1);
    house.events.flow();
    let id = town.posted(&serving, 1, "held");
    client.until_told(&serving, id);
    assert_eq!(
        client.texts(),
        ["first", "held"],
        "the nonce finds the post nobody waited for"
    );
}

#[test]
fn a_change_whose_rows_were_committed_is_told_though_its_owner_died_before_the_log() {
    let (mut house, serving, town, mut client) = founded();
    house.events.hold();
    let (node, guild, owner) = (serving.node.clone(), town.guild, town.owner());
    serving.spawn(async move {
        let _ = node.command(guild, owner, new_role()).await;
    });
    serving.run(house.events.until_waiting(1));
    client.leave();
    serving.kill();
    house.settle(0, 0);
    let serving = house.start();
    client.resume(&serving).unwrap();
    let id = town.posted(&serving, 1, "after");
    client.until_told(&serving, id);
    let roles = client
        .records()
        .into_iter()
        .filter(|r| matches!(r.event, Event::RoleCreated(_)));
    assert_eq!(roles.count(), 1);
    let view = serving.run(serving.node.guild(guild)).unwrap().unwrap();
    assert_eq!(view.read(|state| state.roles().count()), 2);
}

#[test]
fn an_acknowledged_message_is_told_once_wherever_its_frame_was_when_the_owner_died() {
    for stable in [0, 1] {
        let (mut house, serving, town, mut client) = founded();
        house.frames.hold();
        town.posted(&serving, 1, "second");
        serving.run(house.frames.until_waiting(1));
        client.leave();
        serving.kill();
        house.settle(0, stable);
        let serving = house.start();
        client.resume(&serving).unwrap();
        let id = town.posted(&serving, 1, "third");
        client.until_told(&serving, id);
        assert_eq!(
            client.texts(),
            ["first", "second", "third"],
            "{stable} frames stable"
        );
    }
}

#[test]
fn only_a_channel_that_was_made_before_the_owner_came_has_its_nonces_looked_up() {
    let mut house = House::new();
    let serving = house.start();
    let town = Town::found(&house, &serving);
    for text in ["first", "second"] {
        town.posted(&serving, 1, text);
    }
    assert_eq!(house.messages.nonces_asked(), 0);
    serving.kill();
    let serving = house.start();
    town.posted(&serving, 1, "third");
    assert_eq!(house.messages.nonces_asked(), 1);
}

#[test]
fn a_repeated_nonce_answers_with_the_first_message_after_a_restart() {
    let (mut house, serving, town, mut client) = founded();
    let first = town.posted(&serving, 1, "once");
    client.leave();
    serving.kill();
    let serving = house.start();
    let again = serving.run(town.post(&serving.node, 1, "once")).unwrap();
    assert!(matches!(again, Written::Repeated(message) if message.id == first));
    client.resume(&serving).unwrap();
    client.until_told(&serving, first);
    assert_eq!(client.texts(), ["first", "once"]);
}

#[test]
fn a_refused_append_fails_its_posts_and_the_partition_comes_back() {
    let torn = Failure::Full {
        what: "the events log",
    };
    for (fate, is_stable) in [
        (Fate::Refused(torn), false),
        (Fate::Torn(0), false),
        (Fate::Unheard, true),
    ] {
        let (house, serving, town, mut client) = founded();
        house.events.hold();
        let outcome = serving.run(async {
            let decide = async {
                let waiting = house.events.until_waiting(1).await;
                house.events.settle(waiting[0].ticket, fate.clone());
                house.events.flow();
            };
            let post = town.post(&serving.node, 1, "second");
            futures_util::future::join(post, decide).await.0
        });
        assert!(matches!(outcome, Err(Refused::Failure(_))), "{outcome:?}");
        let retried = town.insist(&serving, 1, "second");
        assert_eq!(
            matches!(retried, Written::Repeated(_)),
            is_stable,
            "{fate:?}"
        );
        let id = town.posted(&serving, 2, "third");
        client.until_told(&serving, id);
        assert_eq!(client.texts(), ["first", "second", "third"], "{fate:?}");
        let gseqs: Vec<u64> = client.records().iter().map(|record| record.gseq).collect();
        assert!(
            gseqs.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{gseqs:?}"
        );
        assert_eq!(town.page(&serving), client.messages());
    }
}

#[test]
fn a_message_whose_place_in_the_store_is_not_reached_yet_is_not_taken_for_a_deleted_one() {
    let (house, serving, town, mut client) = founded();
    house.messages.be_late(true);
    house.events.hold();
    let unheard = serving.run(async {
        let decide = async {
            let waiting = house.events.until_waiting(1).await;
            house.events.settle(waiting[0].ticket, Fate::Unheard);
            house.events.flow();
        };
        let post = town.post(&serving.node, 1, "second");
        futures_util::future::join(post, decide).await.0
    });
    assert!(matches!(unheard, Err(Refused::Failure(_))), "{unheard:?}");
    // The node hears what it has written, and waits for the store.
    serving.turn(1_000);
    let early = serving.run(town.post(&serving.node, 1, "second"));
    assert!(matches!(early, Err(Refused::Failure(_))), "{early:?}");
    house.messages.be_late(false);
    let repeated = town.insist(&serving, 1, "second");
    assert!(matches!(repeated, Written::Repeated(_)), "{repeated:?}");
    let third = town.posted(&serving, 2, "third");
    client.until_told(&serving, third);
    assert_eq!(client.texts(), ["first", "second", "third"]);
}

#[test]
fn a_full_frames_log_delays_dispatches_and_loses_none() {
    let (house, serving, town, mut client) = founded();
    house.frames.hold();
    let id = town.posted(&serving, 1, "second");
    let waiting = serving.run(house.frames.until_waiting(1));
    let full = Failure::Full {
        what: "the frames log",
    };
    house.frames.settle(waiting[0].ticket, Fate::Refused(full));
    house.frames.flow();
    client.until_told(&serving, id);
    assert_eq!(client.texts(), ["first", "second"]);
}

#[test]
fn a_lost_newest_snapshot_costs_no_session() {
    let (mut house, serving, town, mut client) = founded();
    house.clock.advance_ms(60_000);
    let second = town.posted(&serving, 1, "second");
    client.leave();
    // Another session shows that the frame is stable, and with it the snapshot is due.
    let mut other = Client::open(&serving, &town.people[2], 1);
    let third = town.posted(&serving, 1, "third");
    other.until_told(&serving, third);
    serving.kill();
    for partition in [0, 1].map(guildhall_model::SessionPartition) {
        let list = guildhall_ports::Snapshots::list(&house.snapshots, partition);
        if let [_, .., newest] = house.wait(list).unwrap()[..] {
            house.snapshots.damage(partition, newest);
        }
    }
    let serving = house.start();
    client.resume(&serving).unwrap();
    client.until_told(&serving, second);
    client.until_told(&serving, third);
    assert_eq!(client.texts(), ["first", "second", "third"]);
}

#[test]
fn a_restart_reads_what_came_after_the_last_snapshots_and_not_the_history() {
    const HISTORY: usize = 300;
    let (mut house, serving, town, mut client) = founded();
    for n in 0..HISTORY {
        town.posted(&serving, 1, &format!("history {n}"));
    }
    // The next frame of each partition is followed by a snapshot.
    house.clock.advance_ms(60_000);
    let id = town.posted(&serving, 1, "snapshot");
    client.until_told(&serving, id);
    let id = town.posted(&serving, 1, "afterwards");
    client.until_told(&serving, id);
    // What is projected now and then is projected at once for whoever reads.
    let reads = serving
        .node
        .pins(town.channel, town.owner(), Timestamp(i64::MAX), 1);
    serving.run(reads).unwrap();
    let held = |log: &guildhall_ports::fake::FakeLog| log.records(0).len() + log.records(1).len();
    assert!(held(&house.events) > HISTORY && held(&house.frames) > HISTORY);
    serving.kill();
    let before = house.events.records_read() + house.frames.records_read();
    let _serving = house.start();
    let read = house.events.records_read() + house.frames.records_read() - before;
    assert!(read < HISTORY / 3, "{read} records were read again");
}

#[test]
fn a_guild_whose_commits_happened_though_the_store_failed_loses_no_message() {
    let (house, serving, town, mut client) = founded();
    town.posted(&serving, 1, "second");
    let make = || serving.run(serving.node.command(town.guild, town.owner(), new_role()));
    make().unwrap();
    // Three commits are in the store, and their owner was told of none. Before them came a post, a
    // role, and what the audit log says of the role.
    let last = client.records().last().map_or(0, |record| record.gseq);
    let unheard = town.roles(&serving, last + 4, 3);
    let committed = house.relational.commit(town.token(&serving), &unheard);
    house.wait(committed).unwrap();
    let refused = make().unwrap_err();
    assert!(
        matches!(refused, Refused::Failure(Failure::Stale { .. })),
        "{refused:?}"
    );
    make().unwrap();
    town.insist(&serving, 1, "third");
    make().unwrap();
    let last = town.posted(&serving, 1, "fourth");
    client.until_told(&serving, last);
    assert_eq!(client.texts(), ["first", "second", "third", "fourth"]);
    assert_eq!(town.page(&serving), client.messages());
    let gseqs: Vec<u64> = client.records().iter().map(|record| record.gseq).collect();
    assert!(gseqs.is_sorted_by(|a, b| a < b), "{gseqs:?}");
    let records = client.records();
    let told = |record: &Record| records.contains(&record);
    assert!(unheard.iter().all(told), "what is committed is told");
}

/// A connection that was cut may deliver it long after its sender has given it up.
#[test]
fn a_commit_that_comes_to_the_store_after_its_actors_successor_comes_too_late() {
    let (house, serving, town, mut client) = founded();
    let make = || serving.run(serving.node.command(town.guild, town.owner(), new_role()));
    make().unwrap();
    let last = client.records().last().map_or(0, |record| record.gseq);
    // Behind the first role and what the audit log says of it.
    let late = town.roles(&serving, last + 3, 1);
    let token = town.token(&serving);
    house.way.set_unnoticed(Way::Refused);
    make().unwrap_err();
    house.way.set(Way::Open);
    town.insist(&serving, 1, "second");
    let committed = house.wait(house.relational.commit(token, &late));
    let is_stale = matches!(committed, Err(CommitError::Failure(Failure::Stale { .. })));
    assert!(is_stale, "{committed:?}");
    make().unwrap();
    let last = town.posted(&serving, 1, "third");
    client.until_told(&serving, last);
    assert_eq!(client.texts(), ["first", "second", "third"]);
    let gseqs: Vec<u64> = client.records().iter().map(|record| record.gseq).collect();
    assert!(gseqs.is_sorted_by(|a, b| a < b), "{gseqs:?}");
}

#[test]
fn a_message_that_a_killed_owner_stored_late_keeps_its_id_and_its_nonce() {
    let mut house = House::new();
    let serving = house.start();
    let town = Town::found(&house, &serving);
    town.posted(&serving, 1, "first");
    let lags = |part: &EventPartitionState| part.projected < part.stable;
    while serving.node.observe().event_partitions.iter().any(lags) {
        serving.turn(1);
    }
    house.messages.hold();
    house.clock.advance_ms(1);
    let late = town.posted(&serving, 1, "late");
    while !house.messages.is_holding_some() {
        serving.turn(1);
    }
    serving.kill();
    let serving = house.start();
    let next = town.posted(&serving, 1, "next");
    assert_ne!(next, late);
    let again = town.insist(&serving, 1, "late");
    assert!(matches!(again, Written::Repeated(message) if message.id == late));
}

#[test]
fn losing_all_snapshots_costs_no_session_while_the_log_is_whole() {
    let (mut house, serving, town, mut client) = founded();
    let mut other = Client::open(&serving, &town.people[2], 1);
    house.clock.advance_ms(60_000);
    client.leave();
    let second = town.posted(&serving, 1, "second");
    other.until_told(&serving, second);
    other.leave();
    serving.kill();
    for partition in [0, 1].map(guildhall_model::SessionPartition) {
        let list = guildhall_ports::Snapshots::list(&house.snapshots, partition);
        for snapshot in house.wait(list).unwrap() {
            house.snapshots.damage(partition, snapshot);
        }
    }
    let serving = house.start();
    other.resume(&serving).unwrap();
    let third = town.posted(&serving, 1, "third");
    other.until_told(&serving, third);
    // The only snapshots are younger than what the client has missed.
    client.resume(&serving).unwrap();
    client.until_told(&serving, third);
    assert_eq!(client.texts(), ["first", "second", "third"]);
}

/// The rows of a guild are ahead of what its relay has heard: they hold what was committed since.
#[test]
fn who_joins_a_guild_that_nobody_here_hears_misses_nothing_that_follows() {
    let mut house = House::new();
    let serving = house.start();
    let town = Town::found(&house, &serving);
    let stranger = Town::stranger(&house, &serving);
    town.posted(&serving, 1, "before");
    let mut client = Client::open(&serving, &stranger, 0);
    house.events.hold();
    let (node, guild, owner) = (serving.node.clone(), town.guild, town.owner());
    let (channel, poster) = (town.channel, town.people[1].user.clone());
    serving.spawn(async move {
        let user = Box::new(stranger.user.clone());
        let join = GuildCommand::Join { user, code: None };
        let (id, welcome) = (stranger.user.id, "welcome".to_owned());
        // In this order, each before the one before it is stable.
        let joined = node.command(guild, id, join);
        let posted = post(node.clone(), channel, poster, welcome);
        let made = node.command(guild, owner, new_role());
        let _ = futures_util::join!(joined, posted, made);
    });
    serving.run(house.events.until_waiting(1));
    serving.turn(500);
    house.events.flow();
    let is_role = |dispatch: &Dispatch| match dispatch {
        Dispatch::Event(record) => matches!(record.event, Event::RoleCreated(_)),
        _ => false,
    };
    client.until(&serving, |told| told.iter().any(is_role));
    assert_eq!(client.texts(), ["welcome"]);
    let joined = client.told.iter().find_map(|dispatch| match dispatch {
        Dispatch::GuildAvailable(snapshot) if snapshot.guild.id == town.guild => Some(snapshot),
        _ => None,
    });
    let roles = joined.expect("it is told of the guild").roles.len();
    assert_eq!(roles, 1, "the role comes after the joiner");
}
