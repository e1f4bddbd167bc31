//! Whom a message may mention.
//! <https://discord.com/developers/docs/resources/message#allowed-mentions-object>

use guildhall_model::Id;
use guildhall_model::command::{Allowed, AllowedMentions};
use guildhall_model::limits::MENTIONS_MAX;
use serde::Deserialize;

use super::input::{Digits, snowflake};
use crate::id::Spelling;
use crate::native::request::form::{Form, Wrong};

/// What a bot allows; all where it says nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AllowedMentionsInput {
    parse: Option<Vec<String>>,
    users: Option<Vec<Digits>>,
    roles: Option<Vec<Digits>>,
    replied_user: Option<bool>,
}

impl AllowedMentionsInput {
    pub(super) fn parse(self, form: &mut Form, spelling: &Spelling) -> AllowedMentions {
        let kinds = self.parse.unwrap_or_default();
        for (n, kind) in kinds.iter().enumerate() {
            if !["everyone", "users", "roles"].contains(&kind.as_str()) {
                let path = format!("allowed_mentions.parse.{n}");
                let message = "must be everyone, users or roles";
                form.note(&path, Wrong::new("unknown_value", message));
            }
        }
        let has = |kind: &str| kinds.iter().any(|given| given == kind);
        let users = named("users", self.users, has("users"), form, spelling);
        let roles = named("roles", self.roles, has("roles"), form, spelling);
        AllowedMentions {
            everyone: has("everyone"),
            roles,
            users,
            replied_user: self.replied_user.unwrap_or(false),
        }
    }
}

/// A bot that says nothing mentions whom its text names, and whom it answers.
pub(super) fn unlimited() -> AllowedMentions {
    AllowedMentions {
        replied_user: true,
        ..AllowedMentions::default()
    }
}

fn named<K>(
    kind: &str,
    ids: Option<Vec<Digits>>,
    are_all: bool,
    form: &mut Form,
    spelling: &Spelling,
) -> Allowed<Id<K>> {
    let path = format!("allowed_mentions.{kind}");
    let ids = ids.unwrap_or_default();
    if MENTIONS_MAX < ids.len() {
        let message = format!("must have at most {MENTIONS_MAX} entries");
        form.note(&path, Wrong::new("too_many", message));
        return Allowed::These(Vec::new());
    }
    if are_all && !ids.is_empty() {
        let message = "must not be given together with the same kind in parse";
        form.note(&path, Wrong::new("mutually_exclusive", message));
    }
    if are_all {
        return Allowed::All;
    }
    let numbered = ids.into_iter().enumerate();
    let ids = numbered
        .filter_map(|(n, id)| form.optional(&format!("{path}.{n}"), Some(id), snowflake(spelling)));
    Allowed::These(ids.collect())
}
