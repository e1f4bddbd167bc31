//! Emoji within reactions, and guilds' own.

use guildhall_model::{emoji as model, id, user};
use serde::Serialize;

use super::user::User;
use crate::id::Decimal;

/// An emoji within a reaction.
#[derive(Serialize)]
pub struct Emoji<'a> {
    /// Standard ones have none.
    id: Option<Decimal<id::kind::Emoji>>,
    name: &'a str,
    animated: bool,
}

impl<'a> Emoji<'a> {
    /// The emoji by its Unicode text, or by its id and name.
    pub fn new(emoji: &'a model::Emoji) -> Self {
        match emoji {
            model::Emoji::Standard(text) => Self {
                id: None,
                name: text,
                animated: false,
            },
            model::Emoji::Custom(custom) => Self {
                id: Some(Decimal(custom.id)),
                name: &custom.name,
                animated: custom.is_animated,
            },
        }
    }
}

/// An emoji of a guild.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the wire's shape")]
pub struct GuildEmoji<'a> {
    id: Decimal<id::kind::Emoji>,
    name: &'a str,
    roles: Vec<Decimal<id::kind::Role>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    require_colons: bool,
    managed: bool,
    animated: bool,
    available: bool,
}

impl<'a> GuildEmoji<'a> {
    /// The emoji without who made it.
    pub fn new(emoji: &'a model::GuildEmoji) -> Self {
        Self {
            id: Decimal(emoji.id),
            name: &emoji.name,
            roles: emoji.roles.iter().copied().map(Decimal).collect(),
            user: None,
            require_colons: true,
            managed: false,
            animated: emoji.is_animated,
            available: true,
        }
    }

    /// The same with who made it, for those who may see that.
    pub fn by(self, creator: Option<&'a user::User>) -> Self {
        Self {
            user: creator.map(User::new),
            ..self
        }
    }
}
