//! Roles: named sets of permissions in an order of rank.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::id::{GuildId, RoleId};
use crate::permission::Permissions;

/// A role of a guild.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Role {
    /// Names the role; `@everyone` has its guild's number.
    pub id: RoleId,
    /// The guild that it belongs to.
    pub guild_id: GuildId,
    /// 1 to 100 characters.
    pub name: String,
    /// `0xRRGGBB`; zero means none.
    pub color: u32,
    /// Shown apart in member lists.
    pub hoist: bool,
    /// Everybody may mention it.
    pub mentionable: bool,
    /// Belongs to a bot and cannot be assigned by hand.
    pub managed: bool,
    /// What it grants.
    pub permissions: Permissions,
    /// Order among the guild's roles; `@everyone` is 0.
    pub position: u16,
}

/// A place in a guild's order of command. Greater outranks; equal positions rank by age, older
/// first, as Discord documents for role sorting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u16, Reverse<RoleId>);

impl Role {
    /// Where the role stands.
    pub const fn rank(&self) -> Rank {
        Rank(self.position, Reverse(self.id))
    }

    /// The role that every member has.
    pub fn is_everyone(&self) -> bool {
        self.id == self.guild_id.everyone_role()
    }
}
