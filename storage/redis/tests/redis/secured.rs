//! The engine is reached by TLS, and believed only where it is the one that it should be.

use guildhall_redis::{Config, RedisQuotas};

use crate::engine::Keys;
use crate::outages::{comes_back, is_away};
use crate::victim::{Engine, authorities};

/// A node that reaches the engine by this address, believing these authorities or the system's.
async fn node(url: &str, believed: Option<&str>) -> RedisQuotas {
    let keys = Keys::of(url);
    let config = keys.patient();
    keys.open(match believed {
        Some(name) => config.with_authorities(authorities(name)),
        None => config,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_whose_authority_is_believed_is_reached_by_tls_by_who_has_its_password() {
    let engine = Engine::start();
    let port = engine.tls_port();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("rediss://guildhall:sesame@{host}:{port}");
        let node = node(&url, Some("authority.pem")).await;
        assert_eq!(comes_back(&node).await.used, 1);
        engine.tell("restart");
        comes_back(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_an_engine_for_another_counts_alone_and_says_why() {
    let engine = Engine::start();
    let (plain, tls) = (engine.host().to_owned(), engine.tls_port());
    let known = Some("authority.pem");
    for (address, believed, why) in [
        (
            "rediss://guildhall:sesame@127.0.0.1:TLS",
            Some("stranger.pem"),
            "UnknownIssuer",
        ),
        (
            "rediss://guildhall:sesame@127.0.0.1:TLS",
            None,
            "UnknownIssuer",
        ),
        // It has no such name.
        (
            "rediss://guildhall:sesame@127.0.0.2:TLS",
            known,
            "not valid for name",
        ),
        (
            "rediss://guildhall:simsim@127.0.0.1:TLS",
            known,
            "Password authentication failed",
        ),
        (
            "redis://guildhall:sesame@127.0.0.1:TLS",
            known,
            "if it speaks TLS alone",
        ),
        (
            "rediss://guildhall:sesame@PLAIN",
            known,
            "if it speaks without TLS",
        ),
    ] {
        let url = address.replace("TLS", &tls).replace("PLAIN", &plain);
        let node = node(&url, believed).await;
        is_away(&node).await;
        let said = node.standing().away().expect("it is away").to_string();
        assert!(said.contains(why), "{address}: {said}");
        assert!(!said.contains("s@") && !said.contains("sesame"), "{said}");
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let config = Config::parse("rediss://engine").unwrap();
    for pem in [
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let config = config.clone().with_authorities(pem.into());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let refused = runtime.block_on(RedisQuotas::open(&config, "none:"));
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("certificates"), "{said}");
    }
}
