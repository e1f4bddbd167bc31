//! Members: joining, nicknames, bans.

use guildhall_model::Rejection;
use guildhall_model::limits::{BAN_PURGE_S_MAX, INVITE_CODE_CHARS_MAX};
use guildhall_model::text::{DisplayName, Reason};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, Wrong, text, up_to};
use super::patch::Patch;
use super::whole::Whole;
use crate::native::schema;

/// `POST /servers/{id}/join`; the whole body may be left out for a public server.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Join {
    #[schema(schema_with = schema::invite_code)]
    code: Option<String>,
}

impl Join {
    /// The code, if one was sent.
    pub fn parse(self) -> Result<Option<String>, Rejection> {
        let mut form = Form::default();
        let code = form.optional("code", self.code, |code| {
            if code.is_empty() || INVITE_CODE_CHARS_MAX < code.chars().count() {
                return Err(Wrong::new("invalid_code", "must be an invite code"));
            }
            Ok(code)
        });
        form.finish(|| Some(code))
    }
}

/// The body that sets or, with `null`, removes a nickname.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MemberNick {
    #[serde(default)]
    #[schema(required = true, schema_with = schema::display_name)]
    nick: Patch<String>,
}

impl MemberNick {
    /// The nickname to set, or `None` to remove it.
    pub fn parse(self) -> Result<Option<DisplayName>, Rejection> {
        let mut form = Form::default();
        if self.nick == Patch::Absent {
            form.note("nick", Wrong::new("required", "is required"));
        }
        let nick = form.removable("nick", self.nick, text(DisplayName::parse));
        form.finish(|| nick)
    }
}

/// The body of a ban; it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct BanCreate {
    #[schema(schema_with = schema::reason)]
    reason: Option<String>,
    /// How far back the user's messages are deleted.
    #[schema(schema_with = schema::ban_purge)]
    delete_message_seconds: Option<Whole>,
}

impl BanCreate {
    /// The reason, if one was given, and how many seconds of the user's messages go with it.
    pub fn parse(self) -> Result<(Option<Reason>, u32), Rejection> {
        let mut form = Form::default();
        let reason = form.optional("reason", self.reason, text(Reason::parse));
        let path = "delete_message_seconds";
        let check = up_to(i64::from(BAN_PURGE_S_MAX));
        let purged = form.optional(path, self.delete_message_seconds, check);
        form.finish(|| Some((reason, purged.unwrap_or(0))))
    }
}
