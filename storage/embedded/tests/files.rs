//! The log, the snapshots, the directory and the blobs on files keep the promises of their ports.
#![expect(clippy::unwrap_used, reason = "a fixture that fails fails its test")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use guildhall_embedded::blobs::FileBlobs;
use guildhall_embedded::directory::FileDirectory;
use guildhall_embedded::log::{Durability, LogConfig, SegmentLog, Topic};
use guildhall_embedded::snapshots::FileSnapshots;
use guildhall_model::{Position, SessionPartition, Timestamp};
use guildhall_ports::log::SharedLog;
use guildhall_ports::{Blobs, Directory, Env, Snapshots, conformance};
use tempfile::TempDir;

struct LogFixture {
    dir: TempDir,
    config: LogConfig,
    log: Arc<SegmentLog>,
}

impl LogFixture {
    fn fresh(durability: Durability, segment_bytes: u64) -> (Self, ()) {
        let dir = tempfile::tempdir().unwrap();
        let config = LogConfig {
            durability,
            segment_bytes,
            retention_ms: 1_000,
            ..LogConfig::default()
        };
        let log = Arc::new(open(&dir, config));
        (Self { dir, config, log }, ())
    }
}

fn open(dir: &TempDir, config: LogConfig) -> SegmentLog {
    SegmentLog::open(dir.path(), Topic::Frames, config, Env::system().random).unwrap()
}

#[async_trait]
impl conformance::log::Fixture for LogFixture {
    fn log(&self) -> SharedLog {
        Arc::clone(&self.log) as SharedLog
    }

    async fn restart(&mut self) {
        self.log.close().await.unwrap();
        self.log = Arc::new(open(&self.dir, self.config));
    }

    async fn trim(&mut self) {
        self.log.trim(Timestamp(i64::MAX)).await.unwrap();
    }
}

struct SnapshotsFixture {
    dir: TempDir,
    snapshots: Arc<FileSnapshots>,
}

#[async_trait]
impl conformance::snapshots::Fixture for SnapshotsFixture {
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::clone(&self.snapshots) as Arc<dyn Snapshots>
    }

    async fn restart(&mut self) {
        self.snapshots = Arc::new(FileSnapshots::open(self.dir.path()).unwrap());
    }

    async fn damage(&mut self, partition: SessionPartition, upto: Position) {
        let path = self.path(partition, upto);
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    }
}

impl SnapshotsFixture {
    fn path(&self, partition: SessionPartition, upto: Position) -> PathBuf {
        let dir = self.dir.path().join(format!("p{:02}", partition.0));
        dir.join(format!("{:020}.snap", upto.0))
    }
}

struct DirectoryFixture {
    dir: TempDir,
    directory: Arc<FileDirectory>,
}

impl DirectoryFixture {
    fn open(dir: &TempDir) -> Arc<FileDirectory> {
        Arc::new(FileDirectory::open(dir.path().join("cluster").join("directory")).unwrap())
    }
}

#[async_trait]
impl conformance::directory::Fixture for DirectoryFixture {
    fn directory(&self) -> Arc<dyn Directory> {
        Arc::clone(&self.directory) as Arc<dyn Directory>
    }

    async fn restart(&mut self) {
        self.directory = Self::open(&self.dir);
    }
}

struct BlobsFixture {
    dir: TempDir,
    blobs: FileBlobs,
}

#[async_trait]
impl conformance::blobs::Fixture for BlobsFixture {
    fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(self.blobs.clone())
    }

    async fn restart(&mut self) {
        self.blobs = FileBlobs::open(self.dir.path()).unwrap();
    }
}

/// Segments of a few records, so that every promise meets their borders.
mod log_of_small_segments {
    use std::future::{Ready, ready};

    use super::{Durability, LogFixture};

    fn fresh() -> Ready<(LogFixture, ())> {
        ready(LogFixture::fresh(Durability::Fsync, 150))
    }

    guildhall_ports::log_promises!(fresh);
    guildhall_ports::follow_promises!(fresh);
}

/// Segments of several batches, not synced.
mod log_left_to_the_system {
    use std::future::{Ready, ready};

    use super::{Durability, LogFixture};

    fn fresh() -> Ready<(LogFixture, ())> {
        ready(LogFixture::fresh(Durability::Os, 2_000))
    }

    guildhall_ports::log_promises!(fresh);
    guildhall_ports::follow_promises!(fresh);
}

mod snapshots {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use super::{FileSnapshots, SnapshotsFixture};

    fn fresh() -> Ready<(SnapshotsFixture, ())> {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Arc::new(FileSnapshots::open(dir.path()).unwrap());
        ready((SnapshotsFixture { dir, snapshots }, ()))
    }

    guildhall_ports::snapshots_promises!(fresh);
}

mod blobs {
    use std::future::{Ready, ready};

    use super::{BlobsFixture, FileBlobs};

    fn fresh() -> Ready<(BlobsFixture, ())> {
        let dir = tempfile::tempdir().unwrap();
        let blobs = FileBlobs::open(dir.path()).unwrap();
        ready((BlobsFixture { dir, blobs }, ()))
    }

    guildhall_ports::blobs_promises!(fresh);
}

mod directory {
    use std::future::{Ready, ready};

    use super::DirectoryFixture;

    fn fresh() -> Ready<(DirectoryFixture, ())> {
        let dir = tempfile::tempdir().unwrap();
        let directory = DirectoryFixture::open(&dir);
        ready((DirectoryFixture { dir, directory }, ()))
    }

    guildhall_ports::directory_promises!(fresh);
}
