//! A person or a bot as others see them.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::picture::Picture;
use crate::time::Timestamp;

/// The public identity of a person or bot. When it was made is in its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct User {
    /// Names the user.
    pub id: UserId,
    /// Unique over the installation, compared in lower case.
    pub username: String,
    /// Shown instead of the username where set.
    pub display_name: Option<String>,
    /// The picture.
    pub avatar: Option<Picture>,
    /// A program that acts through an application.
    pub bot: bool,
    /// What the user chose to be shown as.
    pub status: Status,
    /// When the profile last changed.
    pub updated_at: Timestamp,
}

/// What a user chooses to be shown as. Others see [`Status::Invisible`] as offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Green.
    Online,
    /// Away.
    Idle,
    /// Do not disturb.
    Dnd,
    /// Connected but shown as offline.
    Invisible,
}

/// How a user appears to others at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Appearance {
    /// At least one session is online.
    Online,
    /// The most active session is idle.
    Idle,
    /// At least one session asks not to be disturbed.
    Dnd,
    /// No session, or invisible in all of them.
    Offline,
}

impl Appearance {
    /// How a user appears who appears in these two ways at two places: do not disturb wins over
    /// online, online over idle.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let rank = |appearance| match appearance {
            Self::Dnd => 3,
            Self::Online => 2,
            Self::Idle => 1,
            Self::Offline => 0,
        };
        if rank(self) < rank(other) {
            other
        } else {
            self
        }
    }
}

impl From<Status> for Appearance {
    fn from(status: Status) -> Self {
        match status {
            Status::Online => Self::Online,
            Status::Idle => Self::Idle,
            Status::Dnd => Self::Dnd,
            Status::Invisible => Self::Offline,
        }
    }
}
