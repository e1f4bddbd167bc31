//! Roles: making, changing and assigning them.

use guildhall_model::command;
use guildhall_model::limits::ROLES_MAX;
use guildhall_model::text::RoleName;
use guildhall_model::{Rejection, RoleId};
use serde::Deserialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::form::{Form, Wrong, id, permissions, text, up_to};
use super::patch::Patch;
use super::whole::Whole;
use crate::id::Spelling;
use crate::native::permission::NativePermissions;
use crate::native::role::Color;
use crate::native::schema;

/// `PUT /roles/{id}`: what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct RoleUpdate {
    #[serde(default)]
    #[schema(required = false, schema_with = schema::role_name)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::color)]
    color: Patch<String>,
    #[serde(default)]
    #[schema(value_type = bool, required = false)]
    hoist: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = bool, required = false)]
    mentionable: Patch<bool>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::permissions)]
    permissions_bitmask: Patch<Whole>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::position)]
    position: Patch<Whole>,
}

/// `POST /servers/{id}/roles`: what is left out takes its default.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct RoleCreate(RoleUpdate);

impl PartialSchema for RoleCreate {
    fn schema() -> RefOr<Schema> {
        let mut schema = RoleUpdate::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.push("name".to_owned());
            let position = schema::new_role_position();
            object
                .properties
                .insert("position".to_owned(), position.into());
        }
        schema
    }
}

impl ToSchema for RoleCreate {}

impl RoleCreate {
    /// Checks all fields.
    pub fn parse(self) -> Result<command::RoleUpdate, Rejection> {
        let mut form = Form::default();
        if self.0.name == Patch::Absent {
            form.note("name", Wrong::new("required", "is required"));
        }
        if self.0.position == Patch::Value(Whole(0)) {
            form.note("position", Wrong::new("out_of_range", "must be at least 1"));
        }
        self.0.parse_into(form)
    }
}

impl RoleUpdate {
    /// Checks all fields.
    pub fn parse(self) -> Result<command::RoleUpdate, Rejection> {
        self.parse_into(Form::default())
    }

    fn parse_into(self, mut form: Form) -> Result<command::RoleUpdate, Rejection> {
        let update = command::RoleUpdate {
            name: form.kept("name", self.name, text(RoleName::parse)),
            color: form
                .removable("color", self.color, |raw| color(&raw))
                .map(|color| color.map_or(0, |Color(rgb)| rgb)),
            hoist: form.kept("hoist", self.hoist, Ok::<_, Wrong>),
            mentionable: form.kept("mentionable", self.mentionable, Ok::<_, Wrong>),
            permissions: form
                .kept("permissions_bitmask", self.permissions_bitmask, permissions)
                .map(NativePermissions::edit),
            position: form.kept("position", self.position, up_to(i64::from(u16::MAX))),
        };
        form.finish(|| Some(update))
    }
}

fn color(raw: &str) -> Result<Color, Wrong> {
    Color::parse(raw).ok_or_else(|| Wrong::new("invalid_color", "must look like #2ecc71"))
}

/// `PUT /servers/{id}/members/{id}/roles`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MemberRoles {
    #[schema(required, schema_with = schema::roles)]
    roles: Option<Vec<String>>,
}

impl MemberRoles {
    /// The roles, sorted, each once.
    pub fn parse(self, spelling: &Spelling) -> Result<Vec<RoleId>, Rejection> {
        let mut form = Form::default();
        let raw = form.required("roles", self.roles, |raw| {
            if ROLES_MAX < raw.len() {
                let message = format!("must have at most {ROLES_MAX} entries");
                return Err(Wrong::new("too_many", message));
            }
            Ok(raw)
        });
        let mut roles = Vec::new();
        for (index, raw) in raw.into_iter().flatten().enumerate() {
            roles.extend(form.optional(&format!("roles.{index}"), Some(raw), id(spelling)));
        }
        roles.sort_unstable();
        roles.dedup();
        form.finish(|| Some(roles))
    }
}
