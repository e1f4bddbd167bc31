//! Logins whose access tokens are refused though their signature and time are right.
//!
//! An access token proves itself and is never looked up; what ends it early is this set. It holds
//! a login as long as a token of it could still be in time, so its size is bounded by the logouts
//! of one token's lifetime, and each of those cost a password hash.

use guildhall_model::{LoginId, Timestamp};
use parking_lot::RwLock;
use std::collections::HashMap;

/// How far clocks of nodes may be apart: an entry stays that much longer.
const CLOCK_SLACK_MS: i64 = 60_000;

/// Logins that were revoked less than an access token's lifetime ago.
#[derive(Debug)]
pub(crate) struct RevokedLogins {
    kept_ms: i64,
    until: RwLock<HashMap<LoginId, Timestamp>>,
}

impl RevokedLogins {
    /// The set for tokens that last `token_ms`.
    pub(crate) fn new(token_ms: i64) -> Self {
        Self {
            kept_ms: token_ms + CLOCK_SLACK_MS,
            until: RwLock::default(),
        }
    }

    /// Logins revoked before this instant need not be known.
    pub(crate) const fn horizon(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(-self.kept_ms)
    }

    /// Adds a login that was revoked at `now` or before, and drops those that are too old to
    /// matter.
    pub(crate) fn add(&self, login: LoginId, now: Timestamp) {
        let mut until = self.until.write();
        until.retain(|_, end| now < *end);
        until.insert(login, now.plus_ms(self.kept_ms));
    }

    /// Adds many at once.
    pub(crate) fn extend(&self, logins: Vec<LoginId>, now: Timestamp) {
        let end = now.plus_ms(self.kept_ms);
        self.until
            .write()
            .extend(logins.into_iter().map(|login| (login, end)));
    }

    /// The login was revoked.
    pub(crate) fn contains(&self, login: LoginId) -> bool {
        self.until.read().contains_key(&login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN_MS: i64 = 900_000;

    fn login(n: u64) -> LoginId {
        LoginId::new(n).unwrap()
    }

    #[test]
    fn a_login_is_remembered_as_long_as_its_last_token_lives() {
        let revoked = RevokedLogins::new(TOKEN_MS);
        revoked.add(login(1), Timestamp(0));
        // A token could have been issued a moment before, by a node whose clock is ahead.
        revoked.add(login(2), Timestamp(TOKEN_MS));
        assert!(revoked.contains(login(1)));
        revoked.add(login(3), Timestamp(TOKEN_MS + CLOCK_SLACK_MS));
        assert!(!revoked.contains(login(1)));
        assert!(revoked.contains(login(2)) && revoked.contains(login(3)));
    }
}
