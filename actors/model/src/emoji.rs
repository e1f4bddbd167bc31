//! Emoji: the standard ones, and those that guilds make of pictures of their own.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::event::Change;
use crate::id::{EmojiId, GuildId, RoleId, UserId};

/// An emoji as it is given to a message.
///
/// Two are the same if they name the same thing: a guild's own keeps its id when it is renamed, so
/// neither its name nor its movement counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Emoji {
    /// A standard one, as its Unicode text.
    Standard(String),
    /// A guild's own.
    Custom(CustomEmoji),
}

/// A guild's own emoji as it was when it was given: it may have ended since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomEmoji {
    /// Names the emoji.
    pub id: EmojiId,
    /// What it was called.
    pub name: String,
    /// It moves.
    pub is_animated: bool,
}

/// What tells emoji apart.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Identity<'a> {
    Standard(&'a str),
    Custom(EmojiId),
}

impl Emoji {
    fn identity(&self) -> Identity<'_> {
        match self {
            Self::Standard(text) => Identity::Standard(text),
            Self::Custom(custom) => Identity::Custom(custom.id),
        }
    }
}

impl PartialEq for Emoji {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Emoji {}

impl Ord for Emoji {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl PartialOrd for Emoji {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Emoji {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// An emoji that a guild has made of a picture. When it was made is in its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GuildEmoji {
    /// Names the emoji, and its picture among our files.
    pub id: EmojiId,
    /// The guild that it belongs to.
    pub guild_id: GuildId,
    /// 2 to 32 letters, digits and underscores.
    pub name: String,
    /// It moves.
    pub is_animated: bool,
    /// Who may use it: everybody where empty. Sorted by id; roles that have ended stay, so that
    /// what was kept to some does not become everybody's.
    pub roles: Vec<RoleId>,
    /// Who made it.
    pub creator_id: UserId,
}

impl GuildEmoji {
    /// A member with these roles may use it.
    pub fn is_open_to(&self, roles: &[RoleId]) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|role| roles.contains(role))
    }

    /// As it is given to a message now.
    pub fn given(&self) -> CustomEmoji {
        CustomEmoji {
            id: self.id,
            name: self.name.clone(),
            is_animated: self.is_animated,
        }
    }
}

/// A guild's emojis after one of them changed. Clients are told of all of them every time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmojisChange {
    /// What changed.
    pub change: EmojiChange,
    /// All emojis of the guild afterwards, by id.
    pub emojis: Vec<GuildEmoji>,
}

/// What happened to one emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmojiChange {
    /// It was made.
    Created(GuildEmoji),
    /// Its name or roles changed.
    Updated(Change<GuildEmoji>),
    /// It ended.
    Deleted(GuildEmoji),
}

#[cfg(test)]
mod tests {
    use crate::Id;

    use super::*;

    fn custom(id: u64, name: &str) -> Emoji {
        Emoji::Custom(CustomEmoji {
            id: Id::new(id).unwrap(),
            name: name.to_owned(),
            is_animated: name.len() > 4,
        })
    }

    #[test]
    fn a_renamed_emoji_is_the_same() {
        assert_eq!(custom(1, "beer"), custom(1, "lemonade"));
        assert_ne!(custom(1, "beer"), custom(2, "beer"));
        assert_ne!(custom(1, "1"), Emoji::Standard("1".to_owned()));
    }

    #[test]
    fn an_emoji_is_open_to_all_or_to_its_roles() {
        let role = |n| Id::new(n).unwrap();
        let mut emoji = GuildEmoji {
            id: Id::new(1).unwrap(),
            guild_id: Id::new(2).unwrap(),
            name: "beer".to_owned(),
            is_animated: false,
            roles: Vec::new(),
            creator_id: Id::new(3).unwrap(),
        };
        assert!(emoji.is_open_to(&[]));
        emoji.roles = vec![role(5), role(6)];
        assert!(emoji.is_open_to(&[role(4), role(6)]));
        assert!(!emoji.is_open_to(&[role(4)]));
    }
}
