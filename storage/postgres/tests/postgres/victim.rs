//! An engine that dies and hangs for a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guildhall_postgres::{Config, PostgresStore, migrations};
use tempfile::TempDir;

use crate::engine;

/// An engine that a test may do anything to.
pub(crate) struct Engine {
    dir: TempDir,
    /// Its address with the password.
    pub(crate) url: String,
}

impl Engine {
    pub(crate) fn start() -> Self {
        // Where there is no engine for tests, there need not be programs for another one.
        engine::engine();
        Self::started("start", &[], &[])
    }

    /// One that is reached by TLS alone.
    pub(crate) fn guarded() -> Self {
        engine::engine();
        Self::started("start", &[], &[("GUILDHALL_GUARDED", "yes")])
    }

    /// One that follows this one and takes no writes.
    pub(crate) fn standby(&self) -> Self {
        Self::started("standby", &[self.dir.path()], &[])
    }

    fn started(verb: &str, more: &[&Path], environment: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let started = Command::new(script("postgres"))
            .envs(environment.iter().copied())
            .arg(verb)
            .arg(dir.path())
            .args(more)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(started.status.success());
        let line = String::from_utf8(started.stdout).unwrap();
        let url = line.trim().split_once('=').unwrap().1.to_owned();
        Self { dir, url }
    }

    /// What the script can do to it: `kill`, `pause`, `resume`, `restart`.
    pub(crate) fn tell(&self, verb: &str) {
        let status = Command::new(script("postgres"))
            .arg(verb)
            .arg(self.dir.path())
            .status();
        assert!(status.unwrap().success(), "{verb}");
    }

    /// A node's store, with all tables.
    pub(crate) async fn store(&self) -> PostgresStore {
        let config = Config::new(&self.url);
        migrations::apply(&config).await.unwrap();
        PostgresStore::open(&config).await.unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new(script("postgres"))
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
