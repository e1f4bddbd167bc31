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

/// Tokens that are remembered at a time: about 10 MiB.
const TOKENS_MAX: usize = 65_536;

/// Good tokens of one kind with whom they stand for.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    found: RwLock<HashMap<TokenHash, Found>>,
}

/// A token that was found good.
#[derive(Debug)]
struct Found {
    caller: Caller,
    /// When it need not be looked for again.
    known: Range<Timestamp>,
    /// When it is good enough if it cannot be looked for; not shorter.
    recalled: Range<Timestamp>,
}

impl TokenCache {
    /// Whom this token stands for, if that is known for `now`.
    pub(crate) fn get(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let found = self.found.read();
        let found = found.get(&key(token))?;
        found.known.contains(&now).then_some(found.caller)
    }

    /// Whom this token stood for lately, for when that cannot be looked up.
    pub(crate) fn recall(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let found = self.found.read();
        let found = found.get(&key(token))?;
        found.recalled.contains(&now).then_some(found.caller)
    }

    /// Forgets a token that is not good any more.
    pub(crate) fn forget(&self, token: &str) {
        self.found.write().remove(&key(token));
    }

    /// Remembers whom a token stands for during a time. A full cache makes room by forgetting what
    /// is over, or else everything.
    pub(crate) fn put(&self, token: &str, caller: Caller, known: Range<Timestamp>) {
        let until = known.end;
        self.put_recalled(token, caller, known, until);
    }

    /// The same, and lets it be recalled until then.
    pub(crate) fn put_recalled(
        &self,
        token: &str,
        caller: Caller,
        known: Range<Timestamp>,
        until: Timestamp,
    ) {
        let good = Found {
            caller,
            recalled: known.start..until.max(known.end),
            known,
        };
        let mut found = self.found.write();
        if found.len() >= TOKENS_MAX {
            let now = good.known.start;
            found.retain(|_, other| other.recalled.contains(&now));
        }
        if found.len() >= TOKENS_MAX {
            found.clear();
        }
        found.insert(key(token), good);
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
    fn what_was_found_can_be_recalled_a_while_longer_unless_it_was_forgotten() {
        let cache = TokenCache::default();
        let (known, until) = (Timestamp(10)..Timestamp(20), Timestamp(30));
        cache.put_recalled("a", caller(), known, until);
        for (now, known, recalled) in [(9, false, false), (19, true, true), (20, false, true)] {
            let now = Timestamp(now);
            let found = (
                cache.get("a", now).is_some(),
                cache.recall("a", now).is_some(),
            );
            assert_eq!(found, (known, recalled), "at {now:?}");
        }
        assert_eq!(cache.recall("a", until), None);
        cache.forget("a");
        assert_eq!(cache.recall("a", Timestamp(20)), None);
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
