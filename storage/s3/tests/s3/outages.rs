//! The engine is killed, hangs, or is not there at all.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use guildhall_ports::blobs::{BlobKind, WriteError};
use guildhall_ports::{Blobs, Failure};
use guildhall_s3::{Config, S3Blobs};
use tokio::time::timeout;

use crate::engine::{begin, content, key, put, whole};
use crate::victim::Engine;

/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_mins(2);
/// A file of several parts.
const LARGE: usize = 12 << 20;

fn is_away<T>(answer: Result<T, WriteError>) {
    let error = answer.err().expect("nothing is written");
    let is_away = matches!(error, WriteError::Failure(Failure::Unavailable { .. }));
    assert!(is_away, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_engine_dies_in_the_middle_is_not_there() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    let former = content(1, 1_000);
    put(&blobs, key(1), &former).await.unwrap();
    let bytes = content(2, LARGE);
    for number in [1, 2] {
        let mut writer = begin(&blobs, key(number), &bytes).await.unwrap();
        assert!(engine.unfinished() > 0, "a part has been sent");
        engine.tell("kill");
        let more = timeout(BOUND, writer.write(bytes.clone())).await;
        is_away(more.expect("it is answered in time"));
        is_away(writer.finish().await);
        engine.tell("restart");
    }
    assert!(whole(&blobs, key(1)).await.unwrap() == Some(former));
    assert_eq!(blobs.info(key(2)).await.unwrap(), None);
    let listed = blobs.list(BlobKind::Attachment, 9).await.unwrap();
    assert_eq!(listed, [key(1)]);
    put(&blobs, key(2), &bytes).await.unwrap();
    assert!(whole(&blobs, key(2)).await.unwrap() == Some(bytes));
}

/// Writes files until the engine is gone; those that were acknowledged.
async fn put_until_away(blobs: Arc<S3Blobs>, first: u64, length: usize) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for number in first.. {
        match put(&blobs, key(number), &content(number, length)).await {
            Ok(_) => acknowledged.push(number),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_half_is_seen_after_the_engines_death_and_what_was_acknowledged_is_whole() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    for round in 1..=3_u64 {
        let writers = [(1, 1_000), (2, 300_000), (3, LARGE)].map(|(writer, length)| {
            let first = 1_000_000 * round + 10_000 * writer;
            let writing = tokio::spawn(put_until_away(Arc::clone(&blobs), first, length));
            (first, length, writing)
        });
        let begun = key(writers[2].0);
        while blobs.info(begun).await.unwrap().is_none() {}
        engine.tell("kill");
        let mut written = Vec::new();
        for (first, length, writing) in writers {
            let writing = timeout(BOUND, writing).await.expect("it ends in time");
            written.push((first, length, writing.unwrap()));
        }
        engine.tell("restart");
        for (first, length, acknowledged) in written {
            // The one that failed may be there too, but only as a whole.
            for number in first..=first + acknowledged.len() as u64 {
                let read = whole(&blobs, key(number)).await.unwrap();
                let is_acknowledged = acknowledged.contains(&number);
                assert!(read.is_some() || !is_acknowledged, "{number}");
                let is_whole = read.is_none_or(|bytes| bytes == content(number, length));
                assert!(is_whole, "{number}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_engine_dies_or_hangs_is_told_that_something_is_missing() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    // More than any buffer on the way holds.
    put(&blobs, key(1), &content(1, 32 << 20)).await.unwrap();
    for away in ["pause", "kill"] {
        let open = blobs.open(key(1), 0..u64::MAX).await.unwrap().unwrap();
        let mut pieces = open.bytes;
        assert!(pieces.try_next().await.unwrap().is_some());
        engine.tell(away);
        let rest = timeout(BOUND, pieces.try_collect::<Vec<Bytes>>()).await;
        let rest = rest.expect("it is told in time");
        assert!(matches!(rest, Err(Failure::Unavailable { .. })), "{away}");
        if away == "pause" {
            engine.tell("resume");
        }
    }
}

/// Every call fails, and none of them takes long.
async fn all_are_refused(engine: &Engine, blobs: &S3Blobs) {
    let config = Config::parse(engine.url()).unwrap();
    let bytes = content(9, 100);
    let calls = async {
        tokio::join!(
            async { S3Blobs::open(&config).await.map(|_| ()) },
            async { blobs.info(key(1)).await.map(|_| ()) },
            async { blobs.open(key(1), 0..9).await.map(|_| ()) },
            async { blobs.rename(key(1), key(2)).await.map(|_| ()) },
            blobs.delete(key(3)),
            async { blobs.list(BlobKind::Attachment, 9).await.map(|_| ()) },
            async {
                match put(blobs, key(4), &bytes).await {
                    Ok(_) | Err(WriteError::TooLong { .. }) => Ok(()),
                    Err(WriteError::Failure(failure)) => Err(failure),
                }
            },
        )
    };
    let answers = timeout(BOUND, calls)
        .await
        .expect("all are answered in time");
    for answer in <[_; 7]>::from(answers) {
        assert!(
            matches!(answer, Err(Failure::Unavailable { .. })),
            "{answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_was_away_is_used_again_and_nobody_has_to_help() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    let bytes = content(1, 100_000);
    put(&blobs, key(1), &bytes).await.unwrap();
    for (away, back) in [
        ("kill", "restart"),
        ("stop", "restart"),
        ("pause", "resume"),
    ] {
        engine.tell(away);
        all_are_refused(&engine, &blobs).await;
        engine.tell(back);
        assert!(
            whole(&blobs, key(1)).await.unwrap().as_ref() == Some(&bytes),
            "{away}"
        );
        put(&blobs, key(5), &bytes).await.unwrap();
        blobs.delete(key(5)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_sees_that_the_engine_is_away_and_that_it_is_back() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    let standing = blobs.standing();
    for (away, back) in [("pause", "resume"), ("kill", "restart")] {
        blobs.look().await;
        assert_eq!(standing.away(), None);
        engine.tell(away);
        let looked = timeout(BOUND, blobs.look()).await;
        looked.expect("a look is short");
        assert!(standing.is_away(), "{away}");
        engine.tell(back);
        let seen = async {
            while standing.is_away() {
                blobs.look().await;
            }
        };
        timeout(BOUND, seen).await.expect("it is seen to be back");
    }
    // What is asked for tells as well.
    engine.tell("kill");
    assert!(blobs.info(key(1)).await.is_err());
    assert!(standing.is_away());
    engine.tell("restart");
    assert!(blobs.info(key(1)).await.unwrap().is_none());
    assert!(!standing.is_away());
}
