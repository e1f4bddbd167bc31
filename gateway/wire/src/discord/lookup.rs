//! SOUNDBOARD_SOUNDS and CHANNEL_INFO: answers about what no guild has here.

use guildhall_model::{GuildId, id};
use serde::Serialize;

use super::NoList;
use crate::id::Decimal;

#[derive(Serialize)]
pub(crate) struct SoundboardSounds {
    guild_id: Decimal<id::kind::Guild>,
    soundboard_sounds: NoList,
}

impl SoundboardSounds {
    pub(crate) const fn new(guild: GuildId) -> Self {
        Self {
            guild_id: Decimal(guild),
            soundboard_sounds: [],
        }
    }
}

/// Lists the channels that have a status or a call.
#[derive(Serialize)]
pub(crate) struct ChannelInfo {
    guild_id: Decimal<id::kind::Guild>,
    channels: NoList,
}

impl ChannelInfo {
    pub(crate) const fn new(guild: GuildId) -> Self {
        Self {
            guild_id: Decimal(guild),
            channels: [],
        }
    }
}
