//! Peers that die, fall silent, return, or are not who they should be.

use std::time::Duration;

use bytes::Bytes;
use guildhall_cluster::link::bounds::{HELLO_WITHIN, SILENCE_MAX};
use guildhall_cluster::link::{Lane, LinkError, LinkState, Peer};
use guildhall_model::NodeId;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::cord::Cord;
use crate::desk::{Node, PATIENCE, secret, soon};

/// What a busy machine may add to a bound.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_peer_that_dies_is_noticed_and_one_that_returns_is_called_again() {
    let (one, two) = Node::pair().await;
    let (id, peer) = (two.id, two.peer());
    let in_flight = one.call(&two, "wait");
    let death = async {
        two.has_begun("wait").await;
        two.links.stop();
    };
    let (in_flight, ()) = soon(async { tokio::join!(in_flight, death) }).await;
    assert_eq!(in_flight, Err(LinkError::Lost));
    one.sees(id, LinkState::is_refused).await;
    for lane in [Lane::Control, Lane::Bulk] {
        let late = one.call_on(lane, &two, "late").await;
        assert_eq!(late, Err(LinkError::Unreachable));
        let told = one.links.tell(id, lane, Bytes::from("late"));
        assert_eq!(told, Err(LinkError::Unreachable));
    }
    let stream = one.links.open_stream(id, Bytes::new()).await;
    assert_eq!(stream.err(), Some(LinkError::Unreachable));

    // The list of members still has its old life.
    let two = two.restart().await;
    assert_eq!((two.id, two.address.to_string()), (peer.node, peer.address));
    one.is_up(&two).await;
    assert_eq!(one.call(&two, "again").await.unwrap(), "again");
    assert!(!two.desk.seen.borrow().calls.contains_key(&b"late"[..]));
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_noticed() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let cord = Cord::to(two.address).await;
    one.links.set_peers(vec![two.peer_at(cord.address)]);
    one.is_up(&two).await;
    let in_flight = one.call(&two, "wait");
    let silence = async {
        two.has_begun("wait").await;
        cord.block();
        let blocked = Instant::now();
        let state = one.sees(two.id, |state| !state.is_up()).await;
        assert!(!state.is_refused(), "somebody still listens");
        assert!(blocked.elapsed() < SILENCE_MAX + SLACK);
    };
    let (in_flight, ()) = soon(async { tokio::join!(in_flight, silence) }).await;
    assert_eq!(in_flight, Err(LinkError::Lost));
    assert_eq!(
        one.call(&two, "late").await,
        Err(LinkError::Unreachable),
        "nobody waits for who is known to be silent"
    );
    cord.unblock();
    one.is_up(&two).await;
    assert_eq!(one.call(&two, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn who_accepts_and_never_answers_is_given_up_while_idle_peers_stay() {
    let (one, two) = Node::pair().await;
    let up = one.links.states();
    // This takes longer than a silence of the other one might.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let three = Peer {
        node: NodeId(3),
        incarnation: 1,
        address: silent.local_addr().unwrap().to_string(),
    };
    one.links.set_peers(vec![two.peer(), three]);
    let (mut hello, _) = soon(silent.accept()).await.unwrap();
    let accepted = Instant::now();
    let mut heard = Vec::new();
    soon(hello.read_to_end(&mut heard)).await.unwrap();
    assert!(!heard.is_empty());
    assert!(accepted.elapsed() < HELLO_WITHIN + SLACK);
    assert!(accepted.elapsed() > SILENCE_MAX);
    let states = one.links.states();
    let silent = states.get(&NodeId(3)).unwrap();
    assert!(!silent.is_up() && !silent.is_refused());
    assert_eq!(states.get(&two.id), up.get(&two.id));
    assert_eq!(one.call(&two, "still").await.unwrap(), "still");
}

#[tokio::test]
async fn who_leaves_the_list_is_left_alone() {
    let (one, two) = Node::pair().await;
    let in_flight = one.call(&two, "wait");
    let farewell = async {
        two.has_begun("wait").await;
        one.links.set_peers(Vec::new());
    };
    let (in_flight, ()) = soon(async { tokio::join!(in_flight, farewell) }).await;
    assert_eq!(in_flight, Err(LinkError::Lost));
    assert!(one.links.states().is_empty());
    assert_eq!(one.call(&two, "late").await, Err(LinkError::Unreachable));

    one.links.set_peers(vec![one.peer(), two.peer()]);
    one.is_up(&two).await;
    assert_eq!(one.links.states().len(), 1, "nobody calls itself");
    assert_eq!(one.call(&two, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn nodes_with_different_secrets_do_not_talk() {
    let (one, two) = (Node::start(1).await, Node::start_as(2, 1, secret(8)).await);
    let to_two = Cord::to(two.address).await;
    let to_one = Cord::to(one.address).await;
    one.links.set_peers(vec![two.peer_at(to_two.address)]);
    two.links.set_peers(vec![one.peer_at(to_one.address)]);
    // Both lanes were tried, and tried again.
    to_two.has_ended(4).await;
    to_one.has_ended(4).await;
    for (from, to) in [(&one, &two), (&two, &one)] {
        let state = *from.links.states().get(&to.id).unwrap();
        assert!(!state.is_up() && !state.is_refused());
        assert_eq!(from.call(to, "secret").await, Err(LinkError::Unreachable));
        let stream = from.links.open_stream(to.id, Bytes::from("echo")).await;
        assert_eq!(stream.err(), Some(LinkError::Unreachable));
        assert!(to.desk.seen.borrow().calls.is_empty());
    }
}

#[tokio::test]
async fn another_node_at_the_address_is_not_called() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let cord = Cord::to(two.address).await;
    let three = Peer {
        node: NodeId(3),
        ..two.peer_at(cord.address)
    };
    one.links.set_peers(vec![three]);
    cord.has_ended(4).await;
    assert!(!one.links.states().get(&NodeId(3)).unwrap().is_up());
    let call = one
        .links
        .call(NodeId(3), Lane::Control, Bytes::from("for three"), PATIENCE);
    assert_eq!(call.await, Err(LinkError::Unreachable));
    assert!(two.desk.seen.borrow().calls.is_empty());
}

#[tokio::test]
async fn an_older_incarnation_than_the_listed_one_is_not_called() {
    let (one, two) = Node::pair().await;
    let newer = Peer {
        incarnation: 2,
        ..two.peer()
    };
    one.links.set_peers(vec![newer]);
    let state = one.sees(two.id, |state| !state.is_up()).await;
    assert!(!state.is_refused());
    assert_eq!(one.call(&two, "late").await, Err(LinkError::Unreachable));
}

#[tokio::test]
async fn a_node_that_connects_anew_replaces_its_own_connections() {
    let (one, two) = Node::pair().await;
    let first = *one.links.states().get(&two.id).unwrap();
    // As after a cut that only one side has noticed.
    let again = Node::start(1).await;
    again.links.set_peers(vec![two.peer()]);
    again.is_up(&two).await;
    one.sees(two.id, |state| state != first).await;
    again.links.stop();
    one.is_up(&two).await;
    assert_eq!(one.call(&two, "again").await.unwrap(), "again");
}

#[tokio::test]
async fn an_older_incarnation_than_the_listed_one_is_not_answered() {
    let (zombie, two) = Node::pair().await;
    let successor = Peer {
        incarnation: 2,
        ..zombie.peer()
    };
    two.links.set_peers(vec![successor]);
    zombie.sees(two.id, |state| !state.is_up()).await;
    assert_eq!(zombie.call(&two, "old").await, Err(LinkError::Unreachable));
    let stream = zombie.links.open_stream(two.id, Bytes::from("echo")).await;
    assert_eq!(stream.err(), Some(LinkError::Unreachable));
}

#[tokio::test]
async fn a_newer_incarnation_ends_the_connections_of_the_older_one() {
    let (zombie, two) = Node::pair().await;
    let successor = Node::start_as(1, 2, secret(7)).await;
    successor.links.set_peers(vec![two.peer()]);
    successor.is_up(&two).await;
    zombie.sees(two.id, |state| !state.is_up()).await;
    let cord = Cord::to(two.address).await;
    zombie.links.set_peers(vec![two.peer_at(cord.address)]);
    cord.has_ended(4).await;
    assert!(!zombie.links.states().get(&two.id).unwrap().is_up());
    assert_eq!(zombie.call(&two, "old").await, Err(LinkError::Unreachable));
    assert_eq!(successor.call(&two, "new").await.unwrap(), "new");
    assert!(!two.desk.seen.borrow().calls.contains_key(&b"old"[..]));
}
