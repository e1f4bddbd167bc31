//! Bans.

use guildhall_model::{UserId, id, member as model};
use serde::Serialize;

use super::user::User;
use crate::id::Decimal;

/// A ban as moderators see it.
#[derive(Serialize)]
pub struct Ban<'a> {
    reason: Option<&'a str>,
    user: User<'a>,
}

impl<'a> Ban<'a> {
    /// The ban.
    pub fn new(ban: &'a model::Ban) -> Self {
        Self {
            reason: ban.reason.as_deref(),
            user: User::new(&ban.user),
        }
    }
}

/// What became of a request to ban many users.
#[derive(Serialize)]
pub struct BulkBan {
    banned_users: Vec<Decimal<id::kind::User>>,
    failed_users: Vec<Decimal<id::kind::User>>,
}

impl BulkBan {
    /// Those who are kept out now, and those who are not.
    pub fn new(banned: &[UserId], failed: &[UserId]) -> Self {
        Self {
            banned_users: banned.iter().copied().map(Decimal).collect(),
            failed_users: failed.iter().copied().map(Decimal).collect(),
        }
    }
}
