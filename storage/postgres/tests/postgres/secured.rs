//! The engine is reached by TLS, and believed only where it is the one that it should be.

use guildhall_ports::Failure;
use guildhall_postgres::{Config, PostgresStore, migrations};

use crate::victim::{Engine, authorities};

#[tokio::test]
async fn an_engine_is_reached_by_tls_where_its_authority_is_believed() {
    let engine = Engine::guarded();
    let at = |mode: &str, believed: Option<&str>| Config {
        authorities: believed.map(authorities),
        ..Config::new(format!("{}?sslmode={mode}", engine.url))
    };
    let known = at("verify-full", Some("authority.pem"));
    migrations::apply(&known).await.unwrap();
    PostgresStore::open(&known).await.unwrap();
    for (config, why) in [
        (at("verify-full", Some("stranger.pem")), "UnknownIssuer"),
        (at("verify-full", None), "UnknownIssuer"),
        (at("disable", Some("authority.pem")), "no encryption"),
    ] {
        let refused = PostgresStore::open(&config).await.err().unwrap();
        assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
        assert!(refused.to_string().contains(why), "{refused}");
    }
}
