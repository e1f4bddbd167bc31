//! While the relational store is away, with the list of nodes and the directory, what is posted is
//! delivered as before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use guildhall_cluster::placement::{Candidate, all_partitions, place};
use guildhall_model::{NodeId, NodeRoles};
use guildhall_ports::Failure;
use guildhall_ports::fake::Way;

use crate::client::Client;
use crate::house::{House, Serving};
use crate::town::{Town, new_role};

/// Only a hanging test meets it.
const HANGS: Duration = Duration::from_secs(30);
/// Longer than a node may be silent.
const SILENT_MS: i64 = 20_000;
/// Longer than what was known of a guild is believed.
const LONG_MS: i64 = 6 * 60 * 1_000;

/// Three nodes with a town, and one client at each of them, which has been told something.
fn three() -> (House, [Serving; 3], Town, Vec<Client>) {
    let mut house = House::of_many();
    let nodes = [1, 2, 3].map(|number| house.join(number));
    house.until_settled(&nodes.each_ref());
    until_placed(&house, &nodes);
    let town = Town::found(&house, &nodes[0]);
    let people = nodes.iter().zip(&town.people);
    let mut clients: Vec<Client> = people
        .map(|(at, account)| Client::open(at, account, 0))
        .collect();
    told_by_all(&nodes, &town, &mut clients, "before");
    (house, nodes, town, clients)
}

/// Has every node asked for a post, and waits until every client was told of it. Whoever posts needs
/// the guild on the way.
fn told_by_all(nodes: &[Serving; 3], town: &Town, clients: &mut [Client], when: &str) {
    for (n, at) in nodes.iter().enumerate() {
        let view = at.run(at.node.guild(town.guild)).unwrap().unwrap();
        assert!(view.read(|state| state.member(town.owner()).is_some()));
        let id = town.posted(at, n, &format!("{when} {n}"));
        for (client, at) in clients.iter_mut().zip(nodes) {
            client.until_told(at, id);
        }
    }
}

/// Waits until everything is where it belongs, so that nothing has a reason to move.
fn until_placed(house: &House, nodes: &[Serving; 3]) {
    let candidates = [1, 2, 3].map(|number| Candidate {
        node: NodeId(number),
        weight: 1,
        roles: NodeRoles::ALL,
    });
    let placed = place(&all_partitions(8, 8), &candidates);
    until_all(nodes, |_| {
        let owners = house.owners().into_iter();
        let owners: BTreeMap<_, _> = owners.map(|(it, owner)| (it, owner.node)).collect();
        owners == placed
    });
    house.until_settled_at_once(&nodes.each_ref());
}

fn until_all(nodes: &[Serving; 3], holds: impl Fn(&Serving) -> bool) {
    let began = Instant::now();
    while !nodes.iter().all(&holds) {
        assert!(began.elapsed() < HANGS);
        for at in nodes {
            at.run(tokio::task::yield_now());
        }
    }
}

fn away() -> Failure {
    Failure::unavailable("store", "it is away")
}

#[test]
fn what_is_posted_while_the_store_is_silent_is_delivered_and_nobody_waits_for_the_store() {
    let (house, nodes, town, mut clients) = three();
    let owners = house.owners();
    house.way.set(Way::Silent);
    house.fail_lists(Some(away()));
    until_all(&nodes, |at| at.node.check().is_err());
    for at in &nodes {
        let changed = at.run(at.node.command(town.guild, town.owner(), new_role()));
        assert!(changed.is_err(), "what changes the guild has to wait");
    }
    // Nobody is heard for longer than a node may be silent.
    house.clock.advance_ms(SILENT_MS);
    told_by_all(&nodes, &town, &mut clients, "meanwhile");
    house.fail_lists(None);
    house.way.set(Way::Open);
    until_all(&nodes, |at| at.node.check().is_ok());
    house.until_settled_at_once(&nodes.each_ref());
    told_by_all(&nodes, &town, &mut clients, "after");
    assert_eq!(house.owners(), owners, "nothing moves for that");
}

#[test]
fn before_anybody_has_found_out_that_the_store_is_away_posts_are_only_late() {
    let (house, nodes, town, mut clients) = three();
    for way in [Way::Refused, Way::Silent] {
        house.way.set_unnoticed(way);
        told_by_all(&nodes, &town, &mut clients, &format!("{way:?}"));
        house.way.set_unnoticed(Way::Open);
    }
}

/// Where only one node is cut off from the store, others go on changing guilds.
#[test]
fn a_guild_that_was_heard_to_change_is_not_recalled_as_it_was() {
    let (house, nodes, town, mut clients) = three();
    let roles = |at: &Serving| {
        let view = at.run(at.node.guild(town.guild)).ok().flatten()?;
        Some(view.read(|state| state.roles().count()))
    };
    let before = roles(&nodes[1]).unwrap();
    let changed = nodes[0].run(nodes[0].node.command(town.guild, town.owner(), new_role()));
    changed.unwrap();
    let last = town.posted(&nodes[0], 0, "after the change");
    for (client, at) in clients.iter_mut().zip(&nodes) {
        client.until_told(at, last);
    }
    house.way.set(Way::Refused);
    let known: Vec<usize> = nodes.iter().filter_map(roles).collect();
    assert!(known.contains(&(before + 1)), "its owner has it in memory");
    assert!(!known.contains(&before), "{known:?}");
}

#[test]
fn what_was_known_too_long_ago_is_not_believed() {
    let (house, nodes, town, _clients) = three();
    house.way.set(Way::Refused);
    house.fail_lists(Some(away()));
    house.clock.advance_ms(LONG_MS);
    let known = nodes
        .iter()
        .filter(|at| at.run(at.node.guild(town.guild)).is_ok());
    assert_eq!(known.count(), 1, "its owner has it in memory");
    house.way.set(Way::Open);
    for at in &nodes {
        assert!(at.run(at.node.guild(town.guild)).unwrap().is_some());
    }
}
