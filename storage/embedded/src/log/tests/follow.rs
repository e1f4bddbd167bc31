//! Followers of a log that ends.

use futures_util::{FutureExt, StreamExt};

use super::*;

#[tokio::test]
async fn a_follower_of_a_log_that_closes_hears_the_rest_and_then_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    let mut waiting = log.follow(1, Position::START, 1);
    assert!(waiting.next().now_or_never().is_none());
    let mut behind = log.follow(0, Position::START, 1);
    append(&log, 0, "first").await;
    let last = log.append(0, EPOCH, vec![payload("last")]);
    log.close().await.unwrap();
    last.await.unwrap();
    for text in ["first", "last"] {
        let slice = behind.next().await.unwrap().unwrap();
        assert_eq!(slice.records[0].payload, text);
    }
    for follower in [&mut behind, &mut waiting] {
        let ended = follower.next().await.unwrap();
        assert!(matches!(ended, Err(Failure::Closing)));
        assert!(follower.next().await.is_none());
    }
}

#[tokio::test]
async fn a_follower_outlives_the_log_that_it_reads() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), LogConfig::default()).unwrap();
    append(&log, 0, "kept").await;
    let mut follower = log.follow(0, Position::START, 1);
    drop(log);
    let slice = follower.next().await.unwrap().unwrap();
    assert_eq!(slice.records[0].payload, "kept");
    assert!(follower.next().await.unwrap().is_err());
}
