//! What is posted while the message store is away.

use guildhall_host::{Refused, Written};
use guildhall_ports::fake::Way;

use crate::client::Client;
use crate::house::{House, Serving};
use crate::town::{Town, new_role};

/// A node that others could join, and a town where nobody has posted yet.
fn silent() -> (House, Serving, Town, Client) {
    let mut house = House::of_many();
    let node = house.join(1);
    house.until_settled(&[&node]);
    let town = Town::found(&house, &node);
    let client = Client::open(&node, &town.people[0], 0);
    (house, node, town, client)
}

#[test]
fn a_channel_that_nobody_has_opened_is_posted_into_without_its_history() {
    let (house, node, town, mut client) = silent();
    house.messages.be_away(true);
    let first = town.posted(&node, 1, "first");
    let second = town.posted(&node, 2, "second");
    client.until_told(&node, second);
    house.messages.be_away(false);
    let page = town.page(&node);
    let page: Vec<_> = page.iter().map(|(id, text)| (*id, text.as_str())).collect();
    assert_eq!(page, [(first, "first"), (second, "second")]);
}

#[test]
fn a_guild_that_begins_anew_without_history_goes_on_and_makes_nothing_twice() {
    let (house, node, town, mut client) = silent();
    let first = town.posted(&node, 1, "first");
    // Nobody knows what became of this.
    house.way.set_unnoticed(Way::Refused);
    let lost = node.run(node.node.command(town.guild, town.owner(), new_role()));
    assert!(lost.is_err());
    house.way.set_unnoticed(Way::Open);
    house.messages.be_away(true);
    town.insist(&node, 2, "second");
    let third = town.posted(&node, 1, "third");
    client.until_told(&node, third);
    let again = || node.run(town.post(&node.node, 1, "first"));
    assert!(matches!(again(), Err(Refused::Failure(_))), "it is history");
    house.messages.be_away(false);
    let repeated = again().unwrap();
    assert!(matches!(repeated, Written::Repeated(message) if message.id == first));
    assert_eq!(client.texts(), ["first", "second", "third"]);
    assert_eq!(house.messages.nonces_asked(), 0);
}
