//! Snapshots of session partitions as files: `DIR/pNN/<position>.snap`.
//!
//! A snapshot is written under another name, synced and renamed, so it is wholly there or not at
//! all. A damaged one counts as absent: the one before it and a longer tail of the log give the
//! same state.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::{Position, SessionPartition};
use guildhall_ports::{Failure, Snapshots};
use parking_lot::Mutex;

use crate::blocking;
use crate::files::{self, Format, ReadError};

const WHAT: &str = "snapshots";
const FORMAT: Format = *b"GHSNAP\0\x01";
const ENDING: &str = ".snap";
/// Bounds what a damaged file can make us read.
const SNAPSHOT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The snapshots under one directory, which no other process may use.
#[derive(Clone)]
pub struct FileSnapshots {
    store: Arc<Store>,
}

struct Store {
    dir: PathBuf,
    /// The whole snapshots of each partition that has been listed. Files are checked once per
    /// process, so that listing for every RESUME costs no reads.
    whole: Mutex<HashMap<u16, BTreeSet<u64>>>,
}

impl FileSnapshots {
    /// Opens the directory and makes it if need be. Blocks on the file system.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Failure> {
        let dir = dir.into();
        files::create_dir(&dir)
            .and_then(|()| remove_unfinished(&dir))
            .map_err(|error| files::failure(WHAT, &error))?;
        Ok(Self {
            store: Arc::new(Store {
                dir,
                whole: Mutex::default(),
            }),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = Arc::clone(&self.store);
        blocking::run(WHAT, move || work(&store)).await
    }
}

#[async_trait]
impl Snapshots for FileSnapshots {
    async fn put(
        &self,
        partition: SessionPartition,
        upto: Position,
        snapshot: Bytes,
    ) -> Result<(), Failure> {
        self.run(move |store| store.put(partition, upto, &snapshot))
            .await
    }

    async fn list(&self, partition: SessionPartition) -> Result<Vec<Position>, Failure> {
        self.run(move |store| store.list(partition)).await
    }

    async fn get(
        &self,
        partition: SessionPartition,
        upto: Position,
    ) -> Result<Option<Bytes>, Failure> {
        self.run(move |store| store.get(partition, upto)).await
    }

    async fn drop_before(
        &self,
        partition: SessionPartition,
        before: Position,
    ) -> Result<(), Failure> {
        self.run(move |store| store.drop_before(partition, before))
            .await
    }
}

impl Store {
    fn put(
        &self,
        partition: SessionPartition,
        upto: Position,
        snapshot: &[u8],
    ) -> Result<(), Failure> {
        if snapshot.len() > SNAPSHOT_BYTES_MAX {
            let why = format!(
                "a snapshot of {} bytes is over the bound of {SNAPSHOT_BYTES_MAX}",
                snapshot.len()
            );
            return Err(Failure::unavailable(WHAT, why));
        }
        files::create_dir(&self.partition_dir(partition))
            .and_then(|()| files::replace(&self.path(partition, upto), FORMAT, snapshot))
            .map_err(|error| files::failure(WHAT, &error))?;
        if let Some(whole) = self.whole.lock().get_mut(&partition.0) {
            whole.insert(upto.0);
        }
        Ok(())
    }

    fn list(&self, partition: SessionPartition) -> Result<Vec<Position>, Failure> {
        let mut known = self.whole.lock();
        if let Some(whole) = known.get(&partition.0) {
            return Ok(whole.iter().copied().map(Position).collect());
        }
        let mut whole = BTreeSet::new();
        for position in self.stored(partition)? {
            if self.read(partition, Position(position))?.is_some() {
                whole.insert(position);
            }
        }
        let listed = whole.iter().copied().map(Position).collect();
        known.insert(partition.0, whole);
        Ok(listed)
    }

    fn get(&self, partition: SessionPartition, upto: Position) -> Result<Option<Bytes>, Failure> {
        let snapshot = self.read(partition, upto)?;
        if snapshot.is_none()
            && let Some(whole) = self.whole.lock().get_mut(&partition.0)
        {
            whole.remove(&upto.0);
        }
        Ok(snapshot)
    }

