//! Files of several parts.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use guildhall_ports::Blobs;
use guildhall_ports::blobs::{BlobKind, WriteError};
use tokio::time::timeout;

use crate::engine::{self, Bucket, begin, content, key, put, whole};
use crate::proxy::Proxy;
use crate::victim::Engine;

/// As the adapter has it: the smallest that engines take.
const PART: usize = 5 * 1024 * 1024;
/// Longer than anything here takes, however busy the machine is.
const BOUND: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_file_of_several_parts_reads_back() {
    let bucket = Bucket::fresh().await;
    let blobs = bucket.node().await;
    for (number, length) in [
        (1, PART - 1),
        (2, PART),
        (3, PART + 1),
        (4, 2 * PART),
        (5, 3 * PART + 12_345),
    ] {
        let bytes = content(number, length);
        let stored = put(&blobs, key(number), &bytes).await.unwrap();
        assert_eq!(stored, length as u64);
        let read = whole(&blobs, key(number)).await.unwrap().unwrap();
        assert!(read == bytes, "{length}");
        let info = blobs.info(key(number)).await.unwrap().unwrap();
        assert_eq!(info.media_type, "image/png");
    }
    let (seam, half) = (2 * PART as u64, PART as u64 / 2);
    let open = blobs.open(key(5), seam - half..seam + half).await;
    let read: Vec<Bytes> = open.unwrap().unwrap().bytes.try_collect().await.unwrap();
    assert!(read.concat() == content(5, 3 * PART + 12_345)[PART + PART / 2..2 * PART + PART / 2]);
}

/// One piece may be longer than a part, too.
#[tokio::test]
async fn a_file_that_comes_in_one_piece_is_sent_in_parts() {
    let bucket = Bucket::fresh().await;
    let blobs = bucket.node().await;
    let bytes = content(1, 2 * PART + 7);
    let mut writer = blobs.put(key(1), "", u64::MAX).await.unwrap();
    writer.write(bytes.clone()).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), bytes.len() as u64);
    assert!(whole(&blobs, key(1)).await.unwrap() == Some(bytes));
}

async fn await_no_unfinished(engine: &Engine) {
    let going = async {
        while engine.unfinished() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(BOUND, going).await.expect("nothing is left of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_dropped_or_too_long_frees_its_room() {
    let engine = Engine::start();
    let blobs = engine.node().await;
    let bytes = content(1, 2 * PART);
    let writer = begin(&blobs, key(1), &bytes).await.unwrap();
    assert!(engine.unfinished() > 0, "a part has been sent");
    drop(writer);
    await_no_unfinished(&engine).await;

    let max = 2 * PART as u64;
    let mut writer = blobs.put(key(2), "", max).await.unwrap();
    writer.write(bytes).await.unwrap();
    assert!(engine.unfinished() > 0, "a part has been sent");
    let refused = writer.write(Bytes::from("x")).await.unwrap_err();
    assert!(matches!(refused, WriteError::TooLong { max: m } if m == max));
    await_no_unfinished(&engine).await;
    assert!(matches!(
        writer.finish().await,
        Err(WriteError::TooLong { .. })
    ));
    let listed = blobs.list(BlobKind::Attachment, 9).await.unwrap();
    assert_eq!(listed, []);
}

/// The beginning of the upload, or its second part, is with the engine when the caller leaves, and
/// its answer is on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_given_up_half_way_ends_the_file_and_leaves_nothing_behind() {
    let engine = Engine::start();
    let proxy = Proxy::to(engine.url()).await;
    let blobs = engine::open(&proxy.url(engine.url())).await;
    for parts in [1, 2] {
        let bytes = content(1, parts * PART);
        let mut writer = begin(&blobs, key(1), &bytes).await.unwrap();
        let before = engine.unfinished();
        proxy.hold_answers(true);
        let arriving = async {
            while engine.unfinished() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = writer.write(Bytes::from("more")) => panic!("the write waits for its answer"),
            () = arriving => {}
        }
        proxy.hold_answers(false);
        for _ in 0..2 {
            let refused = writer.write(Bytes::from("more")).await;
            assert!(matches!(refused, Err(WriteError::Failure(_))));
        }
        assert!(writer.finish().await.is_err());
        assert_eq!(blobs.info(key(1)).await.unwrap(), None);
        await_no_unfinished(&engine).await;
    }
}
