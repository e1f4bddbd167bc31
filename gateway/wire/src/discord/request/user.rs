//! The own profile, and opening direct-message channels.

use guildhall_model::command::ProfileUpdate;
use guildhall_model::text::Username;
use guildhall_model::{Rejection, UserId};
use serde::Deserialize;

use super::input::{Digits, no_picture, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, text};

/// `PATCH /users/@me`
#[derive(Debug, Default, Deserialize)]
pub struct UserPatch {
    username: Option<String>,
    #[serde(default)]
    avatar: Patch<String>,
}

/// `POST /users/@me/channels`
#[derive(Debug, Default, Deserialize)]
pub struct DirectCreate {
    recipient_id: Option<Digits>,
}

impl UserPatch {
    /// Checks all fields.
    pub fn parse(self) -> Result<ProfileUpdate, Rejection> {
        let mut form = Form::default();
        let update = ProfileUpdate {
            username: form.optional("username", self.username, text(Username::parse)),
            avatar_url: form.removable("avatar", self.avatar, no_picture),
            ..ProfileUpdate::default()
        };
        form.finish(|| Some(update))
    }
}

impl DirectCreate {
    /// Whom to talk to.
    pub fn parse(self, spelling: &Spelling) -> Result<UserId, Rejection> {
        let mut form = Form::default();
        let id = form.required("recipient_id", self.recipient_id, snowflake(spelling));
        form.finish(|| id)
    }
}
