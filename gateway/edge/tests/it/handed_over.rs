//! A session goes on through whichever node its client comes to.

use std::time::Instant;

use serde_json::json;

use crate::client::{Client, Heard, Socket};
use crate::house::{HANGS, two, two_with};
use crate::wire::{BINARY, FINAL, TEXT, frame};

#[test]
fn a_client_that_comes_to_another_node_goes_on_in_every_form() {
    let (_house, other, owner, ada) = two();
    for dialect in ["native", "discord"] {
        for compression in ["none", "zlib-stream", "zstd-stream"] {
            let query = format!("v=10&encoding=json&compress={compression}&dialect={dialect}");
            let mut client = Client::identify(owner.address, &query, &ada);
            for text in ["first", "second", "third"] {
                other.post(&ada, text);
                assert_eq!(client.text(), text, "{query}");
            }
            client.s -= 2;
            let missed = client.come_back(other.address);
            assert_eq!(missed, ["second", "third"], "{query}");
            client.beat();
            // The forms of its dispatches differ in length: this one fills several reads.
            let long = "長い本文".repeat(500);
            for text in ["fourth", &long] {
                other.post(&ada, text);
                assert_eq!(client.text(), text, "{query}");
            }
            drop(client);
            other.until_sockets(0);
            owner.until_sockets(0);
        }
    }
}

#[test]
fn a_socket_that_was_handed_over_counts_at_both_nodes() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10", &ada);
    client.come_back(other.address);
    owner.until_sockets(1);
    other.until_sockets(1);
    drop(client);
    owner.until_sockets(0);
    other.until_sockets(0);
}

#[test]
fn what_a_client_sends_at_once_is_all_heard_by_the_owner() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10&dialect=native", &ada);
    let request = |guild: &str, nonce: &str| {
        let which = json!({"guild_id": guild, "query": "", "limit": 0, "nonce": nonce});
        json!({"op": 8, "d": which}).to_string().into_bytes()
    };
    other.post(&ada, "where");
    let guild = client.until("MESSAGE_CREATE")["d"]["server_id"].clone();
    let guild = guild.as_str().unwrap();
    client.socket = Socket::open(other.address, "v=10&dialect=native");
    // Behind RESUME: a message of each kind, and one in pieces that is not complete.
    let third = request(guild, "third");
    let (head, tail) = third.split_at(20);
    let at_once = [
        frame(FINAL | TEXT, client.resume().to_string().as_bytes()),
        frame(FINAL | TEXT, &request(guild, "first")),
        frame(FINAL | BINARY, &request(guild, "second")),
        frame(TEXT, &head[..7]),
        frame(0, &head[7..]),
        frame(FINAL, tail)[..9].to_vec(),
    ];
    client.socket.write(&at_once.concat());
    assert_eq!(client.missed(), [""; 0]);
    for nonce in ["first", "second"] {
        let chunk = client.until("GUILD_MEMBERS_CHUNK");
        assert_eq!(chunk["d"]["nonce"], nonce, "{chunk}");
    }
    client.socket.write(&frame(FINAL, tail)[9..]);
    let chunk = client.until("GUILD_MEMBERS_CHUNK");
    assert_eq!(chunk["d"]["nonce"], "third", "{chunk}");
}

#[test]
fn a_session_that_nobody_holds_is_refused_by_its_owner_and_a_new_one_begins_there() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10&compress=zlib-stream", &ada);
    // Of another number it is nobody's.
    client.s += 1_000;
    client.reach_out(other.address);
    let refused = client.socket.payload();
    assert_eq!((&refused["op"], &refused["d"]), (&json!(9), &json!(false)));
    let identify = json!({"op": 2, "d": {"token": ada.token, "properties": {}}});
    client.socket.send(&identify);
    assert_eq!(client.socket.payload()["t"], "READY");
    assert_eq!(owner.node.describe_sessions().attached, 1);
    assert_eq!(other.node.describe_sessions().attached, 0);
}

#[test]
fn an_owner_that_is_to_go_asks_the_client_to_come_back() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10", &ada);
    client.come_back(other.address);
    owner.gateway.drain();
    owner.node.drain();
    while client.socket.payload()["op"] != 7 {}
}

#[test]
fn when_the_owner_is_gone_the_socket_ends() {
    let (house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10", &ada);
    client.come_back(other.address);
    owner.kill();
    assert!(matches!(client.socket.end(), Heard::Ended));
    other.until_sockets(0);
    // Whichever of them has coordinated.
    house.let_lease_end();
    // Its successor goes on with the session, as soon as there is one.
    let is_refused = |heard: &Heard| matches!(heard, Heard::Closed(Some(4000)));
    let began = Instant::now();
    let heard = loop {
        assert!(began.elapsed() < HANGS, "somebody takes the session over");
        client.reach_out(other.address);
        let heard = client.socket.next();
        if !is_refused(&heard) {
            break heard;
        }
    };
    assert!(
        matches!(&heard, Heard::Payload(payload) if payload["t"] == "RESUMED"),
        "{heard:?}"
    );
}

#[test]
fn a_client_whose_session_cannot_be_reached_is_told_to_try_again() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10", &ada);
    other.run(other.node.leave());
    client.reach_out(other.address);
    let end = client.socket.end();
    assert!(matches!(end, Heard::Closed(Some(4000))), "{end:?}");
    other.until_sockets(0);
    assert_eq!(client.come_back(owner.address), [""; 0]);
}

#[test]
fn a_node_that_is_to_go_lets_the_sockets_go_that_it_has_handed_over() {
    let (_house, other, owner, ada) = two();
    let mut client = Client::identify(owner.address, "v=10", &ada);
    client.come_back(other.address);
    other.gateway.drain();
    assert!(matches!(client.socket.end(), Heard::Ended));
    other.until_sockets(0);
    owner.until_sockets(0);
    owner.post(&ada, "meanwhile");
    client.reach_out(owner.address);
    let mut texts = client.missed();
    if texts.is_empty() {
        texts.push(client.text());
    }
    assert_eq!(texts, ["meanwhile"]);
}

#[test]
fn an_owner_that_is_full_lets_the_socket_go() {
    let (_house, other, owner, ada) = two_with([usize::MAX, 1]);
    let mut client = Client::identify(owner.address, "v=10", &ada);
    client.socket = Socket::open(other.address, "v=10");
    owner.until_sockets(0);
    let taken = Socket::open(owner.address, "v=10");
    let resume = client.resume();
    client.socket.send(&resume);
    assert!(matches!(client.socket.end(), Heard::Ended));
    drop(taken);
    owner.until_sockets(0);
    assert_eq!(client.come_back(other.address), [""; 0]);
}
