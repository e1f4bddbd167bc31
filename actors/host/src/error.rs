//! The two ways in which a request does not succeed.

use guildhall_model::Rejection;
use guildhall_ports::Failure;

/// Why a request did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// The caller's fault; nothing has changed.
    #[error(transparent)]
    Rejection(#[from] Rejection),
    /// Ours; whether something has changed is not known, and a retry with the same nonce is safe.
    #[error(transparent)]
    Failure(#[from] Failure),
}
