//! Presences.

use guildhall_model::user::Appearance;
use guildhall_model::{GuildId, UserId, id};
use serde::Serialize;

use super::user::UserRef;
use super::{NoList, NoObject};
use crate::id::Decimal;

/// How a user appears in a guild.
#[derive(Serialize)]
pub(crate) struct Presence {
    user: UserRef,
    guild_id: Decimal<id::kind::Guild>,
    status: &'static str,
    activities: NoList,
    /// Which kinds of clients are connected, which Guildhall does not tell.
    client_status: NoObject,
}

impl Presence {
    pub(crate) const fn new(guild_id: GuildId, user_id: UserId, appearance: Appearance) -> Self {
        Self {
            user: UserRef::new(user_id),
            guild_id: Decimal(guild_id),
            status: match appearance {
                Appearance::Online => "online",
                Appearance::Idle => "idle",
                Appearance::Dnd => "dnd",
                Appearance::Offline => "offline",
            },
            activities: [],
            client_status: NoObject {},
        }
    }
}
