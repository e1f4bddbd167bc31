//! What Kafka's errors mean to callers.

use guildhall_ports::Failure;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// An error of a client as our failure. All of them mean "not now": what needs somebody to act is
/// found where topics are checked.
pub(crate) fn unavailable(what: &'static str, error: &KafkaError) -> Failure {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageTimedOut) => {
            Failure::unavailable(what, "no broker has acknowledged in time")
        }
        Some(RDKafkaErrorCode::QueueFull) => {
            Failure::unavailable(what, "too many appends wait for Kafka")
        }
        Some(code) => Failure::unavailable(what, code),
        None => match error {
            // Its words would repeat the value, which may be a password or a key.
            KafkaError::ClientConfig(_, why, key, _) => {
                Failure::unavailable(what, format!("{key} cannot be used: {why}"))
            }
            error => Failure::unavailable(what, error),
        },
    }
}
