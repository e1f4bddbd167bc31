//! The `guildhall` command as a process: what it prints where, and what it exits with.

use std::process::{Command, Output};

fn guildhall(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
    command.args(args).env_clear();
    command.envs(environment.iter().copied());
    command
        .output()
        .expect("the binary is built with its tests")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are text")
}

#[test]
fn a_bad_configuration_exits_with_64_and_names_every_mistake() {
    let environment = [
        ("GUILDHALL__GATEWAY__HEARTBEAT_INTERVAL", "soon"),
        ("GUILDHALL__LOG__FORMAT", "xml"),
    ];
    for command in [&["config", "check"][..], &["config", "print"], &["serve"]] {
        let output = guildhall(command, &environment);
        assert_eq!(output.status.code(), Some(64), "{command:?}");
        assert!(output.stdout.is_empty());
        let said = stderr(&output);
        assert!(
            said.contains("gateway.heartbeat_interval: expected a duration"),
            "{said}"
        );
        assert!(said.contains("log.format: expected json or text"), "{said}");
    }
}

#[test]
fn a_bad_flag_exits_with_64_and_help_with_0() {
    assert_eq!(
        guildhall(&["serve", "--lisen", "x"], &[]).status.code(),
        Some(64)
    );
    let output = guildhall(&["serve", "--listen", "nowhere"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("--listen: server.listen: expected"));
    assert_eq!(guildhall(&["--help"], &[]).status.code(), Some(0));
}

#[test]
fn a_good_configuration_is_printed_without_its_secrets() {
    let environment = [(
        "GUILDHALL__OPERATOR__METRICS_TOKEN",
        "do-not-show-this-token",
    )];
    let output = guildhall(&["config", "print", "--data", "elsewhere"], &environment);
    assert_eq!(output.status.code(), Some(0));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("data = \"elsewhere\""), "{printed}");
    assert!(printed.contains("metrics_token = \"***\""), "{printed}");
    let checked = guildhall(&["config", "check"], &environment);
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn the_example_is_a_file_that_passes_the_check() {
    let output = guildhall(&["config", "example"], &[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("guildhall.toml");
    std::fs::write(&file, &output.stdout).unwrap();
    let checked = guildhall(
        &["config", "check", "--config", file.to_str().unwrap()],
        &[],
    );
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
}

#[test]
fn a_node_that_is_alone_must_do_everything() {
    // What the flag says counts, and not the environment.
    let environment = [("GUILDHALL__CLUSTER__ROLES", "worker")];
    let output = guildhall(&["serve", "--roles", "gateway, api"], &environment);
    assert_eq!(output.status.code(), Some(64));
    let said = stderr(&output);
    assert!(
        said.contains("cluster.roles: expected api,gateway,worker, found api,gateway: a node that"),
        "{said}"
    );
    let output = guildhall(&["config", "check"], &environment);
    assert_eq!(output.status.code(), Some(64));
    assert!(stderr(&output).contains("found worker"));
}

#[test]
fn a_role_that_there_is_not_is_refused() {
    for roles in ["voice", "", "api,", "all"] {
        let output = guildhall(&["serve", "--roles", roles], &[]);
        assert_eq!(output.status.code(), Some(64), "{roles:?}");
        let said = stderr(&output);
        let expected = format!(
            "--roles: cluster.roles: expected api, gateway, worker, or several of them, separated \
             by commas, found {roles:?}"
        );
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_node_that_leaves_something_to_others_must_say_where_clients_find_them() {
    let engines = [
        ("GUILDHALL__CLUSTER__POSTGRES", "postgres://a:b@c/d"),
        ("GUILDHALL__CLUSTER__KAFKA", "a:1"),
        ("GUILDHALL__CLUSTER__CQL", "a:1"),
    ];
    let needed = "server.public_url: is needed where a node has only the roles";
    for (roles, public_url, is_missed) in [
        ("worker", None, true),
        ("api", Some("https://chat.example"), false),
        ("worker,gateway,api", None, false),
    ] {
        let mut environment = Vec::from(engines);
        environment.push(("GUILDHALL__CLUSTER__ROLES", roles));
        environment.extend(public_url.map(|url| ("GUILDHALL__SERVER__PUBLIC_URL", url)));
        let said = stderr(&guildhall(&["config", "check"], &environment));
        assert_eq!(said.contains(needed), is_missed, "{roles}: {said}");
        assert!(!said.contains("cluster.roles"), "{roles}: {said}");
    }
}

#[cfg(feature = "cluster")]
#[test]
fn certificates_that_cannot_be_used_stop_the_start_with_64() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let (empty, missing) = (empty.to_str().unwrap(), "no/such/file.pem");
    let environment = [
        ("GUILDHALL__CLUSTER__POSTGRES", "postgres://g@db/g"),
        ("GUILDHALL__CLUSTER__KAFKA", "kafka:9092"),
        ("GUILDHALL__CLUSTER__CQL", "scylla:9042"),
        ("GUILDHALL__CLUSTER__LINK_CERTIFICATE", missing),
        ("GUILDHALL__CLUSTER__LINK_KEY", empty),
        ("GUILDHALL__CLUSTER__LINK_AUTHORITY", empty),
    ];
    for command in [&["config", "check"][..], &["serve"], &["migrate", "status"]] {
        let output = guildhall(command, &environment);
        assert_eq!(output.status.code(), Some(64), "{command:?}");
        let said = stderr(&output);
        for what in [
            "cluster.link_certificate: no/such/file.pem cannot be read",
            "cluster.link_key: ",
            "cluster.link_authority: ",
            "3 mistake(s)",
        ] {
            assert!(said.contains(what), "{said}");
        }
    }
}
