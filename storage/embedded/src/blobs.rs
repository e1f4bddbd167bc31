//! Blobs as files: `DIR/KIND/HOUR/NUMBER`, both numbers in hexadecimal digits.
//!
//! A blob is written under a name of `DIR/unfinished`, synced and renamed, so it is wholly there
//! or not at all; what a crash leaves among the unfinished is removed at the next start. Keys are
//! numbers, so no name can lead out of the directory. An hour's folder holds the ids of about 70
//! minutes, and the order of the names is that of the numbers. Pictures have names of even spread
//! instead of ids, so their folders stand for no hour.

mod format;
mod reader;
mod writer;

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use guildhall_ports::blobs::{BlobInfo, BlobKey, BlobKind, BlobWriter, OpenBlob};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Blobs, Failure};

use crate::{blocking, files};
use writer::Writer;

const WHAT: &str = "blobs";
const UNFINISHED: &str = "unfinished";
/// An id's milliseconds stand above bit 22; 2^22 of them are 70 minutes.
const HOUR_SHIFT: u32 = 44;
/// Numbers that are no ids are spread evenly over 4,096 folders.
const SPREAD_SHIFT: u32 = 52;
/// Hexadecimal digits of a folder's and of a file's name.
const HOUR_DIGITS: usize = 5;
const NUMBER_DIGITS: usize = 16;

/// The blobs under one directory, which no other process may use. A clone is the same store.
#[derive(Clone)]
pub struct FileBlobs {
    store: Arc<Store>,
}

/// Where the files are.
struct Store {
    dir: PathBuf,
    next_unfinished: AtomicU64,
}

impl FileBlobs {
    /// Opens the directory, makes it if need be, and removes what was not finished. Blocks on the
    /// file system.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Failure> {
        let store = Store {
            dir: dir.into(),
            next_unfinished: AtomicU64::new(0),
        };
        store.prepare().map_err(|error| failure(&error))?;
        Ok(Self {
            store: Arc::new(store),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = Arc::clone(&self.store);
        blocking::run(WHAT, move || work(&store).map_err(|error| failure(&error))).await
    }
}

impl fmt::Debug for FileBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileBlobs").field(&self.store.dir).finish()
    }
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(
        &self,
        key: BlobKey,
        media_type: &str,
        bytes_max: u64,
    ) -> Result<Box<dyn BlobWriter>, Failure> {
        let header = format::Header::new(media_type)
            .ok_or_else(|| Failure::unavailable(WHAT, "the media type is too long"))?;
        let store = Arc::clone(&self.store);
        let writer = self.run(move |_| Writer::begin(store, key, header, bytes_max));
        Ok(Box::new(writer.await?))
    }

    async fn info(&self, key: BlobKey) -> Result<Option<BlobInfo>, Failure> {
        let store = Arc::clone(&self.store);
        let open = blocking::run(WHAT, move || reader::open(&store.path(key), key));
        Ok(open.await?.map(|(_, info)| info))
    }

    async fn open(&self, key: BlobKey, range: Range<u64>) -> Result<Option<OpenBlob>, Failure> {
        let store = Arc::clone(&self.store);
        let open = blocking::run(WHAT, move || reader::open(&store.path(key), key));
        Ok(open.await?.map(|(file, info)| OpenBlob {
            bytes: reader::pieces(file, key, range.start..range.end.min(info.length)),
            info,
        }))
    }

    async fn rename(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure> {
        self.run(move |store| store.rename(from, to)).await
    }

    async fn delete(&self, key: BlobKey) -> Result<(), Failure> {
        self.run(move |store| store.delete(key)).await
    }

    async fn list(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure> {
        self.run(move |store| store.list(kind, limit)).await
    }
}

impl Store {
    fn prepare(&self) -> io::Result<()> {
        files::create_dir(&self.dir.join(UNFINISHED))?;
        for kind in BlobKind::ALL {
            files::create_dir(&self.dir.join(kind.name()))?;
        }
        for entry in fs::read_dir(self.dir.join(UNFINISHED))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    fn hour_dir(&self, key: BlobKey) -> PathBuf {
        let hour = key.number() >> shift(key.kind());
        self.dir
            .join(key.kind().name())
            .join(format!("{hour:0HOUR_DIGITS$x}"))
    }

    fn path(&self, key: BlobKey) -> PathBuf {
        let number = key.number();
        self.hour_dir(key)
            .join(format!("{number:0NUMBER_DIGITS$x}"))
    }

    /// A name that no other writer of this process has; those of former ones are gone.
    fn unfinished_path(&self) -> PathBuf {
        let n = self.next_unfinished.fetch_add(1, Ordering::Relaxed);
        self.dir.join(UNFINISHED).join(n.to_string())
    }

    /// Moves a finished file to its key, durably.
    fn publish(&self, from: &Path, key: BlobKey) -> io::Result<()> {
        let to = self.path(key);
        loop {
            files::create_dir(&self.hour_dir(key))?;
            match fs::rename(from, &to) {
                // A look at the list has taken the empty folder away in between.
                Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {}
                outcome => break outcome?,
            }
        }
        crash::pass(Point::FileRenamed);
        files::sync_parent(&to)
    }

    fn rename(&self, from: BlobKey, to: BlobKey) -> io::Result<bool> {
        match self.publish(&self.path(from), to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            outcome => outcome?,
        }
        files::sync_dir(&self.hour_dir(from))?;
        Ok(true)
    }

    fn delete(&self, key: BlobKey) -> io::Result<()> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Empty folders go with the look, so that looks stay short.
    fn list(&self, kind: BlobKind, limit: usize) -> io::Result<Vec<BlobKey>> {
        let dir = self.dir.join(kind.name());
        let mut keys = Vec::new();
        for hour in numbers(&dir, HOUR_DIGITS)? {
            if keys.len() >= limit {
                break;
            }
            let hour_dir = dir.join(format!("{hour:0HOUR_DIGITS$x}"));
            let of_hour = numbers(&hour_dir, NUMBER_DIGITS)?;
            if of_hour.is_empty() {
                // Fails if something has come into it, and then it must.
                let _ = fs::remove_dir(&hour_dir);
            }
            let known = of_hour.into_iter().filter(|n| n >> shift(kind) == hour);
            keys.extend(known.map(|number| BlobKey::new(kind, number)));
        }
        keys.truncate(limit);
        Ok(keys)
    }
}

/// The bits above this one name the folder.
const fn shift(kind: BlobKind) -> u32 {
    match kind {
        BlobKind::Upload | BlobKind::Attachment | BlobKind::Emoji => HOUR_SHIFT,
        BlobKind::Picture => SPREAD_SHIFT,
    }
}

/// The numbers that entries of a directory are named after, rising. Only the spelling that we
/// write counts: two names must not stand for one number.
fn numbers(dir: &Path, digits: usize) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().filter(|name| is_ours(name, digits));
        numbers.extend(number.and_then(|name| u64::from_str_radix(name, 16).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn is_ours(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn failure(error: &io::Error) -> Failure {
    files::failure(WHAT, error)
}

#[cfg(test)]
mod tests;
