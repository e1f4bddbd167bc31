//! Tokens that were found good a moment ago.
//!
//! Clients send their token with every request. A person's costs the check of a signature (a few
//! dozen microseconds of a core), a bot's a read of the store; finding it here costs one SHA-256.

use std::collections::HashMap;
use std::ops::Range;

use guildhall_model::Timestamp;
use guildhall_model::account::Caller;
use guildhall_ports::accounts::TokenHash;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

/// Tokens that are remembered at a time: about 8 MiB.
const TOKENS_MAX: usize = 65_536;

/// Good tokens of one kind with whom they stand for.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    found: RwLock<HashMap<TokenHash, (Caller, Range<Timestamp>)>>,
}

impl TokenCache {
    /// Whom this token stands for, if that is known for `now`.
    pub(crate) fn get(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let found = self.found.read();
        let (caller, known) = found.get(&key(token))?;
        known.contains(&now).then_some(*caller)
    }

    /// Remembers whom a token stands for during a time. A full cache makes room by forgetting what
    /// is over, or else everything.
    pub(crate) fn put(&self, token: &str, caller: Caller, known: Range<Timestamp>) {
        let mut found = self.found.write();
        if found.len() >= TOKENS_MAX {
            let now = known.start;
            found.retain(|_, (_, known)| known.contains(&now));
        }
        if found.len() >= TOKENS_MAX {
            found.clear();
        }
        found.insert(key(token), (caller, known));
    }
}

fn key(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use guildhall_model::account::Credential;
    use guildhall_model::{LoginId, UserId};

    use super::*;

    fn caller() -> Caller {
        Caller {
            user_id: UserId::new(1).unwrap(),
            credential: Credential::Login(LoginId::new(2).unwrap()),
        }
    }

    #[test]
    fn what_was_found_is_believed_for_its_time_only() {
        let cache = TokenCache::default();
        cache.put("a", caller(), Timestamp(10)..Timestamp(20));
        for (now, known) in [
            (9, None),
            (10, Some(caller())),
            (19, Some(caller())),
            (20, None),
        ] {
            assert_eq!(cache.get("a", Timestamp(now)), known, "at {now}");
        }
        assert_eq!(cache.get("b", Timestamp(10)), None);
    }

    #[test]
    fn the_cache_does_not_grow_beyond_its_bound() {
        let cache = TokenCache::default();
        for n in 0..=TOKENS_MAX {
            cache.put(&n.to_string(), caller(), Timestamp(0)..Timestamp(1));
        }
        assert!(cache.found.read().len() <= TOKENS_MAX);
        assert_eq!(
            cache.get(&TOKENS_MAX.to_string(), Timestamp(0)),
            Some(caller())
        );
    }
}
