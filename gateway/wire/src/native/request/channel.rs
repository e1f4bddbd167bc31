//! Channels: making and changing them, with their overwrites.

use std::collections::BTreeSet;

use guildhall_model::Rejection;
use guildhall_model::channel::{ChannelKind, OverwriteTarget};
use guildhall_model::command;
use guildhall_model::limits::OVERWRITES_MAX;
use guildhall_model::text::{ChannelName, Topic};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, Wrong, id, permissions, text, up_to};
use super::object::Object;
use super::patch::Patch;
use super::whole::Whole;
use crate::id::Spelling;
use crate::native::channel::{ChannelType, OverwriteType};
use crate::native::schema;

const PERMISSIONS: &str = "permissions";
const OVERWRITES: &str = "permissions.overwrites";

/// `POST /servers/{id}/channels`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ChannelCreate {
    #[schema(required, schema_with = schema::channel_name)]
    name: Option<String>,
    /// Text where left out.
    r#type: Option<ChannelType>,
    #[schema(schema_with = schema::topic)]
    topic: Option<String>,
    #[schema(schema_with = schema::position_or_last)]
    position: Option<Whole>,
    /// A category of the server.
    #[schema(value_type = Option<crate::id::UuidText>)]
    parent_id: Option<String>,
    /// Those of the category where there are none.
    #[schema(value_type = Option<ChannelPermissionsInput>)]
    permissions: Option<Object<ChannelPermissionsInput>>,
}

/// `PUT /channels/{id}`: what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ChannelUpdate {
    #[serde(default)]
    #[schema(required = false, schema_with = schema::channel_name)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::topic)]
    topic: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::position)]
    position: Patch<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<crate::id::UuidText>, required = false)]
    parent_id: Patch<String>,
    #[serde(default)]
    #[schema(value_type = ChannelPermissionsInput, required = false)]
    permissions: Patch<Object<ChannelPermissionsInput>>,
}

/// How a channel departs from what roles grant. The list replaces the channel's present one;
/// whoever stays on it keeps the bits that have no number here.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ChannelPermissionsInput {
    #[serde(default)]
    #[schema(required = false, schema_with = schema::overwrites)]
    overwrites: Patch<Vec<Object<OverwriteInput>>>,
}

/// What one role or member is allowed or denied; at most one for each.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct OverwriteInput {
    #[schema(required, nullable = false, value_type = crate::id::UuidText)]
    id: Option<String>,
    #[schema(required, nullable = false)]
    r#type: Option<OverwriteType>,
    #[schema(schema_with = schema::permissions_or_none)]
    allow: Option<Whole>,
    #[schema(schema_with = schema::permissions_or_none)]
    deny: Option<Whole>,
}

impl ChannelCreate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<command::NewChannel, Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(ChannelName::parse));
        let topic = form.optional("topic", self.topic, text(Topic::parse));
        let position = form.optional("position", self.position, up_to(i64::from(u16::MAX)));
        let parent_id = form.optional("parent_id", self.parent_id, id(spelling));
        let overwrites = self
            .permissions
            .and_then(|Object(input)| input.parse(&mut form, spelling))
            .unwrap_or_default();
        let overwrites = overwrites.iter().map(|edit| edit.apply(&[])).collect();
        form.finish(|| {
            Some(command::NewChannel {
                name: name?,
                kind: self.r#type.map_or(ChannelKind::Text, ChannelKind::from),
                topic,
                position,
                parent_id,
                overwrites,
            })
        })
    }
}

impl ChannelUpdate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<command::ChannelUpdate, Rejection> {
        let mut form = Form::default();
        let update = command::ChannelUpdate {
            name: form.kept("name", self.name, text(ChannelName::parse)),
            topic: form.removable("topic", self.topic, text(Topic::parse)),
            position: form.kept("position", self.position, up_to(i64::from(u16::MAX))),
            parent_id: form.removable("parent_id", self.parent_id, id(spelling)),
            overwrites: form
                .kept(PERMISSIONS, self.permissions, Ok::<_, Wrong>)
                .and_then(|Object(input)| input.parse(&mut form, spelling)),
        };
        form.finish(|| Some(update))
    }
}

impl ChannelPermissionsInput {
    fn parse(self, form: &mut Form, spelling: &Spelling) -> Option<Vec<command::OverwriteEdit>> {
        let inputs = form.kept(OVERWRITES, self.overwrites, |inputs: Vec<_>| {
            if OVERWRITES_MAX < inputs.len() {
                let message = format!("must have at most {OVERWRITES_MAX} entries");
                return Err(Wrong::new("too_many", message));
            }
            Ok(inputs)
        })?;
        let mut targets = BTreeSet::new();
        let mut overwrites = Vec::with_capacity(inputs.len());
        for (index, Object(input)) in inputs.into_iter().enumerate() {
            let path = format!("{OVERWRITES}.{index}");
            let Some(overwrite) = input.parse(&path, form, spelling) else {
                continue;
            };
            if targets.insert(overwrite.target) {
                overwrites.push(overwrite);
            } else {
                form.note(
                    &path,
                    Wrong::new("duplicate", "must bind whom no other entry binds"),
                );
            }
        }
        Some(overwrites)
    }
}

impl OverwriteInput {
    fn parse(
        self,
        path: &str,
        form: &mut Form,
        spelling: &Spelling,
    ) -> Option<command::OverwriteEdit> {
        let at = |field: &str| format!("{path}.{field}");
        let kind = form.required(&at("type"), self.r#type, Ok::<_, Wrong>);
        let target = match kind {
            Some(OverwriteType::Member) => form
                .required(&at("id"), self.id, id(spelling))
                .map(OverwriteTarget::Member),
            _ => form
                .required(&at("id"), self.id, id(spelling))
                .map(OverwriteTarget::Role),
        };
        let allow = form.optional(
            &at("allow"),
            Some(self.allow.unwrap_or(Whole(0))),
            permissions,
        );
        let deny = form.optional(
            &at("deny"),
            Some(self.deny.unwrap_or(Whole(0))),
            permissions,
        );
        kind?;
        Some(command::OverwriteEdit {
            target: target?,
            allow: allow?.edit(),
            deny: deny?.edit(),
        })
    }
}
