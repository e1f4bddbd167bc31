//! Members: changing them, and keeping users out.

use guildhall_model::command::{MemberUpdate, RolesEdit};
use guildhall_model::limits::{BAN_PURGE_S_MAX, BULK_BAN_MAX, ROLES_MAX};
use guildhall_model::text::DisplayName;
use guildhall_model::{Id, Rejection, UserId};
use serde::Deserialize;

use super::input::{Digits, at_most, between, instant, snowflake};
use crate::id::Spelling;
use crate::native::request::Patch;
use crate::native::request::form::{Form, text};
use crate::native::request::whole::Whole;

/// `PATCH /guilds/{id}/members/{id}`
#[derive(Debug, Default, Deserialize)]
pub struct MemberPatch {
    #[serde(default)]
    nick: Patch<String>,
    #[serde(default)]
    roles: Patch<Vec<Digits>>,
    #[serde(default)]
    communication_disabled_until: Patch<String>,
}

/// `PATCH /guilds/{id}/members/@me`
#[derive(Debug, Default, Deserialize)]
pub struct OwnMemberPatch {
    #[serde(default)]
    nick: Patch<String>,
}

/// `PUT /guilds/{id}/bans/{id}`; the whole body may be left out.
#[derive(Debug, Default, Deserialize)]
pub struct BanPut {
    delete_message_seconds: Option<Whole>,
}

/// `POST /guilds/{id}/bulk-ban`
#[derive(Debug, Default, Deserialize)]
pub struct BulkBan {
    user_ids: Option<Vec<Digits>>,
    delete_message_seconds: Option<Whole>,
}

impl MemberPatch {
    /// Checks all fields.
    pub fn parse(self, spelling: &Spelling) -> Result<MemberUpdate, Rejection> {
        let mut form = Form::default();
        let nick = nick(&mut form, self.nick);
        let roles = match form.removable("roles", self.roles, at_most(ROLES_MAX)) {
            None => None,
            Some(None) => Some(Vec::new()),
            Some(Some(list)) => Some(ids(&mut form, "roles", list, spelling)),
        };
        let timed_out_until = form.removable(
            "communication_disabled_until",
            self.communication_disabled_until,
            instant,
        );
        form.finish(|| {
            Some(MemberUpdate {
                nick,
                roles: roles.map(RolesEdit::Exactly),
                timed_out_until,
            })
        })
    }
}

impl OwnMemberPatch {
    /// Checks all fields.
    pub fn parse(self) -> Result<MemberUpdate, Rejection> {
        let mut form = Form::default();
        let update = MemberUpdate {
            nick: nick(&mut form, self.nick),
            ..MemberUpdate::default()
        };
        form.finish(|| Some(update))
    }
}

impl BanPut {
    /// How many seconds of the user's messages go with it.
    pub fn parse(self) -> Result<u32, Rejection> {
        let mut form = Form::default();
        let purged = purged(&mut form, self.delete_message_seconds);
        form.finish(|| Some(purged))
    }
}

impl BulkBan {
    /// The users, each once, and how many seconds of their messages go with them.
    pub fn parse(self, spelling: &Spelling) -> Result<(Vec<UserId>, u32), Rejection> {
        let mut form = Form::default();
        let purged = purged(&mut form, self.delete_message_seconds);
        let list = form.required("user_ids", self.user_ids, at_most(BULK_BAN_MAX));
        let mut users =
            list.map_or_else(Vec::new, |list| ids(&mut form, "user_ids", list, spelling));
        users.sort_unstable();
        users.dedup();
        form.finish(|| Some((users, purged)))
    }
}

/// An empty name is none, as in Discord.
#[expect(
    clippy::option_option,
    reason = "so the model tells leaving from removing"
)]
fn nick(form: &mut Form, nick: Patch<String>) -> Option<Option<DisplayName>> {
    let nick = match nick {
        Patch::Value(name) if name.is_empty() => Patch::Null,
        other => other,
    };
    form.removable("nick", nick, text(DisplayName::parse))
}

fn purged(form: &mut Form, seconds: Option<Whole>) -> u32 {
    let path = "delete_message_seconds";
    let seconds = form.optional(path, seconds, between(0, i64::from(BAN_PURGE_S_MAX)));
    seconds.unwrap_or(0)
}

fn ids<K>(form: &mut Form, path: &str, list: Vec<Digits>, spelling: &Spelling) -> Vec<Id<K>> {
    let mut ids = Vec::with_capacity(list.len());
    for (index, digits) in list.into_iter().enumerate() {
        let path = format!("{path}.{index}");
        ids.extend(form.optional(&path, Some(digits), snowflake(spelling)));
    }
    ids
}
