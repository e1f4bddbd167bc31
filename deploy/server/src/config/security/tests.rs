//! What is said of encryption is said whole, and to somebody.

use super::super::{Config, Mistakes, Sources};

/// A cluster with these settings beside those that it needs.
fn cluster_with(more: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let needed = [
        ("POSTGRES", "postgres://g:hush@db/g"),
        ("KAFKA", "kafka:9092"),
        ("CQL", "scylla:9042"),
    ];
    let all = needed.iter().chain(more);
    let environment = all.map(|(key, value)| {
        let name = format!("GUILDHALL__CLUSTER__{key}");
        (name.into(), (*value).into())
    });
    Config::load(&Sources {
        environment: environment.collect(),
        ..Sources::default()
    })
}

#[test]
fn what_is_said_of_encryption_in_part_or_to_nobody_is_refused() {
    let sasl = ("KAFKA_SECURITY", "SASL_SSL");
    let (user, password) = (("KAFKA_USER", "g"), ("KAFKA_PASSWORD", "hush"));
    for (settings, wrong) in [
        (
            &[("LINK_CERTIFICATE", "a")][..],
            "cluster.link_key: is needed too",
        ),
        (
            &[("LINK_KEY", "a")],
            "cluster.link_authority: is needed too",
        ),
        (&[("CQL_USER", "g")], "cluster.cql_password: is needed too"),
        (
            &[("CQL_TLS", "authority")],
            "cluster.engine_authority: is needed",
        ),
        (
            &[("ENGINE_AUTHORITY", "a")],
            "cluster.engine_authority: is of no use",
        ),
        (&[user, password], "cluster.kafka_user: is of no use"),
        (&[sasl], "cluster.kafka_user: is needed"),
        (&[sasl, user], "cluster.kafka_password: is needed too"),
        (
            &[("KAFKA_CERTIFICATE", "a"), ("KAFKA_KEY", "b")],
            "cluster.kafka_certificate: is of no",
        ),
        (
            &[("KAFKA_SECURITY", "PLAINTEXT")],
            "expected SSL, SASL_PLAINTEXT or SASL_SSL",
        ),
        (&[("KAFKA_PASSWORD", "hu\nsh")], "expected a password"),
    ] {
        let mistakes = cluster_with(settings).unwrap_err().to_string();
        assert!(mistakes.contains(wrong), "{settings:?}: {mistakes}");
        assert!(
            !mistakes.contains("hush") && !mistakes.contains("hu\\n"),
            "{mistakes}"
        );
    }
    for settings in [
        &[sasl, user, password, ("ENGINE_AUTHORITY", "a")][..],
        &[
            ("CQL_TLS", "on"),
            ("CQL_USER", "g"),
            ("CQL_PASSWORD", "hush"),
        ],
        &[("REDIS", "rediss://redis"), ("ENGINE_AUTHORITY", "a")],
        &[
            ("POSTGRES", "postgres://g@db/g?sslmode=verify-full"),
            ("ENGINE_AUTHORITY", "a"),
        ],
        &[
            ("LINK_CERTIFICATE", "a"),
            ("LINK_KEY", "b"),
            ("LINK_AUTHORITY", "c"),
        ],
    ] {
        let config = cluster_with(settings).unwrap();
        assert!(!config.redacted().contains("hush"));
        assert!(!format!("{config:?}").contains("hush"));
    }
}
