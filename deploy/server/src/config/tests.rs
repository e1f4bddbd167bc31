//! What a configuration promises to those who write one.

use std::time::Duration;

use super::tree::TREE;
use super::*;

fn from_file(text: &str) -> Result<Config, Mistakes> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("guildhall.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(&Sources {
        file: Some(path),
        ..Sources::default()
    })
}

fn from_environment(vars: &[(&str, &str)]) -> Result<Config, Mistakes> {
    Config::load(&environment(vars))
}

fn environment(vars: &[(&str, &str)]) -> Sources {
    Sources {
        environment: vars.iter().map(|(k, v)| (k.into(), v.into())).collect(),
        ..Sources::default()
    }
}

fn lines(mistakes: &Mistakes) -> Vec<String> {
    let mut lines: Vec<_> = mistakes.0.iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}

#[test]
fn the_defaults_are_valid_and_within_their_own_bounds() {
    // Given explicitly, a default has to pass the bounds, too.
    let vars: Vec<_> = TREE
        .iter()
        .flat_map(|part| part.settings.iter().map(move |entry| (part, entry)))
        .map(|(part, entry)| {
            let name = format!("GUILDHALL__{}__{}", part.name, entry.key).to_uppercase();
            (name.into(), entry.rule.default.into())
        })
        .collect();
    assert!(vars.len() > 20);
    let config = Config::load(&Sources {
        environment: vars,
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(config.redacted(), Config::default().redacted());
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(
        config.gateway.heartbeat_interval,
        Duration::from_millis(41_250)
    );
    assert!(config.server.public_url.is_none());
}

#[test]
fn the_example_with_all_its_lines_taken_in_is_valid() {
    let mut part = String::new();
    let mut text = String::new();
    for line in example().lines().filter(|line| !line.starts_with("# ")) {
        if line.starts_with('[') {
            line.clone_into(&mut part);
        }
        // Without its drivers a binary takes no cluster.
        if part != "[cluster]" || cfg!(feature = "cluster") {
            text.push_str(line.trim_start_matches('#'));
            text.push('\n');
        }
    }
    let config = from_file(&text).unwrap();
    let url = config.server.public_url.unwrap();
    assert_eq!(url.websocket_origin(), "wss://chat.example.org");
    assert_eq!(
        from_file(&example()).unwrap().redacted(),
        Config::default().redacted()
    );
}

#[test]
fn the_command_line_overrides_the_environment_and_that_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("guildhall.toml");
    std::fs::write(
        &file,
        "[server]\nlisten = '[::1]:1'\ndata = 'from-file'\n[log]\nformat = 'json'\n",
    )
    .unwrap();
    let mut sources = environment(&[
        ("GUILDHALL__SERVER__LISTEN", "[::1]:2"),
        ("GUILDHALL__SERVER__DATA", "from-environment"),
        ("GUILDHALL_OTHER", "ignored"),
    ]);
    sources.file = Some(file);
    sources.command_line.push(CommandLineSetting {
        flag: "--listen",
        part: "server",
        key: "listen",
        value: "[::1]:3".to_owned(),
    });
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.data.to_str(), Some("from-environment"));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn all_mistakes_are_reported_at_once_with_place_and_expectation() {
    let text = "\
sever = 1
[server]
listen = 'localhost'
port = 80
[delivery]
durability = 'sometimes'
event_partitions = 0
session_partitions = '8'
resume_window = 3
[bounds]
members = 5
";
    let mistakes = from_file(text).unwrap_err();
    let lines = lines(&mistakes);
    let expected = [
        (1, "sever: unknown part, there are server, operator"),
        (
            3,
            "server.listen: expected an IP address with a port such as",
        ),
        (4, "server.port: unknown setting, [server] has listen, data"),
        (
            6,
            "delivery.durability: expected fsync or os, found \"sometimes\"",
        ),
        (7, "delivery.event_partitions: expected 1 to 1024, found 0"),
        (
            8,
            "delivery.session_partitions: expected a whole number without quotes",
        ),
        (9, "delivery.resume_window: expected a duration such as"),
        (11, "bounds.members: unknown part"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, what) in expected {
        let place = format!("guildhall.toml:{line}: {what}");
        assert!(
            lines.iter().any(|said| said.contains(&place)),
            "{place} in {lines:#?}"
        );
    }
}

#[test]
fn a_file_that_is_no_toml_is_reported_with_its_line_and_the_other_mistakes() {
    let mistakes = from_file("[server]\nlisten = \n[log]\nformat = 'xml'\n").unwrap_err();
    let lines = lines(&mistakes);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("toml:2: is not TOML")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("toml:4: log.format")),
        "{lines:?}"
    );
}

