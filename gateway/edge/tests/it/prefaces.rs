//! What nodes tell each other of a socket, from whomever it comes.

use bytes::Bytes;
use guildhall_model::NodeId;
use serde_bytes::ByteBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::Client;
use crate::house::{HEARTBEAT_INTERVAL_MS, Serving, two};
use crate::wire::{CLOSE, FINAL, Frame, TEXT, close_code, frame, take_frame};

const QUERY: &str = "v=10&encoding=json&compress=none&dialect=native";

/// A preface as nodes write it.
fn preface(hops: u8, early: &[u8]) -> Vec<u8> {
    let told = (QUERY, HEARTBEAT_INTERVAL_MS, hops, ByteBuf::from(early));
    let mut bytes = vec![1];
    rmp_serde::encode::write(&mut bytes, &told).unwrap();
    bytes
}

/// All that comes back from a node, up to the end of the stream.
fn answered(from: &Serving, to: u16, preface: Vec<u8>) -> Vec<u8> {
    from.run(async {
        let stream = from.node.hand_socket_over(NodeId(to), preface.into()).await;
        let (mut stream, mut read) = (stream.unwrap(), Vec::new());
        // The other side may be gone before it has read all.
        let _ = stream.read_to_end(&mut read).await;
        read
    })
}

/// The frames that come back, up to the one that ends it, or as many.
fn frames(from: &Serving, to: u16, preface: Vec<u8>, n: usize) -> Vec<Frame> {
    from.run(async {
        let preface = Bytes::from(preface);
        let stream = from.node.hand_socket_over(NodeId(to), preface).await;
        let (mut stream, mut held, mut frames) = (stream.unwrap(), Vec::new(), Vec::new());
        while frames.len() < n {
            while let Some(frame) = take_frame(&mut held) {
                frames.push(frame);
            }
            if frames.len() < n && stream.read_buf(&mut held).await.unwrap() == 0 {
                break;
            }
        }
        stream.shutdown().await.unwrap();
        frames
    })
}

#[test]
fn what_makes_no_sense_is_let_go_and_harms_nobody() {
    let (_house, first, second, ada) = two();
    let whole = preface(1, b"");
    let mut strange = whole.clone();
    strange[0] = 2;
    let of_nobody: [Vec<u8>; 6] = [
        Vec::new(),
        strange,
        whole[..whole.len() - 1].to_vec(),
        vec![1; 1_000_000],
        preface(0, b""),
        preface(3, b""),
    ];
    for preface in of_nobody {
        assert_eq!(answered(&first, 2, preface), b"");
    }
    second.until_sockets(0);
    let mut client = Client::identify(second.address, QUERY, &ada);
    client.come_back(first.address);
}

#[test]
fn a_client_that_breaks_the_rules_is_closed_by_the_owner_too() {
    let (_house, first, second, _ada) = two();
    for (early, code) in [
        (&b"GET / HTTP/1.1\r\n"[..], 1002),
        (&b"\x81\x82    []"[..], 4002),
    ] {
        let told = frames(&first, 2, preface(1, early), usize::MAX);
        let last = told.last().unwrap();
        assert_eq!(
            (last.opcode, close_code(&last.payload)),
            (CLOSE, Some(code))
        );
    }
    second.until_sockets(0);
}

#[test]
fn a_socket_is_handed_over_twice_and_not_once_more() {
    let (_house, first, second, ada) = two();
    let client = Client::identify(first.address, QUERY, &ada);
    let resume = frame(FINAL | TEXT, client.resume().to_string().as_bytes());
    // The second node has to hand it on to the first, which holds the session.
    let told = frames(&first, 2, preface(1, &resume), 1);
    let resumed = String::from_utf8(told[0].payload.clone()).unwrap();
    assert!(resumed.contains(r#""t":"RESUMED""#), "{resumed}");
    second.until_sockets(0);
    let told = frames(&first, 2, preface(2, &resume), usize::MAX);
    let [closed] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(closed.opcode, CLOSE);
    assert_eq!(close_code(&closed.payload), Some(4000));
}
