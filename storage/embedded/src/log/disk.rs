//! What the writer asks of the disk; a seam so that tests can let each step fail.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::files;

/// The steps of writing a log.
pub(super) trait Disk: Send {
    /// Makes an empty file for reading and writing, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all bytes or fails; then any part of them may be written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes a file's bytes and length durable.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Makes the entry of a new file durable.
    fn sync_entry(&self, path: &Path) -> io::Result<()>;
    /// Cuts a file.
    fn cut(&self, file: &File, length: u64) -> io::Result<()>;
}

/// The operating system's.
pub(super) struct OsDisk;

impl Disk for OsDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_entry(&self, path: &Path) -> io::Result<()> {
        files::sync_parent(path)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }
}
