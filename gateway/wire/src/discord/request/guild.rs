//! Guilds: changing them.

use guildhall_model::Rejection;
use guildhall_model::command::GuildUpdate;
use guildhall_model::limits::PICTURE_BYTES_MAX;
use guildhall_model::picture::Image;
use guildhall_model::text::{Description, GuildName};
use serde::Deserialize;

use super::image::{image, removed};
use super::input::{Digits, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, text};

/// `PATCH /guilds/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct GuildPatch {
    #[serde(default)]
    name: Patch<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    icon: Patch<String>,
    owner_id: Option<Digits>,
}

impl GuildPatch {
    /// Checks all fields. A new picture stands beside the update, because it has no name yet.
    pub fn parse(self, spelling: &Spelling) -> Result<(GuildUpdate, Option<Image>), Rejection> {
        let mut form = Form::default();
        let icon = form.removable("icon", self.icon, image(PICTURE_BYTES_MAX));
        let update = GuildUpdate {
            name: form.kept("name", self.name, text(GuildName::parse)),
            description: form.removable("description", self.description, text(Description::parse)),
            icon: removed(icon.as_ref()),
            is_public: None,
            owner_id: form.optional("owner_id", self.owner_id, snowflake(spelling)),
        };
        form.finish(|| Some((update, icon.flatten())))
    }
}
