//! A disk and a clock that misbehave on command, below the log, below SQLite, and below everything
//! that asks what time it is. The other half is `shim.c`, which the server is started with.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::server::{Server, home};

/// The mapped file.
const BYTES: u64 = 4096;
/// Where things stand in it; `struct told` in `shim.c`.
const CLOCK_MS: u64 = 0;
const FAILS: u64 = 8;
const ERROR: u64 = 12;
const LEFT: u64 = 16;
const FAILED: u64 = 20;
const PART: u64 = 24;
const PART_BYTES: usize = 128;

/// `EIO`.
const IO_ERROR: i32 = 5;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Writes.
    Writes = 1,
    /// Syncs.
    Syncs = 2,
}

/// How often it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// So many calls.
    Some(i32),
    /// All calls until the disk is mended.
    Forever,
}

/// The world as a server sees it.
#[derive(Debug)]
pub struct Shim {
    file: File,
    _folder: TempDir,
}

impl Shim {
    /// Starts a server in a world that is well at first.
    pub async fn start(settings: &[(&str, &str)]) -> (Server, Self) {
        let folder = home();
        let path = folder.path().join("told");
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .expect("the folder is ours");
        file.set_len(BYTES).expect("the folder has room");
        let environment = [
            ("GUILDHALL_SHIM", text(&path)),
            ("LD_PRELOAD", text(library())),
        ];
        let server = Server::start_in(home(), &environment, settings).await;
        let shim = Self {
            file,
            _folder: folder,
        };
        (server, shim)
    }

    /// From now on these calls fail with an I/O error on files with this in their path.
    pub fn fail(&self, what: Failing, part: &str, times: Times) {
        let mut name = [0; PART_BYTES];
        name[..part.len()].copy_from_slice(part.as_bytes());
        let left = match times {
            Times::Some(times) => times,
            Times::Forever => -1,
        };
        self.set(FAILS, 0);
        self.write(PART, &name);
        self.set(FAILED, 0);
        self.set(ERROR, IO_ERROR);
        self.set(LEFT, left);
        self.set(FAILS, what as i32);
    }

    /// The disk is well again.
    pub fn mend(&self) {
        self.set(FAILS, 0);
    }

    /// How many calls have failed since they were told to.
    pub fn failures(&self) -> u32 {
        let mut bytes = [0; 4];
        let read = self.file.read_exact_at(&mut bytes, FAILED);
        read.expect("the file is ours");
        u32::from_ne_bytes(bytes)
    }

    /// Puts the server's time of day so far from the true one.
    pub fn set_clock(&self, ahead_ms: i64) {
        self.write(CLOCK_MS, &ahead_ms.to_ne_bytes());
    }

    fn set(&self, at: u64, value: i32) {
        self.write(at, &value.to_ne_bytes());
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let written = self.file.write_all_at(bytes, at);
        written.expect("the file is ours");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

/// Compiles the other half, once per test process.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = home();
        let source = folder.path().join("shim.c");
        std::fs::write(&source, include_str!("shim.c")).expect("the folder is ours");
        let library = folder.path().join("shim.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        let is_compiled = compiled.is_ok_and(|status| status.success());
        assert!(
            is_compiled,
            "the shim needs a C compiler, as the server does"
        );
        (folder, library)
    });
    path
}
