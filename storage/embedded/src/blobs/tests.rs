//! What files on a disk can do to blobs, and blobs to the disk.

use std::os::unix::fs::FileExt;
use std::task::{Context, Waker};

use bytes::Bytes;
use futures_util::TryStreamExt;
use guildhall_model::Id;
use guildhall_ports::blobs::WriteError;

use super::*;

fn key(n: u64) -> BlobKey {
    BlobKey::attachment(Id::new(n).unwrap())
}

async fn begin(blobs: &FileBlobs, n: u64, content: &str) -> Box<dyn BlobWriter> {
    let mut writer = blobs.put(key(n), "text/plain", 1 << 20).await.unwrap();
    writer.write(Bytes::from(content.to_owned())).await.unwrap();
    writer
}

async fn put(blobs: &FileBlobs, n: u64, content: &str) {
    begin(blobs, n, content).await.finish().await.unwrap();
}

/// All files below a directory.
fn count_files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                count_files(&entry.path())
            } else {
                1
            }
        })
        .sum()
}

/// A killed process runs no destructor: what it had written stays under the unfinished name.
#[tokio::test]
async fn a_process_that_is_killed_before_the_rename_leaves_no_trace_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    put(&blobs, 7, "whole").await;
    for n in [7, 8] {
        std::mem::forget(begin(&blobs, n, &"half".repeat(50_000)).await);
    }
    assert_eq!(count_files(dir.path()), 3);
    assert_eq!(blobs.info(key(8)).await.unwrap(), None);
    let blobs = FileBlobs::open(dir.path()).unwrap();
    assert_eq!(count_files(dir.path()), 1);
    assert_eq!(blobs.info(key(8)).await.unwrap(), None);
    assert_eq!(blobs.info(key(7)).await.unwrap().unwrap().length, 5);
}

#[tokio::test]
async fn a_blob_that_is_given_up_frees_its_room_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    drop(begin(&blobs, 1, &"x".repeat(100_000)).await);
    assert_eq!(count_files(dir.path()), 0);
    let mut over = blobs.put(key(2), "", 5).await.unwrap();
    assert!(over.write(Bytes::from("123456")).await.is_err());
    assert_eq!(count_files(dir.path()), 0);
    put(&blobs, 3, "kept").await;
    assert_eq!(count_files(dir.path()), 1);
}

/// The only thread that may block is kept busy, so that the write is surely under way when it is
/// dropped, as a timeout drops it.
#[test]
fn a_write_that_is_given_up_half_way_ends_the_blob() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let blobs = FileBlobs::open(dir.path()).unwrap();
        let mut writer = begin(&blobs, 1, "a").await;
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || held.recv());
        {
            let write = writer.write(Bytes::from(vec![b'b'; 1 << 19]));
            let mut context = Context::from_waker(Waker::noop());
            assert!(std::pin::pin!(write).poll(&mut context).is_pending());
        }
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        let error = writer.finish().await.unwrap_err();
        assert!(matches!(error, WriteError::Failure(_)), "{error}");
        assert_eq!(blobs.info(key(1)).await.unwrap(), None);
    });
}

#[tokio::test]
async fn a_damaged_file_is_told_and_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    let spoil: [fn(&fs::File); 4] = [
        |file| file.set_len(0).unwrap(),
        |file| file.set_len(100).unwrap(),
        |file| file.set_len(format::HEADER_BYTES as u64 + 3).unwrap(),
        |file| file.write_all_at(b"X", 20).unwrap(),
    ];
    for (n, spoil) in (1..).zip(spoil) {
        put(&blobs, n, "content").await;
        let path = blobs.store.path(key(n));
        spoil(&fs::File::options().write(true).open(path).unwrap());
        let refused = [
            blobs.info(key(n)).await.unwrap_err(),
            blobs.open(key(n), 0..1).await.unwrap_err(),
        ];
        for failure in refused {
            assert!(matches!(failure, Failure::Damaged { .. }), "{n}: {failure}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_while_it_is_read_ends_in_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    put(&blobs, 1, &"x".repeat(300_000)).await;
    let open = blobs.open(key(1), 0..u64::MAX).await.unwrap().unwrap();
    let file = fs::File::options()
        .write(true)
        .open(blobs.store.path(key(1)));
    file.unwrap().set_len(100_000).unwrap();
    let pieces: Result<Vec<Bytes>, Failure> = open.bytes.try_collect().await;
    assert!(matches!(pieces, Err(Failure::Damaged { .. })));
}

#[tokio::test]
async fn files_that_are_not_ours_are_passed_over_and_empty_folders_go() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    put(&blobs, 1 << 50, "ours").await;
    put(&blobs, 7, "deleted").await;
    blobs.delete(key(7)).await.unwrap();
    let hour = blobs.store.hour_dir(key(1 << 50));
    // Another spelling, another length, another hour's number, a name.
    for name in [
        "000400000000000A",
        "4",
        "+004000000000000",
        "0000000000000007",
        "..passwd",
    ] {
        fs::write(hour.join(name), "x").unwrap();
    }
    fs::create_dir(dir.path().join("attachments").join("old")).unwrap();
    let listed = blobs.list(BlobKind::Attachment, 9).await.unwrap();
    assert_eq!(listed, [key(1 << 50)]);
    assert!(!blobs.store.hour_dir(key(7)).exists());
    put(&blobs, 7, "again").await;
    assert!(blobs.info(key(7)).await.unwrap().is_some());
}
