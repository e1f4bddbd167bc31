//! Engines that a test has for itself, and may break.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use guildhall_e2e::binary;
use tempfile::TempDir;

use crate::Engines;

/// The engines of [`OwnEngines`]: positions in Kafka's logs are in PostgreSQL's rows, so neither goes without
/// the other.
const TOGETHER: [&str; 2] = ["postgres", "kafka"];

/// A running engine; it is stopped when this is dropped.
#[derive(Debug)]
pub struct OwnEngine {
    name: &'static str,
    dir: PathBuf,
    variable: String,
    address: String,
}

/// PostgreSQL and Kafka of one test beside the other engines of the environment. Nodes are told to reach
/// them, and each other, by TLS.
#[derive(Debug)]
pub struct OwnEngines {
    engines: Engines,
    running: Vec<OwnEngine>,
    _folder: TempDir,
}

impl OwnEngine {
    /// Starts one with its data in a directory, by `deploy/engines/NAME`.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start(name: &'static str, dir: &Path) -> Self {
        Self::start_with(name, dir, &[])
    }

    /// The same with settings of the script.
    fn start_with(name: &'static str, dir: &Path, settings: &[(&str, &str)]) -> Self {
        let mut engine = Self {
            name,
            dir: dir.to_owned(),
            variable: String::new(),
            address: String::new(),
        };
        let mut start = engine.command("start");
        let printed = engine.done(start.envs(settings.iter().copied()), "start");
        let (variable, address) = printed
            .trim()
            .split_once('=')
            .expect("it tells its address");
        variable.clone_into(&mut engine.variable);
        address.clone_into(&mut engine.address);
        engine
    }

    /// The variable of the environment that names such an engine.
    pub(crate) fn variable(&self) -> &str {
        &self.variable
    }

    /// What nodes reach it by.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Kills, pauses, resumes or restarts it; what the script prints.
    ///
    /// # Panics
    ///
    /// Where that fails.
    pub fn does(&self, verb: &str) -> String {
        self.done(&mut self.command(verb), verb)
    }

    fn done(&self, command: &mut Command, verb: &str) -> String {
        let output = command.output().expect("the script can be run");
        assert!(output.status.success(), "{} {verb}", self.name);
        String::from_utf8(output.stdout).expect("addresses are text")
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(self.script());
        command.arg(verb).arg(&self.dir).stderr(Stdio::inherit());
        // Reached by TLS, too.
        command.env("GUILDHALL_GUARDED", "yes");
        command
    }

    fn script(&self) -> PathBuf {
        binary::repository().join("deploy/engines").join(self.name)
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        // A paused process would not hear that it is to end. One that is gone is no trouble.
        for verb in ["resume", "stop"] {
            let _ = self.command(verb).stderr(Stdio::null()).output();
        }
    }
}

impl OwnEngines {
    /// Starts them. `None`, with a loud word, where the environment lacks an engine.
    ///
    /// # Panics
    ///
    /// Where one does not start.
    pub fn start() -> Option<Self> {
        Self::start_with_brokers(1)
    }

    /// The same with so many brokers of Kafka; with more than one nothing is encrypted.
    ///
    /// # Panics
    ///
    /// Where one does not start.
    pub fn start_with_brokers(brokers: u16) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // What is projected goes with the logs, too.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let keyspace = format!("guildhall_own_{}_{count}", std::process::id());
        let mut engines = Engines::of_environment()?.with_keyspace(keyspace);
        let folder = tempfile::tempdir().expect("a folder can be made");
        // PostgreSQL runs as another user.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .expect("the folder is ours");
        let mut running = Vec::new();
        let several = brokers.to_string();
        for name in TOGETHER {
            let settings = [("GUILDHALL_KAFKA_BROKERS", several.as_str())];
            let engine = OwnEngine::start_with(name, &folder.path().join(name), &settings);
            engines = engines.with(&engine);
            running.push(engine);
        }
        // Several brokers have no other way in than the plain one.
        if brokers == 1 {
            engines = engines.by_tls(folder.path());
        }
        Some(Self {
            engines,
            running,
            _folder: folder,
        })
    }

    /// What a node must be told.
    pub const fn engines(&self) -> &Engines {
        &self.engines
    }

    /// Has `postgres` or `kafka` pause or go on.
    ///
    /// # Panics
    ///
    /// Where that fails.
    pub fn pause(&self, name: &str, pauses: bool) {
        self.engine(name)
            .does(if pauses { "pause" } else { "resume" });
    }

    /// What lets a shell do something to one broker of Kafka: a function `broker VERB NUMBER`.
    pub fn shell(&self) -> String {
        let kafka = self.engine("kafka");
        let (script, dir) = (kafka.script(), &kafka.dir);
        let (script, dir) = (script.display(), dir.display());
        format!("broker() {{ '{script}' \"$1\" '{dir}' \"$2\" >/dev/null; }}")
    }

    fn engine(&self, name: &str) -> &OwnEngine {
        let engine = self.running.iter().find(|engine| engine.name == name);
        engine.expect("it is one of them")
    }
}
