//! MESSAGE_REACTION_ADD and MESSAGE_REACTION_REMOVE.

use guildhall_model::{event as model, id};
use serde::Serialize;

use super::NoList;
use super::emoji::Emoji;
use super::member::Member;
use crate::id::Decimal;

#[derive(Serialize)]
pub(crate) struct ReactionChange<'a> {
    user_id: Decimal<id::kind::User>,
    channel_id: Decimal<id::kind::Channel>,
    message_id: Decimal<id::kind::Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    emoji: Emoji<'a>,
    r#type: u8,
    burst: bool,
    burst_colors: NoList,
    #[serde(flatten)]
    added: Option<Added<'a>>,
}

/// What only an added reaction tells.
#[derive(Serialize)]
struct Added<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Member<'a>>,
    message_author_id: Decimal<id::kind::User>,
}

impl<'a> ReactionChange<'a> {
    pub(crate) fn added(reaction: &'a model::Reaction) -> Self {
        Self {
            added: Some(Added {
                member: reaction.member.as_ref().map(Member::new),
                message_author_id: Decimal(reaction.message_author_id),
            }),
            ..Self::removed(reaction)
        }
    }

    pub(crate) fn removed(reaction: &'a model::Reaction) -> Self {
        let source = reaction.place.source(reaction.channel_id);
        Self {
            user_id: Decimal(reaction.user_id),
            channel_id: Decimal(reaction.channel_id),
            message_id: Decimal(reaction.message_id),
            guild_id: source.guild_id().map(Decimal),
            emoji: Emoji::new(&reaction.emoji),
            r#type: 0,
            burst: false,
            burst_colors: [],
            added: None,
        }
    }
}
