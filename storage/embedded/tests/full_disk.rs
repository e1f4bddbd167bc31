//! A full disk. The limit of file sizes holds for the whole process, so this test has one of its
//! own.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use bytes::Bytes;
use guildhall_embedded::blobs::FileBlobs;
use guildhall_model::Id;
use guildhall_ports::blobs::{BlobKey, WriteError};
use guildhall_ports::{Blobs, Failure};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

const ROOM: u64 = 256 * 1024;

fn limit_files_to(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let current = bytes;
    setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
}

async fn put(blobs: &FileBlobs, n: u64, pieces: usize) -> Result<u64, WriteError> {
    let key = BlobKey::attachment(Id::new(n).unwrap());
    let mut writer = blobs.put(key, "text/plain", 1 << 30).await?;
    for _ in 0..pieces {
        writer.write(Bytes::from(vec![7; 16 * 1024])).await?;
    }
    writer.finish().await
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_leaves_nothing_behind() {
    // Handled, the write fails as on a full disk; otherwise the signal would end the process.
    let _handled = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(dir.path()).unwrap();
    limit_files_to(Some(ROOM));
    // In the middle of a write, and with the bytes that the end brings.
    for (n, pieces) in [(1, 64), (2, 16)] {
        let refused = put(&blobs, n, pieces).await.unwrap_err();
        assert!(
            matches!(
                refused,
                WriteError::Failure(Failure::Full { what: "blobs" })
            ),
            "{refused}"
        );
        let key = BlobKey::attachment(Id::new(n).unwrap());
        assert_eq!(blobs.info(key).await.unwrap(), None);
        let unfinished = std::fs::read_dir(dir.path().join("unfinished")).unwrap();
        assert_eq!(unfinished.count(), 0);
    }
    assert_eq!(put(&blobs, 3, 15).await.unwrap(), 15 * 16 * 1024);
    limit_files_to(None);
    assert_eq!(put(&blobs, 1, 64).await.unwrap(), 64 * 16 * 1024);
}
