//! Roles: making, changing and arranging them.

use guildhall_model::command::{PermissionEdit, RoleUpdate};
use guildhall_model::limits::ROLES_MAX;
use guildhall_model::text::RoleName;
use guildhall_model::{Rejection, RoleId};
use serde::Deserialize;

use super::input::{Digits, at_most, between, permissions, position, snowflake};
use crate::id::Spelling;
use crate::native::request::form::{Form, text};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

/// `0xFFFFFF`
const COLOR_MAX: i64 = 0x00FF_FFFF;

/// `POST /guilds/{id}/roles`, which may leave everything out, and `PATCH /guilds/{id}/roles/{id}`.
#[derive(Debug, Default, Deserialize)]
pub struct RolePatch {
    name: Option<String>,
    permissions: Option<Digits>,
    color: Option<Whole>,
    colors: Option<Object<Colors>>,
    hoist: Option<bool>,
    mentionable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Colors {
    primary_color: Option<Whole>,
}

/// One entry of `PATCH /guilds/{id}/roles`
#[derive(Debug, Default, Deserialize)]
pub struct RolePlace {
    id: Option<Digits>,
    position: Option<Whole>,
}

impl RolePatch {
    /// Checks all fields. Of the two ways to say a color the newer one counts.
    pub fn parse(self) -> Result<RoleUpdate, Rejection> {
        let mut form = Form::default();
        let color = form.optional("color", self.color, between(0, COLOR_MAX));
        let primary = self.colors.and_then(|Object(colors)| colors.primary_color);
        let primary = form.optional("colors.primary_color", primary, between(0, COLOR_MAX));
        let permissions = form.optional("permissions", self.permissions, permissions);
        let name = form.optional("name", self.name, text(RoleName::parse));
        form.finish(|| {
            Some(RoleUpdate {
                name,
                color: primary.or(color),
                hoist: self.hoist,
                mentionable: self.mentionable,
                permissions: permissions.map(PermissionEdit::exactly),
                position: None,
            })
        })
    }
}

impl RolePlace {
    /// Checks all entries. Those that name no position stay where they are.
    pub fn parse(list: Vec<Self>, spelling: &Spelling) -> Result<Vec<(RoleId, u16)>, Rejection> {
        let mut form = Form::default();
        let list = form.optional("", Some(list), at_most(ROLES_MAX));
        let mut places = Vec::new();
        for (index, place) in list.into_iter().flatten().enumerate() {
            let at = |field: &str| format!("{index}.{field}");
            let id = form.required(&at("id"), place.id, snowflake(spelling));
            let position = form.optional(&at("position"), place.position, position);
            places.extend(id.zip(position));
        }
        form.finish(|| Some(places))
    }
}
