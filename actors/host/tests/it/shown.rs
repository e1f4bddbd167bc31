//! How people appear while nodes come and go.

use std::time::{Duration, Instant};

use guildhall_model::UserId;
use guildhall_model::user::Appearance::{Offline, Online};

use crate::client::Client;
use crate::house::{House, LINGER_MS, Serving};
use crate::town::Town;

/// Far beyond what anything takes here: only a hanging test meets it.
const HANGS: Duration = Duration::from_secs(30);

/// Two nodes: the town's owner looks on from the first, the two others are at the second.
fn looked_on() -> (House, [Serving; 2], Town, [Client; 3]) {
    let mut house = House::of_many();
    let nodes = [1, 2].map(|number| house.join(number));
    house.until_settled(&nodes.each_ref());
    let town = Town::found(&house, &nodes[0]);
    let mut owner = Client::open(&nodes[0], &town.people[0], 0);
    let others = [1, 2].map(|who| Client::open(&nodes[1], &town.people[who], 0));
    for who in [1, 2] {
        owner.until_shown(&nodes[0], user(&town, who), Online);
    }
    let [one, other] = others;
    let mut clients = [owner, one, other];
    // Sessions may be resumed once their start is complete.
    let id = town.posted(&nodes[0], 0, "before");
    for (client, at) in clients.iter_mut().zip([0, 1, 1]) {
        client.until_told(&nodes[at], id);
    }
    (house, nodes, town, clients)
}

fn user(town: &Town, who: usize) -> UserId {
    town.people[who].user.id
}

fn linger(house: &House) {
    house.clock.advance_ms(LINGER_MS.try_into().unwrap());
}

#[test]
fn when_a_node_is_killed_only_those_appear_offline_who_do_not_come_back() {
    let (house, nodes, town, mut clients) = looked_on();
    let [first, second] = nodes;
    second.kill();
    clients[1].leave();
    clients[2].leave();
    house.until_settled(&[&first]);
    clients[1].insist(&first);
    linger(&house);
    clients[0].until_shown(&first, user(&town, 2), Offline);
    assert_eq!(clients[0].shown_of(user(&town, 1)), [Online]);
    assert_eq!(clients[0].shown_of(user(&town, 2)), [Online, Offline]);
}

#[test]
fn who_is_asked_to_another_node_is_shown_all_the_while() {
    let (house, nodes, town, mut clients) = looked_on();
    let [first, second] = nodes;
    let within = Duration::from_secs(20);
    assert!(second.run(second.node.hand_over_all(within)));
    house.until_settled_at_once(&[&first]);
    clients[1].insist(&first);
    clients[2].leave();
    linger(&house);
    clients[0].until_shown(&first, user(&town, 2), Offline);
    assert_eq!(clients[0].shown_of(user(&town, 1)), [Online]);
    // The other node comes to believe the same, by what it is told and by its own clock.
    let there = |who| second.node.appearance(user(&town, who));
    let began = Instant::now();
    while [there(1), there(2)] != [Online, Offline] {
        assert!(began.elapsed() < HANGS, "both nodes agree in time");
        second.turn(1);
    }
}