#[test]
fn a_missing_file_is_a_mistake() {
    let sources = Sources {
        file: Some("no/such/file.toml".into()),
        ..Sources::default()
    };
    let mistakes = Config::load(&sources).unwrap_err();
    assert!(
        mistakes
            .to_string()
            .contains("no/such/file.toml: cannot be read")
    );
}

#[test]
fn unknown_variables_with_our_prefix_are_mistakes() {
    let mistakes = from_environment(&[
        ("GUILDHALL__SERVER__LISTENN", "x"),
        ("GUILDHALL__SERVER", "x"),
        ("GUILDHALL__", "x"),
    ])
    .unwrap_err();
    assert_eq!(mistakes.0.len(), 3, "{mistakes}");
}

#[test]
fn a_mistake_that_a_later_source_overrides_is_still_reported() {
    let mut sources = environment(&[("GUILDHALL__SERVER__LISTEN", "nowhere")]);
    sources.command_line.push(CommandLineSetting {
        flag: "--listen",
        part: "server",
        key: "listen",
        value: "127.0.0.1:0".to_owned(),
    });
    assert_eq!(Config::load(&sources).unwrap_err().0.len(), 1);
}

#[test]
fn what_is_replayed_must_be_kept() {
    let mistakes = from_environment(&[
        ("GUILDHALL__DELIVERY__RESUME_WINDOW", "16m"),
        ("GUILDHALL__DELIVERY__EVENTS_RETENTION", "10m"),
    ])
    .unwrap_err();
    assert_eq!(
        lines(&mistakes),
        [
            "delivery.frames_retention: expected at most delivery.events_retention (10m), found 15m",
            "delivery.resume_window: expected at most delivery.frames_retention (15m), found 16m",
        ]
    );
}

#[test]
fn a_secret_is_never_shown() {
    let secret = "correct-horse-battery-staple";
    let config = from_environment(&[("GUILDHALL__OPERATOR__METRICS_TOKEN", secret)]).unwrap();
    assert!(config.operator.metrics_token.as_ref().unwrap().is(secret));
    assert!(!config.operator.metrics_token.as_ref().unwrap().is("else"));
    assert!(config.redacted().contains("metrics_token = \"***\""));
    assert!(!config.redacted().contains(secret));
    assert!(!format!("{config:?}").contains(secret));

    let short = from_environment(&[("GUILDHALL__OPERATOR__METRICS_TOKEN", "hunter2")]);
    assert!(!short.unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn what_is_printed_reads_back_as_the_same() {
    let config = from_environment(&[
        ("GUILDHALL__SERVER__DATA", "a \"quoted\"\\ path\n"),
        ("GUILDHALL__OPERATOR__LISTEN", "off"),
        ("GUILDHALL__LOG__FILTER", "warn,guildhall_edge=debug"),
        ("GUILDHALL__SERVER__PUBLIC_URL", "http://chat.test:81/"),
    ])
    .unwrap();
    assert_eq!(
        config.server.public_url.as_ref().unwrap().as_str(),
        "http://chat.test:81"
    );
    let again = from_file(&config.redacted()).unwrap();
    assert_eq!(again.redacted(), config.redacted());
}

#[test]
fn origins_have_no_path_and_filters_no_unknown_levels() {
    for url in [
        "chat.test",
        "ftp://chat.test",
        "http://",
        "https://a.b/path",
        "https://u@a.b",
    ] {
        assert!(
            from_environment(&[("GUILDHALL__SERVER__PUBLIC_URL", url)]).is_err(),
            "{url}"
        );
    }
    for filter in ["verbose", "info,guildhall=loud", ""] {
        assert!(
            from_environment(&[("GUILDHALL__LOG__FILTER", filter)]).is_err(),
            "{filter}"
        );
    }
}

#[test]
fn the_reference_page_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == markdown(),
        "deploy/docs/configuration.md is stale, run `cargo x docs`"
    );
}

