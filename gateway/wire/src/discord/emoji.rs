//! Emoji within reactions.

use guildhall_model::message as model;
use serde::Serialize;

use super::Nothing;

/// A standard emoji.
#[derive(Clone, Copy, Serialize)]
pub struct Emoji<'a> {
    /// Custom ones have an id.
    id: Nothing,
    name: &'a str,
    animated: bool,
}

impl<'a> Emoji<'a> {
    /// The emoji by its Unicode text.
    pub fn new(emoji: &'a model::Emoji) -> Self {
        Self {
            id: (),
            name: &emoji.0,
            animated: false,
        }
    }
}
