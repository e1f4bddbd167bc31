//! Several nodes on the same stores are one: whoever is asked, and whoever dies.

use guildhall_host::Refused;
use guildhall_host::node::ResumeError;
use guildhall_model::MessageId;
use guildhall_ports::Failure;

use crate::client::Client;
use crate::house::{House, Serving};
use crate::town::{Town, new_role};

/// Longer than a node may be silent.
const SILENT_MS: i64 = 10_000;

/// Three nodes that share all partitions, and a town.
fn three() -> (House, [Serving; 3], Town) {
    let mut house = House::of_many();
    let nodes = [1, 2, 3].map(|number| house.join(number));
    house.until_settled(&nodes.each_ref());
    let town = Town::found(&house, &nodes[0]);
    (house, nodes, town)
}

/// What every client was told, which is the same for all.
fn the_same_for_all(clients: &[Client]) -> Vec<String> {
    let first = clients[0].messages();
    for client in clients {
        assert_eq!(client.messages(), first);
    }
    first.into_iter().map(|(_, text)| text).collect()
}

/// One client at each node, and all have been told something.
fn connected(nodes: &[&Serving], town: &Town) -> Vec<Client> {
    let people = nodes.iter().zip(&town.people);
    let mut clients: Vec<Client> = people
        .map(|(at, account)| Client::open(at, account, 0))
        .collect();
    let id = town.posted(nodes[0], 1, "before");
    until_told(&mut clients, nodes, id);
    clients
}

fn until_told(clients: &mut [Client], nodes: &[&Serving], message: MessageId) {
    for (client, at) in clients.iter_mut().zip(nodes) {
        client.until_told(at, message);
    }
}

#[test]
fn whoever_is_asked_all_are_told_the_same() {
    let (_house, nodes, town) = three();
    let nodes = nodes.each_ref();
    let mut clients: Vec<Client> = (0..3)
        .map(|n| Client::open(nodes[n], &town.people[n], 0))
        .collect();
    let texts = ["first", "second", "third", "fourth", "fifth", "sixth"];
    for (n, text) in texts.iter().enumerate() {
        let id = town.posted(nodes[n % 3], n % 2, text);
        until_told(&mut clients, &nodes, id);
    }
    assert_eq!(the_same_for_all(&clients), texts);
    for at in nodes {
        let page = town.page(at);
        let page: Vec<&str> = page.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(page, texts, "every node reads the same history");
    }
}

#[test]
fn nobody_is_disturbed_for_a_node_that_cannot_be_reached_yet() {
    let mut house = House::of_many();
    let node = house.join(1);
    house.until_settled(&[&node]);
    let town = Town::found(&house, &node);
    let mut client = Client::open(&node, &town.people[0], 0);
    let before = house.owners();
    let deaf = house.list_deaf(2);
    // In the first look the node learns of the other one, and then would give it its share.
    house.until_looked(&[&node], 4);
    assert_eq!(house.owners(), before, "nothing is let go and taken back");
    assert!(node.node.check().is_ok(), "{:?}", node.node.check());
    let posted = town.posted(&node, 1, "posted");
    client.until_told(&node, posted);
    drop(deaf);
}

#[test]
fn what_is_answered_by_one_node_is_so_on_all() {
    let (_house, nodes, town) = three();
    for (n, at) in nodes.iter().enumerate() {
        let made = at.node.command(town.guild, town.owner(), new_role());
        let done = at.run(made).unwrap();
        assert_eq!(done.view.read(|state| state.roles().count()), n + 2);
        for other in &nodes {
            let view = other.run(other.node.guild(town.guild)).unwrap().unwrap();
            assert_eq!(view.read(|state| state.roles().count()), n + 2);
        }
    }
}

#[test]
fn what_is_refused_is_refused_for_the_same_reason_on_all() {
    let (_house, nodes, town) = three();
    let refused: Vec<String> = nodes
        .iter()
        .map(|at| {
            let made = at
                .node
                .command(town.guild, town.people[1].user.id, new_role());
            match at.run(made).unwrap_err() {
                Refused::Rejection(rejection) => format!("{rejection:?}"),
                Refused::Failure(failure) => panic!("{failure}"),
            }
        })
        .collect();
    assert_eq!(refused[0], refused[1]);
    assert_eq!(refused[1], refused[2]);
}

