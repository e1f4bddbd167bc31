//! Brokers that are reached by TLS and with a password, and those that are not believed or let nobody in.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_kafka::{
    ClusterConfig, Kafka, KafkaLog, LogConfig, Login, Mechanism, Security, Tls, Topic,
};
use guildhall_model::Epoch;
use guildhall_ports::{Failure, Log};

use crate::engine::{self, Broker};

/// Milliseconds that a broker may take for anything, while it is reached.
const PATIENT_MS: u64 = 30_000;
/// The same where it is not.
const HASTY_MS: u64 = 3_000;
/// Longer than that takes, however busy the machine is.
const LATE: Duration = Duration::from_secs(20);

/// What the broker of these tests takes and shows.
struct Known {
    authority: String,
    stranger: String,
    own: (String, String),
}

impl Known {
    fn read() -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../deploy/engines/certificates"
        );
        let made = Command::new(script).output().unwrap();
        let folder = String::from_utf8(made.stdout).unwrap();
        let read =
            |name: &str| std::fs::read_to_string(format!("{}/{name}", folder.trim())).unwrap();
        Self {
            authority: read("authority.pem"),
            stranger: read("stranger.pem"),
            own: (read("own.pem"), read("own.key")),
        }
    }

    fn tls(&self) -> Tls {
        Tls {
            authorities: Some(self.authority.clone()),
            own: None,
        }
    }
}

fn login(mechanism: Mechanism, password: &str) -> Login {
    Login {
        mechanism,
        user: "guildhall".to_owned(),
        password: password.to_owned(),
    }
}

fn reached(broker: &Broker, way: &str, tls: Option<Tls>, login: Option<Login>) -> ClusterConfig {
    let port = broker.guarded(way);
    ClusterConfig {
        security: Security { tls, login },
        request_timeout_ms: PATIENT_MS,
        ..ClusterConfig::new(format!("127.0.0.1:{port}"))
    }
}

async fn open(kafka: &Arc<Kafka>) -> Result<KafkaLog, Failure> {
    let config = LogConfig {
        partitions: engine::PARTITIONS,
        ..LogConfig::default()
    };
    KafkaLog::open(kafka, Topic::Events, config).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_are_reached_by_who_knows_how_and_others_are_told_what_is_wrong() {
    let Some(broker) = Broker::start_guarded() else {
        return;
    };
    let known = Known::read();
    who_knows_how_reaches_it(&broker, &known).await;
    who_does_not_is_told_so(&broker, &known).await;
}

async fn who_knows_how_reaches_it(broker: &Broker, known: &Known) {
    let shown = Tls {
        own: Some(known.own.clone()),
        ..known.tls()
    };
    let login = |mechanism| Some(login(mechanism, "sesame"));
    for (way, tls, login) in [
        ("SSL", Some(shown), None),
        ("SASL_SSL", Some(known.tls()), login(Mechanism::ScramSha512)),
        ("SASL_SSL", Some(known.tls()), login(Mechanism::ScramSha256)),
        ("SASL_SSL", Some(known.tls()), login(Mechanism::Plain)),
        ("SASL_PLAINTEXT", None, login(Mechanism::ScramSha512)),
    ] {
        let kafka = engine::connect(reached(broker, way, tls, login));
        kafka.prepare(&engine::topics()).await.unwrap();
        let log = open(&kafka).await.unwrap();
        let record = vec![Bytes::from(way)];
        let places = log.append(0, Epoch(1), record.clone()).await.unwrap();
        let slice = log.read(0, places[0], 1).await.unwrap();
        assert_eq!(slice.records[0].payload, record[0]);
    }
}

async fn who_does_not_is_told_so(broker: &Broker, known: &Known) {
    let stranger = Tls {
        authorities: Some(known.stranger.clone()),
        own: None,
    };
    let good = || Some(login(Mechanism::ScramSha512, "sesame"));
    let bad = || Some(login(Mechanism::ScramSha512, "simsim"));
    let (unknown, system) = (Some(stranger), Some(Tls::default()));
    let known = || Some(known.tls());
    for (way, tls, login, why) in [
        ("SASL_SSL", unknown, good(), "certificate verify failed"),
        ("SASL_SSL", system, good(), "certificate verify failed"),
        ("SASL_SSL", known(), bad(), "invalid credentials"),
        ("SASL_PLAINTEXT", None, bad(), "invalid credentials"),
        ("SASL_SSL", None, good(), "if it speaks TLS alone"),
        (
            "SASL_PLAINTEXT",
            known(),
            good(),
            "if it speaks without TLS",
        ),
        // It asks for a certificate.
        ("SSL", known(), None, "SSL routines"),
    ] {
        let kafka = engine::connect(ClusterConfig {
            request_timeout_ms: HASTY_MS,
            ..reached(broker, way, tls, login)
        });
        let began = Instant::now();
        let refused = open(&kafka).await.err().unwrap();
        assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
        assert!(began.elapsed() < LATE, "{:?}", began.elapsed());
        let said = refused.to_string();
        assert!(said.contains(why), "{way}: {said}");
        let is_told = said.contains("simsim") || said.contains("sesame");
        assert!(!is_told, "{said}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_in_words_that_do_not_repeat_it() {
    let own = Some(("none".to_owned(), "simsim".to_owned()));
    let mut config = ClusterConfig::new("broker:9093");
    config.security.tls = Some(Tls {
        authorities: None,
        own,
    });
    let refused = Kafka::connect(config).err().unwrap().to_string();
    assert!(refused.contains("ssl.certificate.pem"), "{refused}");
    assert!(!refused.contains("simsim"), "{refused}");
}
