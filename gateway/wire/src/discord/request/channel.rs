//! Channels: making, changing and arranging them, and their overwrites.

use std::collections::BTreeSet;

use guildhall_model::channel::{ChannelKind, Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelMove, ChannelUpdate, NewChannel};
use guildhall_model::limits::{CHANNELS_MAX, OVERWRITES_MAX};
use guildhall_model::text::{ChannelName, Topic};
use guildhall_model::{Permissions, Rejection};
use serde::Deserialize;

use super::input::{Digits, at_most, permissions, position, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, Wrong, text};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

const OVERWRITES: &str = "permission_overwrites";

/// `POST /guilds/{id}/channels`
#[derive(Debug, Default, Deserialize)]
pub struct ChannelCreate {
    name: Option<String>,
    r#type: Option<Whole>,
    topic: Option<String>,
    position: Option<Whole>,
    permission_overwrites: Option<Vec<Object<OverwriteInput>>>,
    parent_id: Option<Digits>,
}

/// `PATCH /channels/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct ChannelPatch {
    #[serde(default)]
    name: Patch<String>,
    #[serde(default)]
    topic: Patch<String>,
    position: Option<Whole>,
    permission_overwrites: Option<Vec<Object<OverwriteInput>>>,
    #[serde(default)]
    parent_id: Patch<Digits>,
}

/// One entry of `PATCH /guilds/{id}/channels`
#[derive(Debug, Default, Deserialize)]
pub struct ChannelPlace {
    id: Option<Digits>,
    position: Option<Whole>,
    lock_permissions: Option<bool>,
    #[serde(default)]
    parent_id: Patch<Digits>,
}

/// What one role or member is allowed or denied.
#[derive(Debug, Default, Deserialize)]
struct OverwriteInput {
    id: Option<Digits>,
    r#type: Option<Whole>,
    allow: Option<Digits>,
    deny: Option<Digits>,
}

/// `PUT /channels/{id}/permissions/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct OverwritePut {
    r#type: Option<Whole>,
    allow: Option<Digits>,
    deny: Option<Digits>,
}

impl ChannelCreate {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<NewChannel, Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(ChannelName::parse));
        let kind = form.optional("type", self.r#type, kind);
        let topic = form.optional("topic", self.topic, text(Topic::parse));
        let position = form.optional("position", self.position, position);
        let parent_id = form.optional("parent_id", self.parent_id, snowflake(spelling));
        let overwrites = overwrites(&mut form, self.permission_overwrites, spelling);
        form.finish(|| {
            Some(NewChannel {
                name: name?,
                kind: kind.unwrap_or(ChannelKind::Text),
                topic,
                position,
                parent_id,
                overwrites: overwrites.unwrap_or_default(),
            })
        })
    }
}

impl ChannelPatch {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<ChannelUpdate, Rejection> {
        let mut form = Form::default();
        let overwrites = overwrites(&mut form, self.permission_overwrites, spelling);
        let update = ChannelUpdate {
            name: form.kept("name", self.name, text(ChannelName::parse)),
            topic: form.removable("topic", self.topic, text(Topic::parse)),
            position: form.optional("position", self.position, position),
            parent_id: form.removable("parent_id", self.parent_id, snowflake(spelling)),
            overwrites: overwrites.map(|list| list.into_iter().map(Into::into).collect()),
        };
        form.finish(|| Some(update))
    }
}

impl ChannelPlace {
    /// Checks all entries. What one does not name stays as it is.
    pub fn parse(list: Vec<Self>, spelling: &Spelling) -> Result<Vec<ChannelMove>, Rejection> {
        let mut form = Form::default();
        let list = form.optional("", Some(list), at_most(CHANNELS_MAX));
        let mut places = Vec::new();
        for (index, place) in list.into_iter().flatten().enumerate() {
            let at = |field: &str| format!("{index}.{field}");
            let parent_id = form.removable(&at("parent_id"), place.parent_id, snowflake(spelling));
            let id = form.required(&at("id"), place.id, snowflake(spelling));
            let position = form.optional(&at("position"), place.position, position);
            places.extend(id.map(|id| ChannelMove {
                id,
                position,
                parent_id,
                takes_overwrites: place.lock_permissions.unwrap_or(false),
            }));
        }
        form.finish(|| Some(places))
    }
}

impl OverwritePut {
    /// Checks all fields. The path names a role and a member of which one is meant.
    pub fn parse(self, [role, member]: [OverwriteTarget; 2]) -> Result<Overwrite, Rejection> {
        let mut form = Form::default();
        let target = form.required("type", self.r#type, is_member);
        let target = target.map(|is_member| if is_member { member } else { role });
        let (allow, deny) = bits(&mut form, "", self.allow, self.deny);
        form.finish(|| {
            Some(Overwrite {
                target: target?,
                allow,
                deny,
            })
        })
    }
}

/// Numbers of channel types, as far as there are such channels here.
fn kind(Whole(number): Whole) -> Result<ChannelKind, Wrong> {
    match number {
        0 => Ok(ChannelKind::Text),
        2 => Ok(ChannelKind::Voice),
        4 => Ok(ChannelKind::Category),
        _ => Err(Wrong::new(
            "unknown_value",
            "must be 0 for text, 2 for voice or 4 for a category",
        )),
    }
}

fn overwrites(
    form: &mut Form,
    list: Option<Vec<Object<OverwriteInput>>>,
    spelling: &Spelling,
) -> Option<Vec<Overwrite>> {
    let list = form.optional(OVERWRITES, list, at_most(OVERWRITES_MAX))?;
    let mut targets = BTreeSet::new();
    let mut overwrites = Vec::with_capacity(list.len());
    for (index, Object(input)) in list.into_iter().enumerate() {
        let path = format!("{OVERWRITES}.{index}.");
        let Some(overwrite) = input.parse(&path, form, spelling) else {
            continue;
        };
        if targets.insert(overwrite.target) {
            overwrites.push(overwrite);
        } else {
            let wrong = Wrong::new("duplicate", "must bind whom no other entry binds");
            form.note(&path, wrong);
        }
    }
    Some(overwrites)
}

impl OverwriteInput {
    fn parse(self, path: &str, form: &mut Form, spelling: &Spelling) -> Option<Overwrite> {
        let at = |field: &str| format!("{path}{field}");
        let is_member = form.required(&at("type"), self.r#type, is_member);
        let target = if is_member == Some(true) {
            let id = form.required(&at("id"), self.id, snowflake(spelling));
            id.map(OverwriteTarget::Member)
        } else {
            let id = form.required(&at("id"), self.id, snowflake(spelling));
            id.map(OverwriteTarget::Role)
        };
        let (allow, deny) = bits(form, path, self.allow, self.deny);
        is_member?;
        Some(Overwrite {
            target: target?,
            allow,
            deny,
        })
    }
}

/// Numbers of the two kinds of targets.
fn is_member(Whole(number): Whole) -> Result<bool, Wrong> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Wrong::new(
            "unknown_value",
            "must be 0 for a role or 1 for a member",
        )),
    }
}

/// What is granted and taken; nothing where nothing is said.
fn bits(
    form: &mut Form,
    path: &str,
    allow: Option<Digits>,
    deny: Option<Digits>,
) -> (Permissions, Permissions) {
    let none = |bits: Option<Permissions>| bits.unwrap_or(Permissions::empty());
    let allow = form.optional(&format!("{path}allow"), allow, permissions);
    let deny = form.optional(&format!("{path}deny"), deny, permissions);
    (none(allow), none(deny))
}