    fn drop_before(&self, partition: SessionPartition, before: Position) -> Result<(), Failure> {
        let mut known = self.whole.lock();
        for position in self.stored(partition)? {
            if position >= before.0 {
                continue;
            }
            match fs::remove_file(self.path(partition, Position(position))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(files::failure(WHAT, &error));
                }
                _ => {}
            }
            if let Some(whole) = known.get_mut(&partition.0) {
                whole.remove(&position);
            }
        }
        Ok(())
    }

    /// The positions that files are named after, damaged ones included.
    fn stored(&self, partition: SessionPartition) -> Result<BTreeSet<u64>, Failure> {
        let fail = |error: io::Error| files::failure(WHAT, &error);
        let entries = match fs::read_dir(self.partition_dir(partition)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(fail(error)),
        };
        let mut positions = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(fail)?.file_name();
            if let Some(position) = name.to_str().and_then(position_of) {
                positions.insert(position);
            }
        }
        Ok(positions)
    }

    /// The content of a snapshot; `None` if it is missing or damaged.
    fn read(&self, partition: SessionPartition, upto: Position) -> Result<Option<Bytes>, Failure> {
        let path = self.path(partition, upto);
        match files::read(&path, FORMAT, SNAPSHOT_BYTES_MAX as u64) {
            Ok(content) => Ok(Some(content.into())),
            Err(ReadError::Missing) => Ok(None),
            Err(ReadError::Damaged(why)) => {
                tracing::warn!(
                    session_partition = partition.0,
                    "skipping the snapshot {}: {why}",
                    path.display()
                );
                Ok(None)
            }
            Err(ReadError::Io(error)) => Err(files::failure(WHAT, &error)),
        }
    }

    fn partition_dir(&self, partition: SessionPartition) -> PathBuf {
        self.dir.join(format!("p{:02}", partition.0))
    }

    fn path(&self, partition: SessionPartition, upto: Position) -> PathBuf {
        self.partition_dir(partition).join(file_name(upto.0))
    }
}

fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files::remove_unfinished(&entry.path(), "")?;
        }
    }
    Ok(())
}

fn file_name(position: u64) -> String {
    format!("{position:020}{ENDING}")
}

fn position_of(name: &str) -> Option<u64> {
    let position = name.strip_suffix(ENDING)?.parse().ok()?;
    // Only the spelling that we write: two names must not stand for one position.
    (file_name(position) == name).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITION: SessionPartition = SessionPartition(3);

    async fn put(snapshots: &FileSnapshots, upto: u64) {
        let snapshot = Bytes::from(upto.to_string());
        let stored = snapshots.put(PARTITION, Position(upto), snapshot).await;
        stored.unwrap();
    }

    #[tokio::test]
    async fn a_snapshot_that_was_not_written_to_its_end_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = FileSnapshots::open(dir.path()).unwrap();
        put(&snapshots, 7).await;
        let partition = dir.path().join("p03");
        fs::write(partition.join("00000000000000000009.snap.0.tmp"), "half").unwrap();
        let snapshots = FileSnapshots::open(dir.path()).unwrap();
        assert_eq!(snapshots.list(PARTITION).await.unwrap(), [Position(7)]);
        assert_eq!(fs::read_dir(partition).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_damaged_snapshot_is_dropped_with_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = FileSnapshots::open(dir.path()).unwrap();
        for upto in [5, 7, 9] {
            put(&snapshots, upto).await;
        }
        let partition = dir.path().join("p03");
        fs::write(partition.join(file_name(7)), "damaged").unwrap();
        let snapshots = FileSnapshots::open(dir.path()).unwrap();
        let whole = snapshots.list(PARTITION).await.unwrap();
        assert_eq!(whole, [Position(5), Position(9)]);
        snapshots.drop_before(PARTITION, Position(9)).await.unwrap();
        assert_eq!(fs::read_dir(partition).unwrap().count(), 1);
    }

    #[test]
    fn only_our_own_spelling_names_a_snapshot() {
        assert_eq!(position_of(&file_name(u64::MAX)), Some(u64::MAX));
        for other in ["7.snap", "+0000000000000000007.snap", ".snap", "x.snap"] {
            assert_eq!(position_of(other), None, "{other}");
        }
    }
}
