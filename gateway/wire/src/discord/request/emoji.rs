//! Guilds' own emojis: making and changing them.

use guildhall_model::command::EmojiUpdate;
use guildhall_model::limits::{GUILD_EMOJI_BYTES_MAX, ROLES_MAX};
use guildhall_model::picture::Image;
use guildhall_model::text::EmojiName;
use guildhall_model::{Rejection, RoleId};
use serde::Deserialize;

use super::image::image;
use super::input::{Digits, at_most, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, text};

/// `POST /guilds/{id}/emojis`
#[derive(Debug, Default, Deserialize)]
pub struct EmojiCreate {
    name: Option<String>,
    image: Option<String>,
    roles: Option<Vec<Option<Digits>>>,
}

/// What a guild's emoji is to be made from.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in GuildEmoji")]
pub struct NewEmoji {
    pub name: EmojiName,
    pub image: Image,
    pub roles: Vec<RoleId>,
}

/// `PATCH /guilds/{id}/emojis/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct EmojiPatch {
    name: Option<String>,
    #[serde(default)]
    roles: Patch<Vec<Option<Digits>>>,
}

impl EmojiCreate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<NewEmoji, Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(EmojiName::parse));
        let image = form.required("image", self.image, image(GUILD_EMOJI_BYTES_MAX));
        let roles = roles(&mut form, self.roles, spelling);
        form.finish(|| {
            Some(NewEmoji {
                name: name?,
                image: image?,
                roles,
            })
        })
    }
}

impl EmojiPatch {
    /// Checks all fields. `null` opens the emoji to everybody, as an empty list does.
    pub fn parse(self, spelling: &Spelling) -> Result<EmojiUpdate, Rejection> {
        let mut form = Form::default();
        let name = form.optional("name", self.name, text(EmojiName::parse));
        let roles = match self.roles {
            Patch::Absent => None,
            Patch::Null => Some(Vec::new()),
            Patch::Value(list) => Some(roles(&mut form, Some(list), spelling)),
        };
        form.finish(|| Some(EmojiUpdate { name, roles }))
    }
}

/// The roles of a list, in which Discord lets `null` stand for none.
fn roles(form: &mut Form, list: Option<Vec<Option<Digits>>>, spelling: &Spelling) -> Vec<RoleId> {
    let list = form.optional("roles", list, at_most(ROLES_MAX));
    let mut roles = Vec::new();
    for (index, role) in list.into_iter().flatten().enumerate() {
        let path = format!("roles.{index}");
        roles.extend(form.optional(&path, role, snowflake(spelling)));
    }
    roles
}
