//! Nodes whose data is in PostgreSQL, Apache Kafka and Apache Cassandra keep the promises of one whose
//! data is in a directory.

mod brokers;
mod cluster;
mod crash_points;
mod files;
mod limits;
mod networks;
mod nodes;
mod outages;
mod roles;
mod same;
mod several;

use std::process::Output;
use std::sync::{Mutex, MutexGuard, PoisonError};

use guildhall_e2e::binary;
use guildhall_engines::Engines;

/// Nodes on the same engines are one cluster, so each test waits for the ones before it.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Makes what the engines lack.
fn migrate(engines: &Engines) {
    let mut migrate = engines.command(&binary::guildhall());
    let output = migrate.args(["migrate", "apply"]).output();
    let output = output.expect("the program can be run");
    assert!(output.status.success(), "{}", said(&output));
}

/// Every 9 s the node is killed with SIGKILL under load and started again; then the judge reads what
/// every client saw.
#[test]
fn a_killed_node_loses_nothing_and_tells_nothing_twice() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let scratch = tempfile::tempdir().unwrap();
    migrate(&engines);
    let asked = |what: &str| {
        let output = engines
            .command(&binary::guildhall())
            .args(["migrate", what])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let status = asked("status");
    assert!(
        status.contains("CQL: migration 1 of 1") && status.contains("Kafka: all topics are there"),
        "{status}"
    );
    assert!(!status.contains("missing"), "{status}");
    let planned = asked("plan");
    assert!(
        planned.contains("all tables are as this version needs them"),
        "{planned}"
    );
    let server = format!(
        "exec '{}' serve --listen {{listen}} --data '{}'",
        binary::guildhall().display(),
        scratch.path().display()
    );
    let load = [
        "--users",
        "60",
        "--guilds",
        "4",
        "--rate",
        "20",
        "--duration",
        "35s",
    ];
    let faults = [
        "--kill-every",
        "9s",
        "--rounds",
        "3",
        "--server-cmd",
        &server,
    ];
    let output = engines
        .command(&binary::folder().join("guildhall-loadtest"))
        .arg("steady")
        .args(load)
        .args(faults)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_plan_says_what_an_engine_lacks_and_makes_nothing() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    for _ in 0..2 {
        let output = engines
            .command(&binary::guildhall())
            .env("GUILDHALL__CLUSTER__CQL_KEYSPACE", "guildhall_never_made")
            .args(["migrate", "plan"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let text = said(&output);
        assert!(text.contains("CQL 1: messages"), "{text}");
    }
    let output = engines
        .command(&binary::guildhall())
        .env("GUILDHALL__CLUSTER__CQL_KEYSPACE", "guildhall_never_made")
        .args(["migrate", "status"])
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("CQL: migration 0 of 1"), "{text}");
}