#[test]
fn a_cluster_needs_all_of_its_engines_and_their_drivers() {
    let postgres = (
        "GUILDHALL__CLUSTER__POSTGRES",
        "postgres://g:hush-hush@db/g",
    );
    let wrong = lines(&from_environment(&[postgres]).unwrap_err());
    let needed = "is needed too where one of the cluster's engines is set";
    assert!(
        wrong.contains(&format!("cluster.cql: {needed}")),
        "{wrong:?}"
    );
    assert!(
        wrong.contains(&format!("cluster.kafka: {needed}")),
        "{wrong:?}"
    );
    let s3 = ("GUILDHALL__CLUSTER__S3", "https://key:hush-hush@s3/files");
    let redis = ("GUILDHALL__CLUSTER__REDIS", "redis://:hush-hush@redis:7/1");
    for beside in [s3, redis] {
        let alone = lines(&from_environment(&[beside]).unwrap_err());
        for engine in ["cql", "kafka", "postgres"] {
            let wrong = format!("cluster.{engine}: {needed}");
            assert!(alone.contains(&wrong), "{alone:?}");
        }
        assert!(!alone.join(" ").contains("hush"), "{alone:?}");
    }
    let all = [
        postgres,
        ("GUILDHALL__CLUSTER__KAFKA", "a:1, b:2"),
        ("GUILDHALL__CLUSTER__CQL", "[::1]:9042"),
        s3,
        redis,
    ];
    let has_drivers = cfg!(feature = "cluster");
    let loaded = from_environment(&all);
    assert_eq!(loaded.is_ok(), has_drivers);
    match loaded {
        Ok(config) => {
            assert!(config.cluster.is_set());
            assert_eq!(config.cluster.kafka.as_ref().unwrap().joined(), "a:1,b:2");
            let s3 = config.cluster.s3.as_ref().unwrap();
            assert_eq!(s3.reveal(), "https://key:hush-hush@s3/files");
            let redis = config.cluster.redis.as_ref().unwrap();
            assert_eq!(redis.reveal(), "redis://:hush-hush@redis:7/1");
            assert!(config.redacted().contains("s3 = \"***\""));
            assert!(config.redacted().contains("redis = \"***\""));
            assert!(!config.redacted().contains("hush"));
            assert!(!format!("{:?}", config.cluster).contains("hush"));
        }
        Err(mistakes) => {
            let why = lines(&mistakes);
            assert!(why[0].contains("--features cluster"), "{why:?}");
        }
    }
}

#[test]
fn what_is_no_engine_is_refused() {
    for (key, wrong) in [
        ("POSTGRES", "mysql://g:hush@db/g"),
        ("POSTGRES", "postgres://"),
        ("KAFKA", "a"),
        ("KAFKA", "a:1,,b:2"),
        ("KAFKA", "a:0"),
        ("CQL", "a:99999"),
        ("CQL", ":9042"),
        ("S3", "s3://key:hush@s3/files"),
        ("S3", "https://s3/files"),
        ("S3", "https://key@s3/files"),
        ("S3", "https://:hush@s3/files"),
        ("S3", "https://key:@s3/files"),
        ("S3", "https://key:hush@/files"),
        ("S3", "https://key:hush@s3"),
        ("S3", "https://key:hush@s3/?region=eu-1"),
        ("REDIS", "redisss://:hush@redis"),
        ("REDIS", "rediss://:hush@redis#insecure"),
        ("REDIS", "redis:6379"),
        ("REDIS", "redis://:hush@"),
        ("REDIS", "redis://:hush@redis:port"),
        ("REDIS", "redis://:hush@redis/base"),
        ("REDIS", "redis://:hush@redis?protocol=resp3"),
        ("CQL_KEYSPACE", "1st"),
        ("CQL_KEYSPACE", "a-b"),
        ("NODE", "1024"),
    ] {
        let name = format!("GUILDHALL__CLUSTER__{key}");
        let mistakes = from_environment(&[(&name, wrong)]).unwrap_err();
        let path = format!("cluster.{}", key.to_lowercase());
        assert_eq!(mistakes.0.len(), 1, "{key}={wrong}: {mistakes}");
        assert_eq!(mistakes.0[0].path, path);
        assert!(!mistakes.to_string().contains("hush"), "{mistakes}");
    }
}
