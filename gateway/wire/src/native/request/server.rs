//! Servers: making and changing them.

use guildhall_model::Rejection;
use guildhall_model::command::GuildUpdate;
use guildhall_model::picture::Picture;
use guildhall_model::text::{Description, GuildName};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, Wrong, id, picture, text};
use super::patch::Patch;
use crate::id::Spelling;
use crate::native::schema;

/// `POST /servers`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ServerCreate {
    #[schema(required, schema_with = schema::guild_name)]
    name: Option<String>,
    #[schema(schema_with = schema::guild_description)]
    description: Option<String>,
    #[schema(schema_with = schema::picture)]
    icon_url: Option<String>,
    /// Anybody may join without an invite. Not where left out.
    is_public: Option<bool>,
}

/// What a new server is made from.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in Guild")]
pub struct NewServer {
    pub name: GuildName,
    pub description: Option<Description>,
    pub icon: Option<Picture>,
    pub is_public: bool,
}

impl ServerCreate {
    /// Checks all fields.
    pub fn parse(self) -> Result<NewServer, Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(GuildName::parse));
        let description = form.optional("description", self.description, text(Description::parse));
        let icon = form.optional("icon_url", self.icon_url, picture);
        form.finish(|| {
            Some(NewServer {
                name: name?,
                description,
                icon,
                is_public: self.is_public.unwrap_or(false),
            })
        })
    }
}

/// `PUT /servers/{id}`: what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ServerUpdate {
    #[serde(default)]
    #[schema(required = false, schema_with = schema::guild_name)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::guild_description)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::picture)]
    icon_url: Patch<String>,
    #[serde(default)]
    #[schema(value_type = bool, required = false)]
    is_public: Patch<bool>,
    /// Hands the server over to another member; the owner only.
    #[serde(default)]
    #[schema(value_type = crate::id::UuidText, required = false)]
    owner_id: Patch<String>,
}

impl ServerUpdate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<GuildUpdate, Rejection> {
        let mut form = Form::default();
        let update = GuildUpdate {
            name: form.kept("name", self.name, text(GuildName::parse)),
            description: form.removable("description", self.description, text(Description::parse)),
            icon: form.removable("icon_url", self.icon_url, picture),
            is_public: form.kept("is_public", self.is_public, Ok::<_, Wrong>),
            owner_id: form.kept("owner_id", self.owner_id, id(spelling)),
        };
        form.finish(|| Some(update))
    }
}
