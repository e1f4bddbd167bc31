//! An engine that dies and hangs for a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::engine::{self, Keys};

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
        let started = Command::new(script("redis"))
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

    /// Keys in it.
    pub(crate) fn keys(&self) -> Keys {
        Keys::of(&self.url)
    }

    /// Its host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.strip_prefix("redis://").unwrap()
    }

    /// Its port for TLS.
    pub(crate) fn tls_port(&self) -> String {
        let port = std::fs::read_to_string(self.dir.path().join("tls-port"));
        port.unwrap().trim().to_owned()
    }

    /// What the script can do to it: `kill`, `stop`, `pause`, `resume`, `restart`.
    pub(crate) fn tell(&self, verb: &str) {
        let told = Command::new(script("redis"))
            .arg(verb)
            .arg(self.dir.path())
            .output();
        assert!(told.unwrap().status.success(), "{verb}");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new(script("redis"))
            .arg("kill")
            .arg(self.dir.path())
            .output();
    }
}

/// The certificates of an authority: the one that engines of tests have theirs from, or a stranger.
pub(crate) fn authorities(name: &str) -> String {
    let made = Command::new(script("certificates")).output().unwrap();
    let folder = String::from_utf8(made.stdout).unwrap();
    std::fs::read_to_string(Path::new(folder.trim()).join(name)).unwrap()
}

fn script(name: &str) -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/engines");
    scripts.join(name)
}
