//! An engine that dies and hangs for a test, and whose files can be looked at.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use guildhall_s3::S3Blobs;
use tempfile::TempDir;

use crate::engine;

/// An engine that a test may do anything to.
pub(crate) struct Engine {
    dir: TempDir,
    url: String,
}

impl Engine {
    pub(crate) fn start() -> Self {
        // Where there is no engine for tests, there need not be a program for another one.
        engine::engine();
        let dir = tempfile::tempdir().unwrap();
        let started = Command::new(script())
            .arg("start")
            .arg(dir.path())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(started.status.success());
        let line = String::from_utf8(started.stdout).unwrap();
        let url = line.trim().split_once('=').unwrap().1.to_owned();
        Self { dir, url }
    }

    /// The address of its bucket.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the script can do to it: `kill`, `pause`, `resume`, `restart`.
    pub(crate) fn tell(&self, verb: &str) {
        let told = Command::new(script())
            .arg(verb)
            .arg(self.dir.path())
            .output();
        assert!(told.unwrap().status.success(), "{verb}");
    }

    /// A node's store.
    pub(crate) async fn node(&self) -> Arc<S3Blobs> {
        engine::open(&self.url).await
    }

    /// How many files of uploads in parts it has, which it keeps beside its buckets.
    pub(crate) fn unfinished(&self) -> usize {
        let entries = std::fs::read_dir(self.dir.path().join("data")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let names = names.filter(|name| name.to_str().unwrap().starts_with(".upload"));
        names.count()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new(script())
            .arg("kill")
            .arg(self.dir.path())
            .output();
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/engines/s3")
}
