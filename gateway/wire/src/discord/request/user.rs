//! The own profile, and opening direct-message channels.

use guildhall_model::command::ProfileUpdate;
use guildhall_model::limits::PICTURE_BYTES_MAX;
use guildhall_model::picture::Image;
use guildhall_model::text::Username;
use guildhall_model::{Rejection, UserId};
use serde::Deserialize;

use super::image::{image, removed};
use super::input::{Digits, snowflake};
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
    /// Checks all fields. A new picture stands beside the update, because it has no name yet.
    pub fn parse(self) -> Result<(ProfileUpdate, Option<Image>), Rejection> {
        let mut form = Form::default();
        let avatar = form.removable("avatar", self.avatar, image(PICTURE_BYTES_MAX));
        let update = ProfileUpdate {
            username: form.optional("username", self.username, text(Username::parse)),
            avatar: removed(avatar.as_ref()),
            ..ProfileUpdate::default()
        };
        form.finish(|| Some((update, avatar.flatten())))
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
