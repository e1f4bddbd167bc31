//! What can go wrong on our side, as opposed to a caller's fault.

use std::sync::Arc;

/// A request could not be carried out though nothing was wrong with it. A retry with the same
/// nonce is always safe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The engine cannot be reached or refuses to work at present.
    #[error("{what} is unavailable: {why}")]
    Unavailable {
        /// Which engine or part.
        what: &'static str,
        /// The engine's own words; never a secret.
        why: Arc<str>,
    },
    /// The disk or a quota is full. Nothing was written.
    #[error("no space left for {what}")]
    Full {
        /// Which engine or part.
        what: &'static str,
    },
    /// Another owner has taken over, so this one may no longer write.
    #[error("{what} belongs to a later epoch")]
    Stale {
        /// What was to be written.
        what: &'static str,
    },
    /// Stored bytes do not mean what they must. Somebody has to act.
    #[error("{what} is damaged: {why}")]
    Damaged {
        /// What was read.
        what: &'static str,
        /// Where, and what to do.
        why: Arc<str>,
    },
    /// The part is shutting down.
    #[error("shutting down")]
    Closing,
}

impl Failure {
    /// An engine's error, in its own words.
    pub fn unavailable(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Unavailable {
            what,
            why: why.to_string().into(),
        }
    }

    /// Bytes that could not be read.
    pub fn damaged(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Damaged {
            what,
            why: why.to_string().into(),
        }
    }
}
