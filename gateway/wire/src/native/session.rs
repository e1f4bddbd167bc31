//! The answer to registration, login and refresh.

use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;

/// Tokens of one authenticated device. It has no `Debug`, because it holds them.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct Session<'a> {
    user: User<'a>,
    /// Goes into `Authorization: Bearer …`.
    access_token: &'a str,
    /// Good for one use.
    refresh_token: &'a str,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token lasts.
    expires_in: u64,
}

impl<'a> Session<'a> {
    /// The tokens with their user's own profile.
    pub const fn new(
        user: User<'a>,
        access_token: &'a str,
        refresh_token: &'a str,
        expires_in_s: u64,
    ) -> Self {
        Self {
            user,
            access_token,
            refresh_token,
            token_type: "Bearer",
            expires_in: expires_in_s,
        }
    }
}
