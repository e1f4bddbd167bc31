//! Bodies of dispatches about messages, reactions and pins in the native dialect.

use bytes::Bytes;
use guildhall_model::ChannelId;
use guildhall_model::event::{self, Event};
use guildhall_model::message::Place;
use serde::Serialize;

use crate::dispatch::{EncodeError, Look, write};
use crate::emoji_text::EmojiText;
use crate::id::{Spelling, UuidText};
use crate::installation::Installation;
use crate::native::message::MessageBody;
use crate::time::Utc;

pub(super) fn body(
    event: &Event,
    look: Look,
    installation: &Installation,
) -> Result<Bytes, EncodeError> {
    let spelling = &installation.spelling;
    match event {
        Event::MessageCreated(message) | Event::MessageUpdated(message) => {
            let body = MessageBody::new(message, installation);
            write(look, &if look.blanked { body.blanked() } else { body })
        }
        Event::MessageDeleted {
            id,
            channel_id,
            place,
            ..
        } => write(
            look,
            &MessageDelete {
                id: spelling.uuid(*id),
                channel_id: spelling.uuid(*channel_id),
                server_id: server_at(*channel_id, place, spelling),
            },
        ),
        Event::MessagesDeleted {
            ids,
            channel_id,
            place,
        } => write(
            look,
            &MessagesDelete {
                ids: ids.iter().map(|id| spelling.uuid(*id)).collect(),
                channel_id: spelling.uuid(*channel_id),
                server_id: server_at(*channel_id, place, spelling),
            },
        ),
        Event::PinsChanged {
            channel_id,
            place,
            last_pin,
        } => write(
            look,
            &PinsChange {
                channel_id: spelling.uuid(*channel_id),
                server_id: server_at(*channel_id, place, spelling),
                last_pin_at: last_pin.map(Utc),
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
                message_id: spelling.uuid(*message_id),
                channel_id: spelling.uuid(*channel_id),
                server_id: server_at(*channel_id, place, spelling),
                emoji: emoji.as_ref().map(|emoji| EmojiText::new(emoji, spelling)),
            },
        ),
        Event::ReactionAdded(reaction) | Event::ReactionRemoved(reaction) => {
            write(look, &ReactionChange::new(reaction, spelling))
        }
        _ => Err(EncodeError::Misplaced),
    }
}

#[derive(Serialize)]
struct MessageDelete {
    id: UuidText,
    channel_id: UuidText,
    server_id: Option<UuidText>,
}

#[derive(Serialize)]
struct MessagesDelete {
    ids: Vec<UuidText>,
    channel_id: UuidText,
    server_id: Option<UuidText>,
}

#[derive(Serialize)]
struct PinsChange {
    channel_id: UuidText,
    server_id: Option<UuidText>,
    /// When the newest pin was set; none is left where it is null.
    last_pin_at: Option<Utc>,
}

/// All reactions of a message, or all of one emoji.
#[derive(Serialize)]
struct ReactionsCleared<'a> {
    message_id: UuidText,
    channel_id: UuidText,
    server_id: Option<UuidText>,
    emoji: Option<EmojiText<'a>>,
}

fn server_at(channel_id: ChannelId, place: &Place, spelling: &Spelling) -> Option<UuidText> {
    let guild = place.source(channel_id).guild_id();
    guild.map(|id| spelling.uuid(id))
}

#[derive(Serialize)]
struct ReactionChange<'a> {
    message_id: UuidText,
    channel_id: UuidText,
    server_id: Option<UuidText>,
    user_id: UuidText,
    emoji: EmojiText<'a>,
}

impl<'a> ReactionChange<'a> {
    fn new(reaction: &'a event::Reaction, spelling: &Spelling) -> Self {
        let source = reaction.place.source(reaction.channel_id);
        Self {
            message_id: spelling.uuid(reaction.message_id),
            channel_id: spelling.uuid(reaction.channel_id),
            server_id: source.guild_id().map(|id| spelling.uuid(id)),
            user_id: spelling.uuid(reaction.user_id),
            emoji: EmojiText::new(&reaction.emoji, spelling),
        }
    }
}
