//! Nodes of one cluster that each do a part of the work: nothing is lost by that, and nobody owns
//! what it has no role for.

use std::time::{Duration, Instant};

use guildhall_host::Refused;
use guildhall_model::{NodeRole, NodeRoles};
use guildhall_ports::Failure;
use guildhall_ports::directory::Partition;

use crate::client::{Client, identify};
use crate::house::{House, Serving};
use crate::town::{Town, new_guild};

const API: NodeRoles = NodeRoles::only(NodeRole::Api);
const GATEWAY: NodeRoles = NodeRoles::only(NodeRole::Gateway);
const WORKER: NodeRoles = NodeRoles::only(NodeRole::Worker);

/// Far beyond what anything takes here: only a hanging test meets it.
const HANGS: Duration = Duration::from_secs(30);

/// One node that answers requests, two with sockets, two that own guilds, and a town.
struct Split {
    house: House,
    api: Serving,
    gateways: Vec<Serving>,
    workers: Vec<Serving>,
    town: Town,
    /// One at each gateway; all have been told something.
    clients: Vec<Client>,
}

fn split() -> Split {
    let mut house = House::of_many();
    let api = house.join_as(1, API);
    let gateways: Vec<Serving> = [2, 3].map(|n| house.join_as(n, GATEWAY)).into();
    let workers: Vec<Serving> = [4, 5].map(|n| house.join_as(n, WORKER)).into();
    let all: Vec<&Serving> = [&api]
        .into_iter()
        .chain(&gateways)
        .chain(&workers)
        .collect();
    house.until_settled(&all);
    let town = Town::found(&house, &api);
    let people = gateways.iter().zip(&town.people);
    let mut clients: Vec<Client> = people
        .map(|(at, account)| Client::open(at, account, 0))
        .collect();
    let id = town.posted(&api, 1, "before");
    for (client, at) in clients.iter_mut().zip(&gateways) {
        client.until_told(at, id);
    }
    Split {
        house,
        api,
        gateways,
        workers,
        town,
        clients,
    }
}

/// Waits until a node says that these roles are missing.
fn until_missing(at: &Serving, roles: &[NodeRole]) {
    let began = Instant::now();
    while at.node.missing_roles() != roles {
        assert!(began.elapsed() < HANGS, "{:?}", at.node.missing_roles());
        at.turn(1);
    }
}

