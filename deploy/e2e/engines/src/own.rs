//! An engine that a test has for itself, and may break.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guildhall_e2e::binary;

/// A running engine; it is stopped when this is dropped.
#[derive(Debug)]
pub struct OwnEngine {
    script: PathBuf,
    dir: PathBuf,
    address: String,
}

impl OwnEngine {
    /// Starts one with its data in a directory, by `deploy/engines/NAME`.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start(name: &str, dir: &Path) -> Self {
        let script = binary::repository().join("deploy/engines").join(name);
        let started = Command::new(&script)
            .arg("start")
            .arg(dir)
            .stderr(Stdio::inherit())
            .output()
            .expect("the script can be run");
        assert!(started.status.success(), "{name} does not start");
        let printed = String::from_utf8(started.stdout).expect("an address is text");
        let address = printed.trim().split_once('=').expect("NAME=ADDRESS").1;
        Self {
            script,
            dir: dir.to_owned(),
            address: address.to_owned(),
        }
    }

    /// What nodes reach it by.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills, pauses, resumes or restarts it.
    ///
    /// # Panics
    ///
    /// Where that fails.
    pub fn does(&self, verb: &str) {
        let done = self.command(verb).status().expect("the script can be run");
        assert!(done.success(), "{verb} failed");
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.script);
        command.arg(verb).arg(&self.dir).stdout(Stdio::null());
        command
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.command("stop").stderr(Stdio::null()).status();
    }
}
