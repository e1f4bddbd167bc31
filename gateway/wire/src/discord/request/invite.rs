//! Invites: making them.

use guildhall_model::Rejection;
use guildhall_model::command::NewInvite;
use guildhall_model::limits::{INVITE_AGE_S_MAX, INVITE_USES_MAX};
use serde::Deserialize;

use super::input::between;
use crate::native::request::form::Form;
use crate::native::request::whole::Whole;

/// Seconds that an invite lasts where its maker does not say.
const AGE_S_DEFAULT: u32 = 24 * 3_600;

/// `POST /channels/{id}/invites`; the whole body may be left out.
#[derive(Debug, Default, Deserialize)]
pub struct InviteCreate {
    max_age: Option<Whole>,
    max_uses: Option<Whole>,
    temporary: Option<bool>,
}

impl InviteCreate {
    /// Checks all fields. The code is drawn, and the channel stands in the path.
    pub fn parse(self) -> Result<NewInvite, Rejection> {
        let mut form = Form::default();
        let age = between(0, i64::from(INVITE_AGE_S_MAX));
        let max_age_s = form.optional("max_age", self.max_age, age);
        let uses = between(0, i64::from(INVITE_USES_MAX));
        let max_uses = form.optional("max_uses", self.max_uses, uses);
        form.finish(|| {
            Some(NewInvite {
                code: String::new(),
                channel_id: None,
                max_uses: max_uses.unwrap_or(0),
                max_age_s: max_age_s.unwrap_or(AGE_S_DEFAULT),
                temporary: self.temporary.unwrap_or(false),
            })
        })
    }
}
