//! Whoever connects without being a node.

use guildhall_cluster::link::bounds::{HELLO_WITHIN, HELLOS_MAX};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::desk::{Node, soon};

/// Bytes that are nothing, or begin as a hello does.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = || prop::collection::vec(any::<u8>(), 0..600);
    let almost = (any::<u8>(), any_bytes()).prop_map(|(length, rest)| {
        let begin = [&[0, 0, 0, length], b"GHNL\0\x01".as_slice()].concat();
        [begin, rest].concat()
    });
    prop_oneof![any_bytes(), almost]
}

#[test]
fn garbage_harms_nobody() {
    let runtime = Runtime::new().unwrap();
    let (one, two) = runtime.block_on(Node::pair());
    let mut runner = TestRunner::new(Config::with_cases(48));
    let outcome = runner.run(&garbage(), |garbage| {
        runtime.block_on(async {
            let mut stranger = TcpStream::connect(two.address).await.unwrap();
            // The other side may have had enough of it before its end.
            let _ = stranger.write_all(&garbage).await;
            let _ = stranger.shutdown().await;
            let mut heard = Vec::new();
            let _ = soon(stranger.read_to_end(&mut heard)).await;
            prop_assert!(heard.len() < 256, "a challenge at most");
            prop_assert_eq!(one.call(&two, "still").await.unwrap(), "still");
            Ok(())
        })
    });
    outcome.unwrap();
    assert_eq!(two.desk.seen.borrow().calls.len(), 1);
    assert!(runtime.block_on(async { one.links.states().values().all(|it| it.is_up()) }));
}

#[tokio::test]
async fn who_says_nothing_is_sent_away_and_takes_no_more_than_its_place() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..HELLOS_MAX {
        silent.push(TcpStream::connect(two.address).await.unwrap());
    }
    one.links.set_peers(vec![two.peer()]);
    one.is_up(&two).await;
    assert!(began.elapsed() >= HELLO_WITHIN, "all places were taken");
    assert_eq!(one.call(&two, "still").await.unwrap(), "still");
    for mut stranger in silent {
        let mut heard = Vec::new();
        let read = soon(stranger.read_to_end(&mut heard)).await;
        assert_eq!(read.unwrap_or(0), 0);
    }
}
