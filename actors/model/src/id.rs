//! Typed ids: one number, many kinds, and no way to confuse two kinds.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 63-bit snowflake that names one object of kind `K`. Never zero.
///
/// The layout of the number is in [`crate::snowflake`]; its two spellings for clients are in
/// `gateway/wire`.
pub struct Id<K> {
    raw: NonZeroU64,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The id with this number, or `None` for zero and for numbers over 63 bits, which are never
    /// issued.
    pub const fn new(raw: u64) -> Option<Self> {
        if raw > i64::MAX as u64 {
            return None;
        }
        match NonZeroU64::new(raw) {
            Some(raw) => Some(Self {
                raw,
                kind: PhantomData,
            }),
            None => None,
        }
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.raw.get()
    }

    /// The number as databases hold it. Ids have 63 bits, so the sign never flips.
    #[expect(clippy::cast_possible_wrap, reason = "ids have 63 bits")]
    pub const fn as_i64(self) -> i64 {
        self.raw.get() as i64
    }

    /// Reads back what [`Self::as_i64`] wrote.
    #[expect(clippy::cast_sign_loss, reason = "negative numbers are refused first")]
    pub const fn from_i64(raw: i64) -> Option<Self> {
        if raw < 0 { None } else { Self::new(raw as u64) }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = u64::deserialize(deserializer)?;
        Self::new(raw).ok_or_else(|| serde::de::Error::custom("an id has 1 to 63 bits"))
    }
}

/// The kinds of things that have ids.
pub mod kind {
    /// A bot's owner-side registration.
    pub enum Application {}
    /// A file that is attached to a message.
    pub enum Attachment {}
    /// Something that a guild's managers did.
    pub enum AuditEntry {}
    /// A text or voice channel of a guild, or a direct-message channel.
    pub enum Channel {}
    /// A command that an application offers.
    pub enum Command {}
    /// A picture of a guild that stands in texts.
    pub enum Emoji {}
    /// A community of channels; "server" in the native dialect.
    pub enum Guild {}
    /// A use of a command, button or menu.
    pub enum Interaction {}
    /// One authenticated device of a person.
    pub enum Login {}
    /// A chat message.
    pub enum Message {}
    /// A role of a guild.
    pub enum Role {}
    /// A person or a bot.
    pub enum User {}
    /// An address by which programs post into a channel.
    pub enum Webhook {}
}

/// Names an application.
pub type ApplicationId = Id<kind::Application>;
/// Names an attachment.
pub type AttachmentId = Id<kind::Attachment>;
/// Names an entry of a guild's audit log.
pub type AuditEntryId = Id<kind::AuditEntry>;
/// Names a channel.
pub type ChannelId = Id<kind::Channel>;
/// Names a command of an application.
pub type CommandId = Id<kind::Command>;
/// Names a guild's own emoji.
pub type EmojiId = Id<kind::Emoji>;
/// Names a guild.
pub type GuildId = Id<kind::Guild>;
/// Names an interaction.
pub type InteractionId = Id<kind::Interaction>;
/// Names a login.
pub type LoginId = Id<kind::Login>;
/// Names a message.
pub type MessageId = Id<kind::Message>;
/// Names a role.
pub type RoleId = Id<kind::Role>;
/// Names a user.
pub type UserId = Id<kind::User>;
/// Names a webhook.
pub type WebhookId = Id<kind::Webhook>;

impl GuildId {
    /// The `@everyone` role carries its guild's number: Discord's clients rely on it.
    pub const fn everyone_role(self) -> RoleId {
        Id {
            raw: self.raw,
            kind: PhantomData,
        }
    }
}

impl ApplicationId {
    /// A bot user carries its application's number.
    pub const fn bot_user(self) -> UserId {
        Id {
            raw: self.raw,
            kind: PhantomData,
        }
    }
}

impl WebhookId {
    /// What a webhook posts has an author of its own number. No user has it.
    pub const fn author(self) -> UserId {
        Id {
            raw: self.raw,
            kind: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_the_sign_bit_are_no_ids() {
        assert_eq!(UserId::new(0), None);
        assert_eq!(UserId::new(1 << 63), None);
        assert_eq!(UserId::from_i64(-1), None);
        assert_eq!(UserId::new(7).map(Id::as_i64), Some(7));
    }

    #[test]
    fn everyone_has_the_number_of_its_guild() {
        let guild = GuildId::new(81).unwrap();
        assert_eq!(guild.everyone_role().get(), guild.get());
    }
}
