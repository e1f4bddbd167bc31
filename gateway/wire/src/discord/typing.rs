//! TYPING_START.

use guildhall_model::{dispatch as model, id};
use serde::Serialize;

use super::member::Member;
use crate::id::Decimal;

#[derive(Serialize)]
pub(crate) struct TypingStart<'a> {
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    user_id: Decimal<id::kind::User>,
    /// Whole seconds, unlike every other time of the dialect.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Member<'a>>,
}

impl<'a> TypingStart<'a> {
    pub(crate) fn new(typing: &'a model::Typing) -> Self {
        Self {
            channel_id: Decimal(typing.channel_id),
            guild_id: typing.member.as_ref().map(|(guild, _)| Decimal(*guild)),
            user_id: Decimal(typing.user_id),
            timestamp: typing.since.ms_since(guildhall_model::Timestamp(0)) / 1_000,
            member: typing
                .member
                .as_ref()
                .map(|(_, member)| Member::new(member)),
        }
    }
}
