//! Bodies of dispatches about messages, reactions and pins in the Discord dialect.

use bytes::Bytes;
use guildhall_model::event::Event;
use guildhall_model::message::Place;
use guildhall_model::{ChannelId, MessageId, id};
use serde::Serialize;

use crate::discord::emoji::Emoji;
use crate::discord::message::Message;
use crate::discord::reaction::ReactionChange;
use crate::dispatch::{EncodeError, Look, write};
use crate::file_url::FileUrls;
use crate::id::Decimal;
use crate::time::Iso8601;

pub(super) fn body(event: &Event, look: Look, urls: &FileUrls) -> Result<Bytes, EncodeError> {
    match event {
        Event::MessageCreated(message) | Event::MessageUpdated(message) => {
            let body = Message::new(message, urls);
            write(look, &if look.blanked { body.blanked() } else { body })
        }
        Event::MessageDeleted {
            id,
            channel_id,
            place,
            ..
        } => write(look, &MessageDelete::new(*id, *channel_id, place)),
        Event::MessagesDeleted {
            ids,
            channel_id,
            place,
        } => write(look, &MessageDeleteBulk::new(ids, *channel_id, place)),
        Event::PinsChanged {
            channel_id,
            place,
            last_pin,
        } => write(
            look,
            &ChannelPinsUpdate {
                guild_id: guild_at(*channel_id, place),
                channel_id: Decimal(*channel_id),
                last_pin_timestamp: last_pin.map(Iso8601),
            },
        ),
        Event::ReactionsCleared {
            message_id,
            channel_id,
            place,
            emoji,
        } => write(
            look,
            &ReactionsCleared {
                guild_id: guild_at(*channel_id, place),
                channel_id: Decimal(*channel_id),
                message_id: Decimal(*message_id),
                emoji: emoji.as_ref().map(Emoji::new),
            },
        ),
        Event::ReactionAdded(reaction) => write(look, &ReactionChange::added(reaction)),
        Event::ReactionRemoved(reaction) => write(look, &ReactionChange::removed(reaction)),
        _ => Err(EncodeError::Misplaced),
    }
}

#[derive(Serialize)]
struct MessageDelete {
    id: Decimal<id::kind::Message>,
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
}

impl MessageDelete {
    fn new(id: MessageId, channel_id: ChannelId, place: &Place) -> Self {
        Self {
            id: Decimal(id),
            channel_id: Decimal(channel_id),
            guild_id: guild_at(channel_id, place),
        }
    }
}

fn guild_at(channel_id: ChannelId, place: &Place) -> Option<Decimal<id::kind::Guild>> {
    place.source(channel_id).guild_id().map(Decimal)
}

#[derive(Serialize)]
struct MessageDeleteBulk {
    ids: Vec<Decimal<id::kind::Message>>,
    channel_id: Decimal<id::kind::Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
}

impl MessageDeleteBulk {
    fn new(ids: &[MessageId], channel_id: ChannelId, place: &Place) -> Self {
        Self {
            ids: ids.iter().copied().map(Decimal).collect(),
            channel_id: Decimal(channel_id),
            guild_id: guild_at(channel_id, place),
        }
    }
}

#[derive(Serialize)]
struct ChannelPinsUpdate {
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    channel_id: Decimal<id::kind::Channel>,
    last_pin_timestamp: Option<Iso8601>,
}

/// MESSAGE_REACTION_REMOVE_ALL, and with an emoji MESSAGE_REACTION_REMOVE_EMOJI.
#[derive(Serialize)]
struct ReactionsCleared<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    guild_id: Option<Decimal<id::kind::Guild>>,
    channel_id: Decimal<id::kind::Channel>,
    message_id: Decimal<id::kind::Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<Emoji<'a>>,
}