/// Whose the partitions of a role are, by the directory.
fn owners(house: &House, role: NodeRole) -> Vec<u16> {
    let owned = house.owners().into_iter();
    let of_role = owned.filter(|(partition, _): &(Partition, _)| partition.role() == role);
    let mut owners: Vec<u16> = of_role.map(|(_, owner)| owner.node.0).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

#[test]
fn what_is_posted_at_one_node_is_told_at_others_and_decided_by_yet_others() {
    let mut all = split();
    assert_eq!(owners(&all.house, NodeRole::Gateway), [2, 3]);
    assert_eq!(owners(&all.house, NodeRole::Worker), [4, 5]);
    for text in ["first", "second"] {
        let id = all.town.posted(&all.api, 1, text);
        for (client, at) in all.clients.iter_mut().zip(&all.gateways) {
            client.until_told(at, id);
        }
    }
    for client in &all.clients {
        assert_eq!(client.texts(), ["before", "first", "second"]);
    }
    let page = all.town.page(&all.api);
    let page: Vec<&str> = page.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(page, ["before", "first", "second"]);
}

#[test]
fn no_session_begins_at_a_node_that_is_no_gateway() {
    let all = split();
    for at in [&all.api, &all.workers[0]] {
        let opened = at.run(at.node.open_session(identify(&all.town.people[2], 0)));
        let refused = opened.map(|_| ()).unwrap_err();
        assert!(matches!(refused, Refused::Failure(_)), "{refused}");
    }
}

#[test]
fn when_a_worker_is_killed_the_other_one_goes_on_and_nothing_is_lost() {
    let mut all = split();
    all.workers.remove(0).kill();
    all.town.insist(&all.api, 0, "meanwhile");
    let [first, second] = &all.gateways[..] else {
        unreachable!("there are two")
    };
    all.house
        .until_settled(&[&all.api, first, second, &all.workers[0]]);
    let id = all.town.posted(&all.api, 1, "after");
    for (client, at) in all.clients.iter_mut().zip(&all.gateways) {
        client.until_told(at, id);
        assert!(client.is_connected());
        assert_eq!(client.texts(), ["before", "meanwhile", "after"]);
    }
    assert_eq!(owners(&all.house, NodeRole::Worker), [5]);
}

#[test]
fn when_a_gateway_is_killed_its_sessions_go_on_at_the_other_one_and_nothing_is_lost() {
    let mut all = split();
    all.clients[0].leave();
    all.gateways.remove(0).kill();
    all.town.insist(&all.api, 0, "meanwhile");
    let left = &all.gateways[0];
    let [one, other] = &all.workers[..] else {
        unreachable!("there are two")
    };
    all.house.until_settled(&[&all.api, left, one, other]);
    all.clients[0].insist(left);
    let id = all.town.posted(&all.api, 1, "after");
    for client in &mut all.clients {
        client.until_told(left, id);
        assert_eq!(client.texts(), ["before", "meanwhile", "after"]);
    }
    assert_eq!(owners(&all.house, NodeRole::Gateway), [3]);
}

#[test]
fn a_node_that_comes_back_with_fewer_roles_leaves_the_rest_to_others() {
    let mut house = House::of_many();
    let (first, second) = (house.join(1), house.join(2));
    house.until_settled(&[&first, &second]);
    let town = Town::found(&house, &first);
    let mut client = Client::open(&second, &town.people[0], 0);
    let id = town.posted(&first, 1, "before");
    client.until_told(&second, id);
    client.leave();
    second.kill();
    let second = house.join_as(2, WORKER);
    house.until_settled(&[&first, &second]);
    assert_eq!(owners(&house, NodeRole::Gateway), [1]);
    assert_eq!(owners(&house, NodeRole::Worker), [1, 2]);
    client.insist(&first);
    let id = town.posted(&second, 1, "after");
    client.until_told(&first, id);
    assert_eq!(client.texts(), ["before", "after"]);
}

#[test]
fn what_nobody_has_the_role_for_is_said_and_waits_for_somebody() {
    let mut house = House::of_many();
    let front = house.join_as(1, API.and(NodeRole::Gateway));
    house.until_settled(&[&front]);
    assert_eq!(front.node.missing_roles(), [NodeRole::Worker]);
    let worker = house.join_as(2, WORKER);
    house.until_settled(&[&front, &worker]);
    let town = Town::found(&house, &front);
    for at in [&front, &worker] {
        until_missing(at, &[]);
    }
    worker.kill();
    until_missing(&front, &[NodeRole::Worker]);
    // Its guild has no owner that works: the request fails, and may be sent again.
    let made = front
        .node
        .create_guild(town.people[1].user.clone(), new_guild("Later"));
    let refused = front.run(made).map(|_| ()).unwrap_err();
    assert!(
        matches!(refused, Refused::Failure(Failure::Unavailable { .. })),
        "{refused}"
    );
    front.node.check().unwrap();
    let worker = house.join_as(3, WORKER);
    house.until_settled(&[&front, &worker]);
    town.posted(&front, 1, "after");
}

#[test]
fn a_leaving_node_waits_for_those_who_take_something_and_for_nobody_else() {
    let mut house = House::of_many();
    let (leaving, worker) = (house.join(1), house.join_as(2, WORKER));
    house.until_settled(&[&leaving, &worker]);
    assert!(leaving.run(leaving.node.hand_over_all(HANGS)));
    let left = leaving.node.observe();
    assert!(left.event_partitions.is_empty());
    assert_eq!(owners(&house, NodeRole::Worker), [2]);
    assert!(!left.session_partitions.is_empty(), "nobody takes those");
}

#[test]
fn what_a_node_has_no_role_for_any_more_it_does_not_take_back_even_if_nobody_else_does() {
    let mut house = House::of_many();
    let former = house.join(1);
    house.until_settled(&[&former]);
    former.kill();
    let worker = house.join_as(1, WORKER);
    house.until_settled(&[&worker]);
    assert!(worker.node.observe().session_partitions.is_empty());
    until_missing(&worker, &[NodeRole::Api, NodeRole::Gateway]);
    let gateway = house.join_as(2, GATEWAY);
    house.until_settled(&[&worker, &gateway]);
    assert_eq!(owners(&house, NodeRole::Gateway), [2]);
}
