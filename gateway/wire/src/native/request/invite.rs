//! Invites.

use guildhall_model::Rejection;
use guildhall_model::command::NewInvite;
use guildhall_model::limits::{INVITE_AGE_S_MAX, INVITE_USES_MAX};
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, id, up_to};
use super::whole::Whole;
use crate::id::Spelling;
use crate::native::schema;

/// Seconds that an invite lasts where its maker does not say: Discord's day.
const AGE_S_DEFAULT: u32 = 24 * 3_600;

/// The body that makes an invite; it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct InviteCreate {
    /// The first channel that the caller can see where left out.
    #[schema(value_type = Option<crate::id::UuidText>)]
    channel_id: Option<String>,
    #[schema(schema_with = schema::invite_uses)]
    max_uses: Option<Whole>,
    #[schema(schema_with = schema::invite_age)]
    max_age: Option<Whole>,
    /// Members who come by it leave with their last session, unless given a role.
    temporary: Option<bool>,
}

impl InviteCreate {
    /// Checks all fields; `code` comes from the caller's random numbers.
    pub fn parse(self, spelling: &Spelling, code: String) -> Result<NewInvite, Rejection> {
        let mut form = Form::default();
        let channel_id = form.optional("channel_id", self.channel_id, id(spelling));
        let max_uses = form.optional("max_uses", self.max_uses, up_to(i64::from(INVITE_USES_MAX)));
        let max_age_s = form.optional("max_age", self.max_age, up_to(i64::from(INVITE_AGE_S_MAX)));
        form.finish(|| {
            Some(NewInvite {
                code,
                channel_id,
                max_uses: max_uses.unwrap_or(0),
                max_age_s: max_age_s.unwrap_or(AGE_S_DEFAULT),
                temporary: self.temporary.unwrap_or(false),
            })
        })
    }
}
