//! A node's engines for tests, as the environment names them.

mod own;
mod secured;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

pub use own::{OwnEngine, OwnEngines};

/// What `deploy/engines/ENGINE start DIR` prints, for each of the engines, with the setting that it is
/// for.
const ENGINES: [(&str, &str); 5] = [
    ("GUILDHALL_TEST_POSTGRES", "GUILDHALL__CLUSTER__POSTGRES"),
    ("GUILDHALL_TEST_KAFKA", "GUILDHALL__CLUSTER__KAFKA"),
    ("GUILDHALL_TEST_CQL", "GUILDHALL__CLUSTER__CQL"),
    ("GUILDHALL_TEST_S3", "GUILDHALL__CLUSTER__S3"),
    ("GUILDHALL_TEST_REDIS", "GUILDHALL__CLUSTER__REDIS"),
];
/// Whether tests without engines fail.
const WANTED: &str = "GUILDHALL_TEST_ENGINES";

/// Where the tables are, and those of these tests.
const KEYSPACE: (&str, &str) = ("GUILDHALL__CLUSTER__CQL_KEYSPACE", "guildhall_e2e");

/// The engines that all tests share.
#[derive(Clone, Debug)]
pub struct Engines {
    settings: Vec<(&'static str, String)>,
}

impl Engines {
    /// The engines that the environment names. `None`, with a loud word, where one is missing.
    ///
    /// # Panics
    ///
    /// Where one is missing and the environment says that they are required.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test run has no other configuration"
    )]
    pub fn of_environment() -> Option<Self> {
        let found = ENGINES.map(|(name, setting)| (std::env::var(name), name, setting));
        let mut settings = Vec::new();
        for (address, name, setting) in found {
            if let Ok(address) = address {
                settings.push((setting, address));
                continue;
            }
            let how = format!("{name} names no engine (deploy/engines/ENGINE start DIR)");
            let is_wanted = std::env::var(WANTED).is_ok_and(|wanted| wanted == "required");
            assert!(!is_wanted, "{how}");
            // Past the harness, which would keep it to itself.
            let _ = writeln!(
                std::io::stderr().lock(),
                "NOT RUN: guildhall-engines, {how}"
            );
            return None;
        }
        settings.push((KEYSPACE.0, KEYSPACE.1.to_owned()));
        Some(Self { settings })
    }

    /// No engines at all: whoever starts nodes starts engines for them.
    pub fn of_its_own() -> Self {
        Self {
            settings: vec![(KEYSPACE.0, KEYSPACE.1.to_owned())],
        }
    }

    /// The same with another engine.
    ///
    /// # Panics
    ///
    /// Where nodes know no such engine.
    pub fn with(mut self, engine: &OwnEngine) -> Self {
        let found = ENGINES.iter().find(|(name, _)| *name == engine.variable());
        let (_, setting) = found.expect("it is one of the engines");
        self.set(setting, engine.address().to_owned());
        self
    }

    /// The same with tables of this name.
    pub(crate) fn with_keyspace(mut self, name: String) -> Self {
        self.set(KEYSPACE.0, name);
        self
    }

    /// What a node must be told of these engines.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter();
        settings
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    fn set(&mut self, setting: &'static str, value: String) {
        self.settings.retain(|(name, _)| *name != setting);
        self.settings.push((setting, value));
    }

    /// A command with the settings of a node on these engines.
    pub fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        command
            .envs(self.settings())
            .env("GUILDHALL__OPERATOR__LISTEN", "off")
            .env("GUILDHALL__LIMITS__RATE_LIMITS", "off")
            .env("GUILDHALL__LOG__FILTER", "warn,scylla=error");
        command
    }
}
