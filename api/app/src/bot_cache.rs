//! Bot tokens that were looked up a moment ago.
//!
//! A bot sends its token with every request. Its hash would otherwise be read from the store each
//! time.

use std::collections::HashMap;

use guildhall_model::Timestamp;
use guildhall_model::account::Caller;
use guildhall_ports::accounts::TokenHash;
use parking_lot::RwLock;

/// How long a token that was replaced may still be accepted by a node that did not replace it.
const AGE_MS: u64 = 10_000;
/// Tokens that are remembered at a time.
const TOKENS_MAX: usize = 10_000;

/// Bot tokens with their bots.
#[derive(Debug, Default)]
pub(crate) struct BotCache {
    callers: RwLock<HashMap<TokenHash, (Caller, Timestamp)>>,
}

impl BotCache {
    /// Whose token has this hash, if it was looked up a moment ago.
    pub(crate) fn get(&self, token: &TokenHash, now: Timestamp) -> Option<Caller> {
        let callers = self.callers.read();
        let (caller, looked_up_at) = callers.get(token)?;
        (now.ms_since(*looked_up_at) < AGE_MS).then_some(*caller)
    }

    /// Remembers what the store said. A full cache makes room by forgetting what is old, or else
    /// everything.
    pub(crate) fn put(&self, token: TokenHash, caller: Caller, now: Timestamp) {
        let mut callers = self.callers.write();
        if callers.len() >= TOKENS_MAX {
            callers.retain(|_, (_, looked_up_at)| now.ms_since(*looked_up_at) < AGE_MS);
        }
        if callers.len() >= TOKENS_MAX {
            callers.clear();
        }
        callers.insert(token, (caller, now));
    }
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
    fn what_was_looked_up_is_believed_for_a_while() {
        let cache = BotCache::default();
        cache.put([1; 32], caller(), Timestamp(0));
        assert_eq!(cache.get(&[1; 32], Timestamp(9_999)), Some(caller()));
        assert_eq!(cache.get(&[1; 32], Timestamp(10_000)), None);
        assert_eq!(cache.get(&[2; 32], Timestamp(0)), None);
    }

    #[test]
    fn the_cache_does_not_grow_beyond_its_bound() {
        let cache = BotCache::default();
        for n in 0..=u32::try_from(TOKENS_MAX).unwrap() {
            let mut token = [0; 32];
            token[..4].copy_from_slice(&n.to_le_bytes());
            cache.put(token, caller(), Timestamp(0));
        }
        assert!(cache.callers.read().len() <= TOKENS_MAX);
    }
}
