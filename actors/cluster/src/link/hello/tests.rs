//! Who gets past the hello, and who does not.

use std::io;

use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Builder;

use super::super::identity::Secret;
use super::*;

type Answered = Result<(Party, Use, ()), HelloError>;

fn node(number: u16, incarnation: u64, secret: u8) -> Identity {
    Identity {
        node: NodeId(number),
        incarnation,
        secret: Secret::new(&[secret; 32]).unwrap(),
        tls: None,
    }
}

fn party(number: u16, incarnation: u64) -> Party {
    Party {
        node: NodeId(number),
        incarnation,
    }
}

const CONTROL: Use = Use::Lane(Lane::Control);

/// What both sides make of a hello of node 1 to node 2, of which incarnation 5 is known.
async fn meet(caller: &Identity, listener: &Identity) -> (Result<u64, HelloError>, Answered) {
    let (mut near, mut far) = duplex(1024);
    tokio::join!(
        async move { call(&mut near, caller, CONTROL, NodeId(2), 5, [1; 32]).await },
        async move { answer(&mut far, listener, [2; 32], |_, _| Ok(())).await },
    )
}

#[tokio::test]
async fn nodes_with_the_same_secret_know_each_other() {
    let (called, answered) = meet(&node(1, 3, 7), &node(2, 6, 7)).await;
    assert_eq!(called.unwrap(), 6);
    let (caller, connection, ()) = answered.unwrap();
    assert_eq!((caller, connection), (party(1, 3), CONTROL));
}

#[tokio::test]
async fn a_caller_with_another_secret_is_sent_away() {
    let (called, answered) = meet(&node(1, 3, 8), &node(2, 6, 7)).await;
    assert!(matches!(called, Err(HelloError::Refused(Refusal::Secret))));
    assert!(matches!(
        answered,
        Err(HelloError::SentAway(Refusal::Secret))
    ));
}

#[tokio::test]
async fn another_node_or_an_older_life_of_it_is_not_called() {
    let (called, answered) = meet(&node(1, 3, 7), &node(9, 6, 7)).await;
    assert!(matches!(called, Err(HelloError::OtherNode(NodeId(9)))));
    assert!(answered.unwrap_err().is_knock());
    let (called, _) = meet(&node(1, 3, 7), &node(2, 4, 7)).await;
    assert!(matches!(
        called,
        Err(HelloError::Stale { said: 4, newest: 5 })
    ));
    let (called, _) = meet(&node(1, 3, 7), &node(2, 5, 7)).await;
    assert_eq!(called.unwrap(), 5);
}

#[tokio::test]
async fn a_node_with_the_number_of_the_listener_is_sent_away() {
    let (called, answered) = meet(&node(2, 3, 7), &node(2, 6, 7)).await;
    let refused = Refusal::OtherNode;
    assert!(matches!(called, Err(HelloError::Refused(why)) if why == refused));
    assert!(matches!(answered, Err(HelloError::SentAway(why)) if why == refused));
}

#[tokio::test]
async fn whom_the_listener_does_not_admit_hears_why() {
    for why in [Refusal::Stale, Refusal::Busy] {
        let (mut near, mut far) = duplex(1024);
        let (caller, listener) = (node(1, 3, 7), node(2, 6, 7));
        let admit = |caller: Party, connection| {
            assert_eq!((caller, connection), (party(1, 3), Use::Stream));
            Err::<(), _>(why)
        };
        let (called, answered) = tokio::join!(
            call(&mut near, &caller, Use::Stream, NodeId(2), 0, [1; 32]),
            answer(&mut far, &listener, [2; 32], admit),
        );
        assert!(matches!(called, Err(HelloError::Refused(said)) if said == why));
        assert!(matches!(answered, Err(HelloError::SentAway(said)) if said == why));
    }
}

#[tokio::test]
async fn another_version_is_sent_away_before_anything_of_it_is_read() {
    let (mut near, mut far) = duplex(1024);
    let opening = [MAGIC.as_slice(), &[1, 1], b"of times to come"].concat();
    write_part(&mut near, &opening).await.unwrap();
    let listener = node(2, 6, 7);
    let answered = answer(&mut far, &listener, [2; 32], |_, _| Ok(())).await;
    assert!(matches!(answered, Err(HelloError::Version(257))));
    let reply: Result<(), _> = read_reply(&mut near).await;
    assert!(matches!(reply, Err(HelloError::Refused(Refusal::Version))));
}

/// Plays a listener that says it is node 2 and believes every proof.
async fn impostor(far: &mut DuplexStream, proof: impl FnOnce(Proof) -> Proof) {
    read_part(far).await.unwrap();
    let challenge = Challenge {
        listener: party(2, 6),
        nonce: ByteArray::new([2; 32]),
    };
    write_reply(far, &Ok(challenge)).await.unwrap();
    let said: Proof = decoded(&read_part(far).await.unwrap()).unwrap();
    write_reply(far, &Ok(proof(said))).await.unwrap();
}