#[test]
fn a_session_is_taken_back_by_the_node_that_holds_it_and_by_no_other() {
    let (_house, nodes, town) = three();
    let mut client = Client::open(&nodes[1], &town.people[0], 0);
    let id = town.posted(&nodes[2], 1, "first");
    client.until_told(&nodes[1], id);
    client.leave();
    for n in [0, 2] {
        let refused = client.resume(&nodes[n]).unwrap_err();
        let ResumeError::Elsewhere(node) = refused else {
            panic!("{refused}");
        };
        assert_eq!(node.0, 2);
    }
    client.resume(&nodes[1]).unwrap();
}

#[test]
fn when_a_node_is_killed_its_sessions_go_on_elsewhere_and_nothing_is_lost() {
    let (house, nodes, town) = three();
    let [first, second, third] = nodes;
    let mut clients = connected(&[&first, &second, &third], &town);
    clients[1].leave();
    second.kill();
    let left = [&first, &third];
    town.insist(left[0], 0, "meanwhile");
    house.until_settled(&left);
    let holder = clients[1].insist_among(&left);
    let id = town.posted(left[1], 1, "after");
    until_told(&mut clients, &[&first, left[holder], &third], id);
    assert_eq!(the_same_for_all(&clients), ["before", "meanwhile", "after"]);
}

#[test]
fn the_lease_of_a_killed_coordinator_is_not_waited_for() {
    let (house, nodes, _town) = three();
    let mut nodes = Vec::from(nodes);
    let leader = usize::from(house.leader().0) - 1;
    nodes.remove(leader).kill();
    house.until_settled_at_once(&[&nodes[0], &nodes[1]]);
}

#[test]
fn a_node_that_was_taken_for_dead_can_change_nothing_and_notices() {
    let mut house = House::of_many();
    let (paused, awake) = (house.join(1), house.join(2));
    house.until_settled(&[&paused, &awake]);
    let town = Town::found(&house, &awake);
    let mut client = Client::open(&paused, &town.people[0], 0);
    let mut other = Client::open(&awake, &town.people[1], 0);
    let first = town.posted(&paused, 1, "first");
    client.until_told(&paused, first);
    let pause = paused.pause();
    house.clock.advance_ms(SILENT_MS);
    house.until_settled(&[&awake]);
    let owners: Vec<_> = house
        .owners()
        .into_iter()
        .map(|(_, it)| it.node.0)
        .collect();
    assert!(owners.iter().all(|&node| node == 2), "{owners:?}");
    town.posted(&awake, 1, "second");
    // It wakes up in the belief that all is as it was.
    drop(pause);
    let late = paused.run(async { town.post(&paused.node, 1, "void or elsewhere").await });
    let is_void = match late {
        Err(Refused::Failure(Failure::Stale { .. } | Failure::Unavailable { .. })) => true,
        Ok(_) => false,
        Err(refused) => panic!("{refused}"),
    };
    let id = town.posted(&awake, 2, "third");
    other.until_told(&awake, id);
    client.leave();
    // It lives, so it gets its share back.
    let nodes = [&awake, &paused];
    let holder = client.insist_among(&nodes);
    client.until_told(nodes[holder], id);
    let mut texts = vec!["first", "second", "void or elsewhere", "third"];
    texts.retain(|text| !is_void || *text != "void or elsewhere");
    assert_eq!(client.texts(), texts);
    assert_eq!(other.texts(), texts);
}

#[test]
fn a_leaving_node_hands_its_sessions_over_and_none_begins_anew() {
    let (house, nodes, town) = three();
    let [first, second, third] = nodes;
    let mut clients = connected(&[&first, &second, &third], &town);
    clients[1].leave();
    let within = std::time::Duration::from_secs(20);
    assert!(second.run(second.node.hand_over_all(within)));
    second.run(second.node.leave());
    let left = [&first, &third];
    house.until_settled(&left);
    second.kill();
    let holder = clients[1].insist_among(&left);
    let id = town.posted(left[1], 1, "after");
    until_told(&mut clients, &[&first, left[holder], &third], id);
    assert_eq!(the_same_for_all(&clients), ["before", "after"]);
}
