//! Bans.

use guildhall_model::member as model;
use serde::Serialize;

use super::user::User;

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
