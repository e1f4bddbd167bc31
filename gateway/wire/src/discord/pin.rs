//! Pages of pinned messages.
//! <https://discord.com/developers/docs/resources/message#get-channel-pins>

use guildhall_model::Timestamp;
use serde::Serialize;

use super::message::Message;
use crate::time::Iso8601;

/// A page of pins, the last one first.
#[derive(Serialize)]
pub struct Pins<'a> {
    items: Vec<Pin<'a>>,
    has_more: bool,
}

#[derive(Serialize)]
struct Pin<'a> {
    pinned_at: Iso8601,
    message: Message<'a>,
}

impl<'a> Pins<'a> {
    /// The page of these messages, each with when it was pinned; those that are not are left out.
    pub fn new(
        pins: impl Iterator<Item = (Option<Timestamp>, Message<'a>)>,
        has_more: bool,
    ) -> Self {
        let pin = |(at, message): (Option<Timestamp>, _)| {
            let pinned_at = Iso8601(at?);
            Some(Pin { pinned_at, message })
        };
        Self {
            items: pins.filter_map(pin).collect(),
            has_more,
        }
    }
}
