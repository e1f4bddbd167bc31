//! How tokens are stored: as hashes, so that a copy of the store opens nothing.

use guildhall_ports::accounts::TokenHash;
use sha2::{Digest, Sha256};

/// SHA-256 is enough: a token has at least 224 random bits, so nobody can try them all.
pub(crate) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}
