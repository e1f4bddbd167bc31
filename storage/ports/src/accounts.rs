//! Accounts, credentials, logins and applications.

use async_trait::async_trait;
use guildhall_model::account::{Account, Application, Login};
use guildhall_model::user::User;
use guildhall_model::{ApplicationId, LoginId, Timestamp, UserId};

use crate::error::Failure;

/// The SHA-256 of a token with at least 128 random bits. Only hashes of tokens are stored.
pub type TokenHash = [u8; 32];

/// Something that must be unique is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Another account has the username, in whatever case.
    Username,
    /// Another account has the address.
    Email,
}

/// What became of a refresh token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was the newest of its login; its successor is stored.
    Rotated(Login),
    /// It had been rotated before: somebody holds a copy. The login has been revoked.
    Reused(Login),
    /// Nobody's, expired, or of a login that was revoked before.
    Refused,
}

/// Where accounts live. A user's changed profile is written by [`crate::Guilds::commit`], because
/// it is an event.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes a person's account. `password_hash` is a PHC string.
    async fn register(
        &self,
        account: &Account,
        password_hash: &str,
    ) -> Result<Result<(), Taken>, Failure>;

    /// The account with this address or username, in whatever case, and its password hash.
    async fn by_name(&self, name: &str) -> Result<Option<(Account, String)>, Failure>;

    /// Replaces a password hash.
    async fn set_password_hash(&self, user: UserId, password_hash: &str) -> Result<(), Failure>;

    /// The account with this id; a bot's has no address.
    async fn account(&self, id: UserId) -> Result<Option<Account>, Failure>;

    /// The users that exist among these, in any order.
    async fn users(&self, ids: &[UserId]) -> Result<Vec<User>, Failure>;

    /// Stores a new login with the first refresh token of its family.
    async fn open_login(&self, login: &Login, refresh: TokenHash) -> Result<(), Failure>;

    /// Exchanges a refresh token for its successor, atomically: of two that present the same
    /// token only one is served, and the other one revokes the login.
    async fn rotate(
        &self,
        presented: TokenHash,
        successor: TokenHash,
        now: Timestamp,
    ) -> Result<Rotation, Failure>;

    /// Ends a login. Ending it twice is the same as once.
    async fn revoke_login(&self, id: LoginId, now: Timestamp) -> Result<(), Failure>;

    /// The login, revoked or not.
    async fn login(&self, id: LoginId) -> Result<Option<Login>, Failure>;

    /// The logins that were revoked at or after this instant.
    async fn revoked_since(&self, since: Timestamp) -> Result<Vec<LoginId>, Failure>;

    /// Makes an application with its bot user and the hash of its first token.
    async fn create_application(
        &self,
        application: &Application,
        token: TokenHash,
    ) -> Result<Result<(), Taken>, Failure>;

    /// The application, its newest token's hash, and which token that is; the first has number 1.
    async fn application(
        &self,
        id: ApplicationId,
    ) -> Result<Option<(Application, TokenHash, u32)>, Failure>;

    /// A person's applications, oldest first.
    async fn applications_of(&self, owner: UserId) -> Result<Vec<Application>, Failure>;
}
