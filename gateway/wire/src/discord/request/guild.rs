//! Guilds: changing them.

use guildhall_model::Rejection;
use guildhall_model::command::GuildUpdate;
use guildhall_model::text::{Description, GuildName};
use serde::Deserialize;

use super::input::{Digits, no_picture, snowflake};
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
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<GuildUpdate, Rejection> {
        let mut form = Form::default();
        let update = GuildUpdate {
            name: form.kept("name", self.name, text(GuildName::parse)),
            description: form.removable("description", self.description, text(Description::parse)),
            icon_url: form.removable("icon", self.icon, no_picture),
            is_public: None,
            owner_id: form.optional("owner_id", self.owner_id, snowflake(spelling)),
        };
        form.finish(|| Some(update))
    }
}
