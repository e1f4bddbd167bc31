//! A cluster of `deploy/cluster` as a test has it: engines, nodes, and a load balancer before them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use guildhall_e2e::binary;
use guildhall_engines::Engines;

use crate::said;

/// A cluster that ends with the test.
pub(crate) struct Cluster {
    engines: Engines,
    dir: tempfile::TempDir,
    url: String,
    nodes: u32,
    settings: Settings,
}

/// What the script is told beside the engines.
pub(crate) type Settings = &'static [(&'static str, &'static str)];

impl Cluster {
    /// Starts nodes of which each does everything.
    pub(crate) fn up(engines: Engines, nodes: u32) -> Self {
        Self::up_with(engines, nodes, &[])
    }

    /// The same with settings of the script.
    pub(crate) fn up_with(engines: Engines, nodes: u32, settings: Settings) -> Self {
        Self::up_in(tempfile::tempdir().unwrap(), engines, nodes, settings)
    }

    /// The same with all that it keeps in this directory.
    pub(crate) fn up_in(
        dir: tempfile::TempDir,
        engines: Engines,
        nodes: u32,
        settings: Settings,
    ) -> Self {
        let mut cluster = Self {
            engines,
            dir,
            url: String::new(),
            nodes,
            settings,
        };
        let output = cluster
            .command(&script())
            .args(["up", &nodes.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", cluster.logs());
        let url = String::from_utf8(output.stdout).unwrap();
        cluster.url.push_str(url.trim());
        cluster
    }

    fn command(&self, program: &PathBuf) -> Command {
        let mut command = self.engines.command(program);
        command
            .env_remove("GUILDHALL__OPERATOR__LISTEN")
            .env("GUILDHALL__DELIVERY__EVENT_PARTITIONS", "8")
            .env("GUILDHALL__DELIVERY__SESSION_PARTITIONS", "8")
            .env(
                "GUILDHALL__LOG__FILTER",
                "warn,scylla=error,guildhall_host=info",
            )
            // Thousands of people register, and nothing here is worth protecting.
            .env("GUILDHALL__AUTH__ARGON2_MEMORY_KIB", "64")
            .env("GUILDHALL__AUTH__ARGON2_ITERATIONS", "1")
            .envs(self.settings.iter().copied())
            .env("GUILDHALL_CLUSTER_DIR", self.dir.path())
            .env("GUILDHALL_CLUSTER_PROGRAM", binary::guildhall());
        command
    }

    /// Makes a load while a shell command strikes every few seconds. `cluster` in it is the script. What
    /// the judge says of it.
    pub(crate) fn strikes(&self, rounds: u32, fault: &str, load: [&str; 8]) -> String {
        let fault = format!("cluster() {{ '{}' \"$@\"; }}; {fault}", script().display());
        let output = self
            .command(&binary::folder().join("guildhall-loadtest"))
            .args(["steady", "--url", &self.url])
            .args(load)
            .args(["--kill-every", "5s", "--rounds", &rounds.to_string()])
            .args(["--fault-cmd", &fault])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}{}", said(&output), self.logs());
        said(&output)
    }

    /// The ends of what the nodes have logged.
    pub(crate) fn logs(&self) -> String {
        let logs = (1..=self.nodes).map(|number| {
            let log = self.dir.path().join(format!("node-{number}/log"));
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = lines.len().saturating_sub(200);
            format!("node {number}:\n{}\n", lines[last..].join("\n"))
        });
        logs.collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let down = self.command(&script()).arg("down").status();
        assert!(down.unwrap().success() || std::thread::panicking());
    }
}

fn script() -> PathBuf {
    binary::repository().join("deploy/cluster")
}