#[tokio::test]
async fn a_listener_that_does_not_know_the_secret_is_not_believed() {
    let nothing = |_| Proof {
        code: ByteArray::new([0; 32]),
    };
    // Sends the caller's own proof back.
    let mirror = |said| said;
    let caller = node(1, 3, 7);
    for proof in [nothing as fn(Proof) -> Proof, mirror] {
        let (mut near, mut far) = duplex(1024);
        let (called, ()) = tokio::join!(
            call(&mut near, &caller, CONTROL, NodeId(2), 0, [1; 32]),
            impostor(&mut far, proof),
        );
        assert!(matches!(called, Err(HelloError::Secret)));
    }
}

#[tokio::test]
async fn what_was_heard_of_one_hello_is_good_for_no_other() {
    let (mut near, mut far) = duplex(1024);
    let (caller, listener) = (node(1, 3, 7), node(2, 6, 7));
    // The caller's side of a hello that an eavesdropper has heard.
    let heard = async {
        let mut heard = vec![read_part(&mut far).await.unwrap()];
        let challenge = Challenge {
            listener: Party::of(&listener),
            nonce: ByteArray::new([2; 32]),
        };
        write_reply(&mut far, &Ok(challenge)).await.unwrap();
        heard.push(read_part(&mut far).await.unwrap());
        drop(far);
        heard
    };
    let (_, heard) = tokio::join!(
        call(&mut near, &caller, CONTROL, NodeId(2), 0, [1; 32]),
        heard
    );
    for (nonce, is_good) in [([2; 32], true), ([3; 32], false)] {
        let (mut near, mut far) = duplex(1024);
        for part in &heard {
            write_part(&mut near, part).await.unwrap();
        }
        let answered = answer(&mut far, &listener, nonce, |_, _| Ok(())).await;
        assert_eq!(answered.is_ok(), is_good, "{answered:?}");
    }
}

/// Passes on what comes, with one bit of it turned.
async fn tamper(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, bit: usize) {
    let mut passed = 0;
    let mut bytes = [0; 512];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        let Some(read) = bytes.get_mut(..read).filter(|read| !read.is_empty()) else {
            return;
        };
        if let Some(byte) = (bit / 8)
            .checked_sub(passed)
            .and_then(|at| read.get_mut(at))
        {
            *byte ^= 1 << (bit % 8);
        }
        passed += read.len();
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}

const NO_BIT: usize = usize::MAX;

async fn meet_through(bit: usize, towards_listener: bool) -> (Result<u64, HelloError>, Answered) {
    let (mut near, near_end) = duplex(1024);
    let (mut far, far_end) = duplex(1024);
    let (near_reader, near_writer) = tokio::io::split(near_end);
    let (far_reader, far_writer) = tokio::io::split(far_end);
    let (there, back) = if towards_listener {
        (bit, NO_BIT)
    } else {
        (NO_BIT, bit)
    };
    let (caller, listener) = (node(1, 3, 7), node(2, 6, 7));
    let (called, answered, (), ()) = tokio::join!(
        async move { call(&mut near, &caller, CONTROL, NodeId(2), 5, [1; 32]).await },
        async move { answer(&mut far, &listener, [2; 32], |_, _| Ok(())).await },
        tamper(near_reader, far_writer, there),
        tamper(far_reader, near_writer, back),
    );
    (called, answered)
}

proptest! {
    /// Whatever a single bit means that is turned on the way: the two do not both go on as if
    /// nothing had been.
    #[test]
    fn a_hello_that_was_tampered_with_fails(bit in 0_usize..85 * 8, towards_listener: bool) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let meeting = async {
            tokio::time::timeout(
                std::time::Duration::from_secs(5),
                meet_through(bit, towards_listener),
            )
            .await
        };
        // A length that was made longer leaves both waiting, which the bound of the hello ends.
        if let Ok((called, answered)) = runtime.unwrap().block_on(meeting) {
            prop_assert!(called.is_err() || answered.is_err());
        }
    }

    #[test]
    fn garbage_is_no_hello(garbage in prop::collection::vec(any::<u8>(), 0..400)) {
        let runtime = Builder::new_current_thread().build().unwrap();
        let answered = runtime.block_on(async {
            let mut io = tokio::io::join(garbage.as_slice(), tokio::io::sink());
            answer(&mut io, &node(2, 6, 7), [2; 32], |_, _| Ok(())).await
        });
        prop_assert!(answered.is_err());
    }
}

#[test]
fn only_a_process_that_is_gone_counts_as_nobody() {
    let io = |kind: io::ErrorKind| HelloError::Io(kind.into());
    assert!(io(io::ErrorKind::ConnectionRefused).is_nobody());
    assert!(io(io::ErrorKind::ConnectionReset).is_nobody());
    assert!(!io(io::ErrorKind::UnexpectedEof).is_nobody());
    assert!(!HelloError::Slow.is_nobody());
    assert!(!HelloError::Refused(Refusal::Secret).is_nobody());
}
