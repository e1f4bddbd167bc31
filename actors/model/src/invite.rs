//! Invites: codes that let people into a guild.

use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, GuildId, UserId};
use crate::time::Timestamp;

/// An invite to a guild.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Invite {
    /// What people type; letters and digits.
    pub code: String,
    /// The guild that it opens.
    pub guild_id: GuildId,
    /// The channel that it leads to.
    pub channel_id: ChannelId,
    /// Who made it.
    pub inviter_id: UserId,
    /// How often it was used.
    pub uses: u32,
    /// How often it may be used; 0 means without limit.
    pub max_uses: u32,
    /// Seconds from creation to expiry; 0 means never.
    pub max_age_s: u32,
    /// Members who come by it are temporary.
    pub temporary: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Invite {
    /// When it ends, if it does.
    pub fn expires_at(&self) -> Option<Timestamp> {
        (self.max_age_s > 0).then(|| self.created_at.plus_ms(i64::from(self.max_age_s) * 1_000))
    }

    /// It still opens the guild at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let unspent = self.max_uses == 0 || self.uses < self.max_uses;
        unspent && self.expires_at().is_none_or(|end| now < end)
    }
}
