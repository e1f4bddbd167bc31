//! The use cases, shared by both dialects, the gateway, webhooks and interactions.
//!
//! Whoever calls has been authenticated ([`App::authenticate`]) and has parsed what clients sent.
//! What a caller may do is listed in [`authorize`]; rules about guilds and channels are decided in
//! `state`, at one point of the guild's stream.

pub mod accounts;
pub mod allowance;
pub mod application_commands;
pub mod applications;
pub mod audit;
mod authenticate;
pub mod authorize;
pub mod channels;
pub mod context;
pub mod directs;
pub mod emojis;
pub mod guilds;
pub mod interactions;
pub mod invites;
pub mod members;
pub mod messages;
pub mod pictures;
pub mod pins;
mod profiles;
pub mod reactions;
mod revoked;
pub mod roles;
pub mod session_starts;
pub mod sessions;
mod token_cache;
mod typing;
pub mod uploads;
pub mod webhooks;

use std::fmt;
use std::sync::Arc;

use guildhall_auth::{AccessTokens, FileLinks, Hasher, InteractionTokens};
use guildhall_host::{GuildView, Node};
use guildhall_model::account::Account;
use guildhall_model::rejection::Noun;
use guildhall_model::user::{Appearance, User};
use guildhall_model::{Permissions, Rejection, UserId};
use guildhall_ports::{Accounts, ApplicationCommands, Blobs, Guilds};

pub use context::{Context, Peer};
pub use guildhall_auth::{Presented, Secret};
pub use guildhall_host::{NewGuild, Refused};
pub use guildhall_ports::{Env, Failure, Quotas};
use profiles::Profiles;
use revoked::RevokedLogins;
use session_starts::{SessionStarts, StartCounts};
use token_cache::TokenCache;

/// The use cases of one node. A clone is the same one.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the use cases work on.
#[expect(missing_docs, reason = "the types say it")]
#[derive(Debug)]
pub struct Parts {
    pub node: Node,
    pub hasher: Hasher,
    pub access_tokens: AccessTokens,
    pub file_links: FileLinks,
    pub interaction_tokens: InteractionTokens,
    pub blobs: Arc<dyn Blobs>,
    /// Where all nodes count together, if they do.
    pub quotas: Option<Arc<dyn Quotas>>,
    pub settings: Settings,
}

/// What an operator may set about accounts.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Who may register.
    pub registration: Registration,
    /// How long a login lasts, however often its token is refreshed.
    pub login_lifetime_s: u32,
    /// How often a bot may start sessions.
    pub session_starts: SessionStarts,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Nobody.
    Closed,
}

struct Inner {
    parts: Parts,
    revoked: RevokedLogins,
    people: TokenCache,
    bots: TokenCache,
    profiles: Profiles,
    starts: StartCounts,
    places: uploads::Places,
}

impl App {
    /// Begins to serve. Logins that were revoked before are known from the start.
    pub async fn start(parts: Parts) -> Result<Self, Failure> {
        let revoked = RevokedLogins::new(i64::from(parts.access_tokens.lifetime_s()) * 1_000);
        let now = parts.node.env().now();
        let since = revoked.horizon(now);
        revoked.extend(
            parts.node.stores().accounts.revoked_since(since).await?,
            now,
        );
        let starts = StartCounts::new(parts.quotas.clone());
        Ok(Self(Arc::new(Inner {
            parts,
            revoked,
            people: TokenCache::default(),
            bots: TokenCache::default(),
            profiles: Profiles::default(),
            starts,
            places: uploads::Places::default(),
        })))
    }

    /// The clock and the random numbers of the node.
    pub fn env(&self) -> &Env {
        self.node().env()
    }

    /// How a user appears to others at this moment.
    pub fn appearance(&self, user: UserId) -> Appearance {
        self.node().appearance(user)
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.parts.node
    }

    pub(crate) fn accounts_store(&self) -> &dyn Accounts {
        &*self.node().stores().accounts
    }

    pub(crate) fn guilds_store(&self) -> &dyn Guilds {
        &*self.node().stores().guilds
    }

    pub(crate) fn blobs(&self) -> &dyn Blobs {
        &*self.0.parts.blobs
    }

    pub(crate) fn interaction_tokens(&self) -> &InteractionTokens {
        &self.0.parts.interaction_tokens
    }

    pub(crate) fn commands_store(&self) -> &dyn ApplicationCommands {
        &*self.node().stores().commands
    }

    pub(crate) fn file_links(&self) -> &FileLinks {
        &self.0.parts.file_links
    }

    pub(crate) fn places(&self) -> &uploads::Places {
        &self.0.places
    }

    /// The caller's account. A credential without one is worth nothing.
    pub(crate) async fn own_account(&self, ctx: &Context) -> Result<Account, Refused> {
        let account = self.accounts_store().account(ctx.user_id()).await?;
        account.ok_or_else(|| Rejection::Unauthenticated.into())
    }

    /// Anybody's public profile.
    pub(crate) async fn user(&self, id: UserId) -> Result<User, Refused> {
        let account = self.accounts_store().account(id).await?;
        let unknown = || Rejection::Unknown(Noun::User).into();
        account.map(|account| account.user).ok_or_else(unknown)
    }

    /// Refuses callers who lack a permission in the guild as a whole.
    pub(crate) fn require(
        ctx: &Context,
        view: &GuildView,
        needed: Permissions,
    ) -> Result<(), Rejection> {
        let missing = needed - view.read(|state| state.permissions(ctx.user_id(), ctx.now));
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Rejection::MissingPermission(missing))
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
