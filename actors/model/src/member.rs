//! A user within a guild.

use serde::{Deserialize, Serialize};

use crate::id::{RoleId, UserId};
use crate::time::Timestamp;
use crate::user::User;

/// A user within a guild.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The public identity.
    pub user: User,
    /// A name for this guild only, 1 to 32 characters.
    pub nick: Option<String>,
    /// Sorted by id, without `@everyone`, which every member has.
    pub roles: Vec<RoleId>,
    /// When the user joined.
    pub joined_at: Timestamp,
    /// Until then the member may only look.
    pub timed_out_until: Option<Timestamp>,
    /// Came by a temporary invite: leaves when the last session ends, unless a role was given.
    pub temporary: bool,
}

/// A ban of a guild.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ban {
    /// Who may not come back.
    pub user: User,
    /// Why, up to 512 characters.
    pub reason: Option<String>,
    /// Who did it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}
