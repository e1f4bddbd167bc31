//! Disks that are full: a small file system of its own, and a limit on the size of files.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, prlimit};

use crate::server::{Server, home};

/// Bytes of one write that fills a disk.
const FILL_BYTES: usize = 4096;

/// A file system in memory, which is taken away when this is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Starts a server whose data lies on a disk of this size, such as `16m`; `None`, and a word
    /// on stderr that no test runner swallows, where this process may not mount one.
    pub async fn start(size: &str, settings: &[(&str, &str)]) -> Option<(Server, Self)> {
        let home = home();
        let disk = Self::mount(home.path().join("data"), size)?;
        let server = Server::start_in(home, &[], settings).await;
        Some((server, disk))
    }

    /// Mounts one of this size where nothing is yet; `None`, and that word, where it may not.
    pub fn mount(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&path).expect("the folder is ours");
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=755"),
                "guildhall-test",
            ])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { path });
        }
        let word = b"\nLEFT OUT: a full disk, because this process may not mount a small one\n";
        io::stderr().write_all(word).expect("stderr is open");
        None
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("there is room for a name");
        while file.write_all(&[1; FILL_BYTES]).is_ok() {}
    }

    /// Gives the room back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("the disk was filled");
    }

    /// The file that takes it.
    pub fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still run on it.
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status();
        assert!(unmounted.is_ok(), "the disk stays behind");
    }
}

impl Server {
    /// Lets none of its files grow beyond these bytes, or beyond any bound.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("the process is ours");
    }
}

/// Bytes of the largest file in a folder, whatever lies how deep.
pub fn largest_file(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => largest_file(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}
