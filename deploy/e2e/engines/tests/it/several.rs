//! Three nodes behind a load balancer keep the promises of one, whatever becomes of each of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use guildhall_e2e::binary;
use guildhall_engines::Engines;

use crate::{alone, said};

/// A cluster that ends with the test.
struct Cluster {
    engines: Engines,
    dir: tempfile::TempDir,
    url: String,
}

impl Cluster {
    fn up(engines: Engines, nodes: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut cluster = Self {
            engines,
            dir,
            url: String::new(),
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
            .env("GUILDHALL_CLUSTER_DIR", self.dir.path())
            .env("GUILDHALL_CLUSTER_PROGRAM", binary::guildhall());
        command
    }

    /// Makes a load while a shell command strikes every few seconds. `cluster` in it is the script.
    fn strikes(&self, rounds: u32, fault: &str) {
        let fault = format!("cluster() {{ '{}' \"$@\"; }}; {fault}", script().display());
        let load = ["--users", "45", "--guilds", "6", "--rate", "15"];
        let output = self
            .command(&binary::folder().join("guildhall-loadtest"))
            .args(["steady", "--url", &self.url])
            .args(load)
            .args(["--kill-every", "5s", "--rounds", &rounds.to_string()])
            .args(["--fault-cmd", &fault])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}{}", said(&output), self.logs());
    }

    /// The ends of what the nodes have logged.
    fn logs(&self) -> String {
        let logs = (1..=3).map(|number| {
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

#[test]
fn a_node_may_be_killed_stand_still_or_leave_and_nothing_is_lost_or_told_twice() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let cluster = Cluster::up(engines, 3);
    cluster.strikes(
        4,
        "node=$((ROUND % 3 + 1))
         case $ROUND in
             1) cluster pause $node; sleep 8; cluster resume $node ;;
             2) cluster drain $node; cluster start $node ;;
             *) cluster kill $node; sleep 3; cluster start $node ;;
         esac",
    );
}
