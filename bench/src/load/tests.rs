//! Rounds against a bare server in a thread: what is counted, and what fails a round.

use std::net::SocketAddr;

use super::*;
use crate::crowd::Guest;
use crate::peer::{Peer, Style};
use crate::publisher::Publisher;

const MEMBERS: usize = 5;
const PAYLOAD_BYTES: usize = 900;

fn start(style: Style) -> SocketAddr {
    let peer = Peer::bind(style, PAYLOAD_BYTES).unwrap();
    let address = peer.address().unwrap();
    // It ends with the process of the tests.
    std::thread::spawn(move || peer.run());
    address
}

fn contestant(style: Style) -> Contestant {
    let address = start(style);
    let publisher = Publisher::bare(address).unwrap();
    let guests = vec![Guest::default(); MEMBERS];
    let crowd = Crowd::gather(address, &guests, publisher).unwrap();
    Contestant::new(std::process::id(), crowd, vec![0; MEMBERS], vec![0])
}

fn ledger(posted: Vec<Posted>) -> Ledger {
    Ledger {
        first: 10,
        posted,
        complete: 0,
        acknowledged: 0,
        deliveries: 0,
        last: Instant::now(),
    }
}

fn posted(missing: u32) -> Posted {
    Posted {
        due: Instant::now(),
        missing,
        is_acknowledged: true,
    }
}

#[test]
fn both_styles_deliver_every_message_to_everybody_once_and_in_order() {
    for style in [Style::Each, Style::Batched] {
        let mut contestant = contestant(style);
        for in_flight in [1, 16] {
            let lasting = Duration::from_millis(30);
            let round = contestant.closed(in_flight, Pace::Delivered, lasting);
            let round = round.unwrap();
            assert!(in_flight as u64 <= round.messages);
            assert_eq!(round.deliveries, round.messages * MEMBERS as u64);
        }
        assert!(PAYLOAD_BYTES.abs_diff(contestant.crowd.payload_bytes()) <= 2);
    }
}

#[test]
fn an_open_loop_sends_at_its_rate_and_times_every_delivery() {
    let mut contestant = contestant(Style::Each);
    let mut latencies = Latencies::new().unwrap();
    let lasting = Duration::from_millis(100);
    let round = contestant.open(500.0, lasting, &mut latencies).unwrap();
    assert_eq!(round.messages, 50);
    assert_eq!(latencies.lateness.len(), 50);
    assert_eq!(latencies.delivery.len(), 50 * MEMBERS as u64);
}

#[test]
fn a_member_that_got_something_else_fails_the_round() {
    let mut contestant = contestant(Style::Each);
    contestant.expected[0].add(4_711);
    let round = contestant.closed(1, Pace::Delivered, Duration::ZERO);
    let error = round.unwrap_err().to_string();
    assert!(error.starts_with("5 members"), "{error}");
}

#[test]
fn a_delivery_too_many_fails_the_round() {
    let mut ledger = ledger(vec![posted(1)]);
    let mut happened = Happened::default();
    happened.delivered.push((10, Instant::now()));
    ledger.take(&happened, None).unwrap();
    assert_eq!((ledger.complete, ledger.deliveries), (1, 1));
    assert!(ledger.take(&happened, None).is_err());
}

#[test]
fn a_message_of_another_round_fails_the_round() {
    for mark in [9, 11] {
        let mut happened = Happened::default();
        happened.delivered.push((mark, Instant::now()));
        assert!(ledger(vec![posted(1)]).take(&happened, None).is_err());
    }
}

#[test]
fn a_message_is_complete_when_it_is_both_delivered_and_acknowledged() {
    let mut open = posted(1);
    open.is_acknowledged = false;
    let mut ledger = ledger(vec![open]);
    let mut happened = Happened::default();
    happened.delivered.push((10, Instant::now()));
    ledger.take(&happened, None).unwrap();
    assert_eq!(ledger.complete, 0);
    happened.delivered.clear();
    happened.acknowledged.push(10);
    ledger.take(&happened, None).unwrap();
    assert_eq!(ledger.complete, 1);
}
