//! Brokers that are there, and do not let us in or are not believed. What is asked of them only takes too
//! long, so the reason is kept for who asks.

use std::sync::Arc;

use guildhall_ports::Failure;
use parking_lot::Mutex;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What the library says of a connection on which nothing was ever heard, and what may be wrong then.
const HINTS: [(&str, &str); 2] = [
    (
        "in state APIVERSION_QUERY",
        "if it speaks TLS alone, it has to be reached by TLS",
    ),
    (
        "connecting to a PLAINTEXT broker listener",
        "if it speaks without TLS, it has to be reached without",
    ),
];

/// The last reason since something worked. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Refusal(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    reason: Option<String>,
    /// Something has worked before, so the settings are not what is wrong.
    has_worked: bool,
}

impl Refusal {
    /// Notes an error that a client tells, if it is such a reason. Whether it is the first one.
    pub(crate) fn hear(&self, error: &KafkaError, reason: &str) -> bool {
        let is_one = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::SSL | RDKafkaErrorCode::Authentication)
        );
        is_one && self.note(reason)
    }

    /// The same of what a client only writes into its log. A broker closes the connection of whoever
    /// speaks TLS and should not, or the other way round, when it hears the first bytes; so does one
    /// that dies just then, and so it is taken for that only before anything has worked.
    pub(crate) fn guess(&self, message: &str) -> bool {
        let mut hints = HINTS.iter().filter(|(lost, _)| message.contains(lost));
        match hints.next() {
            Some((_, hint)) if !self.0.lock().has_worked => {
                self.note(&format!("{message}; {hint}"))
            }
            _ => false,
        }
    }

    fn note(&self, reason: &str) -> bool {
        let before = self.0.lock().reason.replace(reason.to_owned());
        before.is_none()
    }

    /// Something has worked.
    pub(crate) fn forget(&self) {
        *self.0.lock() = State {
            reason: None,
            has_worked: true,
        };
    }

    /// What the brokers do not let us do, as far as they do not let us in.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match (failure, &self.0.lock().reason) {
            (Failure::Unavailable { what, .. }, Some(reason)) => Failure::unavailable(what, reason),
            (failure, _) => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: &str = "Disconnected (after 5ms in state APIVERSION_QUERY)";

    fn explained(refusal: &Refusal) -> String {
        refusal
            .explain(Failure::unavailable("Kafka", "late"))
            .to_string()
    }

    #[test]
    fn a_lost_connection_is_laid_to_the_settings_only_where_they_never_worked() {
        let refusal = Refusal::default();
        assert!(!refusal.guess("Disconnected"));
        assert!(explained(&refusal).ends_with("late"));
        assert!(refusal.guess(LOST));
        assert!(!refusal.clone().guess(LOST), "it is told once");
        assert!(explained(&refusal).ends_with("has to be reached by TLS"));
        refusal.forget();
        assert!(!refusal.guess(LOST));
        assert!(explained(&refusal).ends_with("late"));
    }

    #[test]
    fn a_password_may_stop_working_at_any_time() {
        let refusal = Refusal::default();
        let denied = KafkaError::Global(RDKafkaErrorCode::Authentication);
        let lost = KafkaError::Global(RDKafkaErrorCode::AllBrokersDown);
        for _ in 0..2 {
            refusal.forget();
            assert!(!refusal.hear(&lost, "1/1 brokers are down"));
            assert!(refusal.hear(&denied, "invalid credentials"));
            assert!(
                !refusal.hear(&denied, "invalid credentials"),
                "it is told once"
            );
            assert!(explained(&refusal).ends_with("invalid credentials"));
        }
    }
}
