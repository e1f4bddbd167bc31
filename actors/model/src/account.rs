//! Credentials, logins and applications: what proves who a caller is.

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, LoginId, UserId};
use crate::intent::Intents;
use crate::time::Timestamp;
use crate::user::User;

/// A user with what only its owner sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The public part.
    pub user: User,
    /// Unique over the installation, compared in lower case. Bots have none.
    pub email: Option<String>,
}

/// One authenticated device of a person. Its refresh tokens form one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// Names the login.
    pub id: LoginId,
    /// Whose it is.
    pub user_id: UserId,
    /// After this instant even a rotated refresh token is refused.
    pub expires_at: Timestamp,
    /// Set by logout, by reuse of a refresh token, or by an operator.
    pub revoked: bool,
}

/// A bot's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Names the application; its bot user has the same number.
    pub id: ApplicationId,
    /// Shown to people.
    pub name: String,
    /// Who made it.
    pub owner_id: UserId,
    /// Its bot.
    pub bot: User,
    /// Privileged intents that the bot may ask for.
    pub privileged_intents: Intents,
}

/// Who acts: a person through a login, or a bot through its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// On whose behalf.
    pub user_id: UserId,
    /// How it was proved.
    pub credential: Credential,
}

/// What a caller proved itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Credential {
    /// A person's access token, issued to this login.
    Login(LoginId),
    /// A bot token. The number rises whenever the token is replaced.
    Bot {
        /// The application that the token belongs to.
        application_id: ApplicationId,
        /// Which of the application's successive tokens.
        generation: u32,
        /// Privileged intents that the bot may ask for.
        privileged_intents: Intents,
    },
}

impl Caller {
    /// A bot, for which intents apply.
    pub const fn is_bot(&self) -> bool {
        matches!(self.credential, Credential::Bot { .. })
    }
}
