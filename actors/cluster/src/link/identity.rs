//! Who a node is on the link, and the secret by which it proves that.

use std::fmt;

use guildhall_model::NodeId;
use hmac::{Hmac, KeyInit};
use sha2::Sha256;

use super::Tls;

/// Bytes that a secret has at least.
pub const SECRET_BYTES_MIN: usize = 32;

/// A node in one of its lives.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Which node.
    pub node: NodeId,
    /// Which of its lives. Rises with every start, so that the others tell a process from the one
    /// that it replaces.
    pub incarnation: u64,
    /// What all nodes of the cluster know and nobody else.
    pub secret: Secret,
    /// What it shows in TLS, and whom it believes there. Without it the link is not encrypted.
    pub tls: Option<Tls>,
}

/// Another node, as the list of members has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which node.
    pub node: NodeId,
    /// Which of its lives; an older one is refused.
    pub incarnation: u64,
    /// Where it listens: `host:port`.
    pub address: String,
}

/// The key that the nodes of a cluster share. It is never shown.
#[derive(Clone)]
pub struct Secret {
    keyed: Hmac<Sha256>,
}

impl Secret {
    /// From random bytes, the same on every node.
    pub fn new(bytes: &[u8]) -> Result<Self, ShortSecret> {
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(ShortSecret);
        }
        Ok(Self {
            keyed: Hmac::new_from_slice(bytes).expect("a key may have any length"),
        })
    }

    /// The beginning of a code that only those can make who know the secret.
    pub(super) fn code(&self) -> Hmac<Sha256> {
        self.keyed.clone()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A secret that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret of the cluster has fewer than {SECRET_BYTES_MIN} bytes")]
pub struct ShortSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_not_shown() {
        assert_eq!(Secret::new(&[7; 31]).unwrap_err(), ShortSecret);
        let identity = Identity {
            node: NodeId(1),
            incarnation: 2,
            secret: Secret::new(&[7; 32]).unwrap(),
            tls: None,
        };
        assert_eq!(
            format!("{identity:?}"),
            "Identity { node: NodeId(1), incarnation: 2, secret: Secret(***), tls: None }"
        );
    }
}
