//! Whom the listener lets in of those who know the secret.

use std::time::Duration;

use async_trait::async_trait;
use guildhall_ports::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::super::answers::ByteStream;
use super::super::roster::Roster;
use super::super::{Identity, Secret};
use super::*;

/// Says nothing and lets streams go.
struct Mute;

#[async_trait]
impl Answers for Mute {
    async fn answer(&self, _: NodeId, _: Bytes) -> Bytes {
        Bytes::new()
    }

    fn heard(&self, _: NodeId, _: Bytes) {}

    async fn stream(&self, _: NodeId, _: Bytes, _: ByteStream) {}
}

fn own(node: u16) -> Arc<Own> {
    let identity = Identity {
        node: NodeId(node),
        incarnation: 1,
        secret: Secret::new(&[7; 32]).unwrap(),
        tls: None,
    };
    Arc::new(Own {
        identity,
        roster: Roster::default(),
        env: Env::system(),
    })
}

fn listener() -> Listener {
    Listener::new(own(2), Arc::new(Mute))
}

fn caller(incarnation: u64) -> Party {
    Party {
        node: NodeId(1),
        incarnation,
    }
}

const CONTROL: Use = Use::Lane(Lane::Control);

#[test]
fn older_lives_of_a_node_are_sent_away() {
    let listener = listener();
    for (incarnation, is_let_in) in [(5, true), (5, true), (4, false), (6, true), (5, false)] {
        for connection in [CONTROL, Use::Stream] {
            let admitted = listener.admit(caller(incarnation), connection);
            let expected = if is_let_in {
                None
            } else {
                Some(Refusal::Stale)
            };
            assert_eq!(admitted.err(), expected);
        }
    }
    let other = Party {
        node: NodeId(3),
        incarnation: 1,
    };
    assert!(listener.admit(other, CONTROL).is_ok());
}

#[test]
fn one_stream_too_many_is_sent_away_and_lanes_are_not() {
    let listener = listener();
    let mut places: Vec<_> = (0..STREAMS_MAX)
        .map(|_| listener.admit(caller(1), Use::Stream).unwrap())
        .collect();
    let admit = || listener.admit(caller(1), Use::Stream);
    assert_eq!(admit().err(), Some(Refusal::Busy));
    assert!(listener.admit(caller(1), CONTROL).is_ok());
    places.pop();
    assert!(admit().is_ok());
}

/// A stream after its hello, with the listener's view of it.
async fn greeted(
    then: impl AsyncFnOnce(&mut DuplexStream),
) -> Result<(Party, Admitted), HelloError> {
    let (mut near, mut far) = duplex(1024);
    let (one, two) = (own(1), listener());
    let speaks = async {
        let called = hello::call(&mut near, &one.identity, Use::Stream, NodeId(2), 0, [1; 32]);
        assert_eq!(called.await.unwrap(), 1);
        then(&mut near).await;
    };
    let (welcomed, ()) = tokio::join!(two.welcome(&mut far), speaks);
    welcomed
}

#[tokio::test]
async fn a_preface_that_is_too_large_is_not_waited_for() {
    let welcomed = greeted(async |io: &mut DuplexStream| {
        let length = u32::try_from(PREFACE_BYTES_MAX + 1).unwrap();
        io.write_u32(length).await.unwrap();
    });
    assert!(matches!(welcomed.await, Err(HelloError::Preface)));
}

#[tokio::test]
async fn what_follows_a_preface_is_left_to_the_stream() {
    let welcomed = greeted(async |io: &mut DuplexStream| {
        io.write_all(b"\0\0\0\x07prefacestream").await.unwrap();
    });
    let (party, admitted) = welcomed.await.unwrap();
    assert_eq!(party, caller(1));
    assert!(matches!(admitted, Admitted::Stream { preface, .. } if preface == "preface"));
}

#[tokio::test(start_paused = true)]
async fn a_hello_without_an_end_is_cut_off() {
    let (mut near, far) = duplex(1024);
    let listener = listener();
    let hellos = Arc::new(Semaphore::new(1));
    let hello = Arc::clone(&hellos).try_acquire_owned().unwrap();
    let drips = async {
        near.write_all(b"\0\0\0\xffGHNL\0\x01").await.unwrap();
        loop {
            tokio::time::advance(Duration::from_secs(1)).await;
            if near.write_all(b".").await.is_err() {
                return near.read(&mut [0]).await;
            }
        }
    };
    let began = Instant::now();
    let (ended, heard) = tokio::join!(listener.attend(async { Ok(far) }, hello), drips);
    assert!(matches!(ended, Err(HelloError::Slow)));
    assert!(matches!(heard, Ok(0)));
    assert!(began.elapsed() < HELLO_WITHIN + Duration::from_secs(2));
    assert_eq!(hellos.available_permits(), 1);
}
