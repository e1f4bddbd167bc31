//! Members: joining, nicknames, bans.

use guildhall_model::Rejection;
use guildhall_model::limits::INVITE_CODE_CHARS_MAX;
use guildhall_model::text::{DisplayName, Reason};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, Wrong, text};
use super::patch::Patch;
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
}

impl BanCreate {
    /// The reason, if one was given.
    pub fn parse(self) -> Result<Option<Reason>, Rejection> {
        let mut form = Form::default();
        let reason = form.optional("reason", self.reason, text(Reason::parse));
        form.finish(|| Some(reason))
    }
}
