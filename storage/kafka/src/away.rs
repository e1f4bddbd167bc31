//! What the clients say of themselves, in our log: one line when the brokers are away and one when
//! they are back, whatever librdkafka says meanwhile.

use guildhall_ports::standing::Asked;
use guildhall_ports::{Failure, Standing};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::{debug, error, info, warn};

use crate::refusal::Refusal;

/// What is said of brokers that are there, and of no use.
const CLOSED: &str = "Kafka lets this node not in, or is not believed";

/// Whether the brokers can be reached, as all clients of a process see it. Clones are the same.
///
/// What was asked for and failed tells, not the state of connections: brokers also close those
/// that are idle.
#[derive(Clone, Default)]
pub(crate) struct Away(Standing, Refusal);

impl Away {
    /// A broker has done what it was asked for.
    pub(crate) fn is_back(&self) {
        self.1.forget();
        if self.0.worked() {
            info!("Kafka can be reached again");
        }
    }

    /// The same as other parts of the program see it.
    pub(crate) fn standing(&self) -> &Standing {
        &self.0
    }

    /// A failure, with the reason of brokers that do not let us in.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        self.1.explain(failure)
    }

    /// Something is asked from now on.
    pub(crate) fn ask(&self) -> Asked {
        self.0.ask()
    }

    /// What was asked then has failed, perhaps because nobody could be reached. Where another broker has
    /// done something meanwhile, only one of them is away, and others will take its place.
    pub(crate) fn has_failed(&self, asked: Asked, error: &KafkaError) {
        let Some(code) = error.rdkafka_error_code().filter(|code| is_outage(*code)) else {
            return;
        };
        if self.0.failed(asked, &code.to_string()) {
            warn!(%error, "Kafka cannot be reached, requests fail until it can");
        }
    }
}

fn is_outage(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::MessageTimedOut
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::SSL
    )
}

impl ClientContext for Away {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" && self.1.guess(message) {
            return warn!("{CLOSED}: {message}");
        }
        match level {
            // What the library cannot go on with.
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                error!(target: "guildhall_kafka::librdkafka", facility, "{message}");
            }
            // Broken connections, one by one and over and over, are for who looks closely.
            RDKafkaLogLevel::Error if !matches!(facility, "FAIL" | "ERROR") => {
                warn!(target: "guildhall_kafka::librdkafka", facility, "{message}");
            }
            _ => debug!(target: "guildhall_kafka::librdkafka", facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if self.1.hear(&error, reason) {
            warn!(%error, "{CLOSED}: {reason}");
        } else if error.rdkafka_error_code().is_some_and(is_outage) {
            debug!(%error, "{reason}");
        } else {
            warn!(%error, "Kafka's client: {reason}");
        }
    }
}

impl ConsumerContext for Away {}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What is said at `info` and above.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said_by(act: impl FnOnce()) -> Vec<String> {
        let said = Said::default();
        let writer = said.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let said = String::from_utf8(said.0.lock().clone()).unwrap();
        said.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn an_outage_is_one_line_and_its_end_another() {
        let said = said_by(|| {
            let away = Away::default();
            let clone = away.clone();
            for _ in 0..2 {
                away.is_back();
                for client in [&away, &clone, &away] {
                    client.log(RDKafkaLogLevel::Error, "FAIL", "Connect failed");
                    client.log(RDKafkaLogLevel::Info, "GETPID", "Acquired");
                    let down = KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure);
                    client.error(down, "Connection refused");
                    let all_down = KafkaError::Global(RDKafkaErrorCode::AllBrokersDown);
                    client.error(all_down, "1/1 brokers are down");
                    let unheard = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
                    client.has_failed(client.ask(), &unheard);
                }
                clone.is_back();
                away.is_back();
            }
        });
        let levels: Vec<_> = said
            .iter()
            .map(|line| line.split(' ').next().unwrap_or_default())
            .collect();
        assert_eq!(levels, ["WARN", "INFO", "WARN", "INFO"], "{said:?}");
        assert!(said[0].contains("Kafka cannot be reached"), "{said:?}");
    }

    #[test]
    fn an_idle_connection_that_is_closed_is_no_outage() {
        let said = said_by(|| {
            let away = Away::default();
            let all_down = KafkaError::Global(RDKafkaErrorCode::AllBrokersDown);
            away.error(all_down, "1/1 brokers are down");
            away.is_back();
        });
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn one_broker_of_several_that_is_away_is_no_outage() {
        let said = said_by(|| {
            let away = Away::default();
            let asked = away.ask();
            away.is_back();
            let unheard = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
            away.has_failed(asked, &unheard);
        });
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn what_has_another_cause_is_told_as_it_is() {
        let said = said_by(|| {
            let away = Away::default();
            away.log(RDKafkaLogLevel::Critical, "CONF", "cannot go on");
            let denied = KafkaError::Global(RDKafkaErrorCode::TopicAuthorizationFailed);
            away.error(denied.clone(), "not allowed");
            away.has_failed(away.ask(), &denied);
        });
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("ERROR") && said[0].contains("cannot go on"));
        assert!(said[1].starts_with("WARN") && said[1].contains("not allowed"));
    }
}
