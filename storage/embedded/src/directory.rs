//! The directory of a cluster of one: owners and epochs in one small file.
//!
//! The file outlives the process, so that every restart takes over under a later epoch.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{Epoch, EventPartition, NodeId, SessionPartition};
use guildhall_ports::directory::{Ownership, Partition};
use guildhall_ports::{Directory, Failure};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::blocking;
use crate::files::{self, Format, ReadError};

const WHAT: &str = "directory";
const FORMAT: Format = *b"GHDIRE\0\x01";
/// Two kinds of 65,536 partitions, 16 bytes each, are far below.
const DIRECTORY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Ownership in one file, which no other process may use.
#[derive(Clone)]
pub struct FileDirectory {
    store: Arc<Store>,
}

struct Store {
    path: PathBuf,
    /// Held over a claim's compare, write and set, to make them one step. It is another lock
    /// than that of `owners`, which questions take on async threads and claims only for moments.
    claiming: Mutex<()>,
    /// What the file holds.
    owners: Mutex<BTreeMap<Partition, Ownership>>,
}

/// How one partition's ownership stands in the file.
#[derive(Serialize, Deserialize)]
struct Row {
    kind: Kind,
    partition: u16,
    node: NodeId,
    epoch: Epoch,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Event,
    Session,
}

impl FileDirectory {
    /// Opens the file; there is nothing in it before the first claim. Blocks on the file system.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Failure> {
        let path = path.into();
        prepare(&path).map_err(|error| files::failure(WHAT, &error))?;
        let rows: Vec<Row> = match files::read(&path, FORMAT, DIRECTORY_BYTES_MAX) {
            Ok(content) => rmp_serde::from_slice(&content)
                .map_err(|error| damaged(&path, &error.to_string()))?,
            Err(ReadError::Missing) => Vec::new(),
            Err(ReadError::Damaged(why)) => return Err(damaged(&path, why)),
            Err(ReadError::Io(error)) => return Err(files::failure(WHAT, &error)),
        };
        let owners = rows.iter().map(Row::read).collect();
        Ok(Self {
            store: Arc::new(Store {
                path,
                claiming: Mutex::default(),
                owners: Mutex::new(owners),
            }),
        })
    }
}

#[async_trait]
impl Directory for FileDirectory {
    async fn owner(&self, partition: Partition) -> Result<Option<Ownership>, Failure> {
        Ok(self.store.owners.lock().get(&partition).copied())
    }

    async fn owners(&self) -> Result<Vec<(Partition, Ownership)>, Failure> {
        let owners = self.store.owners.lock();
        Ok(owners.iter().map(|(&at, &owner)| (at, owner)).collect())
    }

    async fn claim(
        &self,
        partition: Partition,
        node: NodeId,
        expected: Option<Epoch>,
    ) -> Result<Epoch, Failure> {
        let store = Arc::clone(&self.store);
        blocking::run(WHAT, move || store.claim(partition, node, expected)).await
    }

    async fn confirm(
        &self,
        partition: Partition,
        node: NodeId,
        epoch: Epoch,
    ) -> Result<bool, Failure> {
        let owner = self.store.owners.lock().get(&partition).copied();
        Ok(owner == Some(Ownership { node, epoch }))
    }
}

impl Store {
    fn claim(
        &self,
        partition: Partition,
        node: NodeId,
        expected: Option<Epoch>,
    ) -> Result<Epoch, Failure> {
        let _claiming = self.claiming.lock();
        let mut owners = self.owners.lock().clone();
        if owners.get(&partition).map(|owner| owner.epoch) != expected {
            return Err(Failure::Stale { what: WHAT });
        }
        let epoch = expected.map_or(Epoch(1), Epoch::next);
        owners.insert(partition, Ownership { node, epoch });
        self.write(&owners)?;
        *self.owners.lock() = owners;
        Ok(epoch)
    }

    fn write(&self, owners: &BTreeMap<Partition, Ownership>) -> Result<(), Failure> {
        let rows: Vec<Row> = owners.iter().map(Row::write).collect();
        let content = rmp_serde::to_vec(&rows).expect("rows of numbers always serialize");
        files::replace(&self.path, FORMAT, &content).map_err(|error| files::failure(WHAT, &error))
    }
}

impl Row {
    fn write((&partition, owner): (&Partition, &Ownership)) -> Self {
        let (kind, partition) = match partition {
            Partition::Event(EventPartition(number)) => (Kind::Event, number),
            Partition::Session(SessionPartition(number)) => (Kind::Session, number),
        };
        Self {
            kind,
            partition,
            node: owner.node,
            epoch: owner.epoch,
        }
    }

    fn read(&self) -> (Partition, Ownership) {
        let partition = match self.kind {
            Kind::Event => Partition::Event(EventPartition(self.partition)),
            Kind::Session => Partition::Session(SessionPartition(self.partition)),
        };
        let owner = Ownership {
            node: self.node,
            epoch: self.epoch,
        };
        (partition, owner)
    }
}

fn prepare(path: &Path) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    files::create_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    files::remove_unfinished(dir, &name)
}

/// Epochs must never be handed out twice, so a fresh start is no way out.
fn damaged(path: &Path, why: &str) -> Failure {
    let path = path.display();
    Failure::damaged(
        WHAT,
        format!("{path}: {why}; restore the file from a backup of this data directory"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITION: Partition = Partition::Event(EventPartition(0));

    #[tokio::test]
    async fn a_damaged_directory_is_refused_because_epochs_must_not_repeat() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("directory");
        let directory = FileDirectory::open(&path).unwrap();
        directory.claim(PARTITION, NodeId(1), None).await.unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let refused = FileDirectory::open(&path);
            assert!(matches!(refused, Err(Failure::Damaged { .. })));
        }
    }

    #[tokio::test]
    async fn a_claim_that_was_not_written_to_its_end_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("directory");
        let directory = FileDirectory::open(&path).unwrap();
        let epoch = directory.claim(PARTITION, NodeId(1), None).await.unwrap();
        let half = dir.path().join("directory.7.tmp");
        std::fs::write(&half, "half").unwrap();
        let directory = FileDirectory::open(&path).unwrap();
        let owner = directory.owner(PARTITION).await.unwrap();
        assert_eq!(owner.unwrap().epoch, epoch);
        assert!(!half.exists());
    }

    #[tokio::test]
    async fn a_claim_that_cannot_be_written_is_not_taken_for_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gone").join("directory");
        let directory = FileDirectory::open(&path).unwrap();
        std::fs::remove_dir(dir.path().join("gone")).unwrap();
        let failed = directory.claim(PARTITION, NodeId(1), None).await;
        assert!(matches!(failed, Err(Failure::Unavailable { .. })));
        assert_eq!(directory.owner(PARTITION).await.unwrap(), None);
        std::fs::create_dir(dir.path().join("gone")).unwrap();
        assert!(directory.claim(PARTITION, NodeId(1), None).await.is_ok());
    }
}
