//! A way to a relational store that is interrupted at a test's word.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::account::{Account, Application, Login};
use guildhall_model::channel::DirectChannel;
use guildhall_model::event::{Record, Source};
use guildhall_model::user::User;
use guildhall_model::{
    ApplicationId, ChannelId, EmojiId, GuildId, LoginId, RoleId, Timestamp, UserId, WebhookId,
};
use tokio::sync::watch;

use crate::accounts::{Accounts, Rotation, Taken, TokenHash};
use crate::error::Failure;
use crate::guilds::{CommitError, FencingToken, GuildRows, Guilds, Home};
use crate::standing::Standing;

/// What becomes of what is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// It is answered.
    #[default]
    Open,
    /// It fails.
    Refused,
    /// It waits, until the way changes.
    Silent,
}

/// A store behind a way that a test can interrupt. A clone is the same one.
pub struct FakeWay<S> {
    store: Arc<S>,
    way: watch::Sender<Way>,
    standing: Standing,
}

impl<S> Clone for FakeWay<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            way: self.way.clone(),
            standing: self.standing.clone(),
        }
    }
}

impl<S> FakeWay<S> {
    /// The way to this store, which is open.
    pub fn to(store: Arc<S>) -> Self {
        Self {
            store,
            way: watch::Sender::default(),
            standing: Standing::default(),
        }
    }

    /// Opens or interrupts the way, and has it known at once: an adapter would find out by itself.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
        match way {
            Way::Open => self.standing.worked(),
            _ => self.standing.failed(self.standing.ask(), "a test says so"),
        };
    }

    /// The same, and nobody has found out yet.
    pub fn set_unnoticed(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// What is known of the store.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    async fn pass(&self) -> Result<(), Failure> {
        let mut way = self.way.subscribe();
        // The sender lives as long as this.
        let decided = way.wait_for(|way| *way != Way::Silent).await;
        match decided.map(|way| *way) {
            Ok(Way::Open) => Ok(()),
            _ => Err(Failure::unavailable("store", "a test interrupts the way")),
        }
    }
}

/// Implements a port by asking the store behind.
macro_rules! on_the_way {
    ($port:ident: $($name:ident($($given:ident: $type:ty),*) -> $answer:ty, $error:ty;)*) => {
        #[async_trait]
        impl<S: $port> $port for FakeWay<S> {$(
            async fn $name(&self, $($given: $type),*) -> Result<$answer, $error> {
                self.pass().await?;
                self.store.$name($($given),*).await
            }
        )*}
    };
}

on_the_way! { Accounts:
    register(account: &Account, password_hash: &str) -> Result<(), Taken>, Failure;
    by_name(name: &str) -> Option<(Account, String)>, Failure;
    set_password_hash(user: UserId, password_hash: &str) -> (), Failure;
    account(id: UserId) -> Option<Account>, Failure;
    users(ids: &[UserId]) -> Vec<User>, Failure;
    open_login(login: &Login, refresh: TokenHash) -> (), Failure;
    rotate(presented: TokenHash, successor: TokenHash, now: Timestamp) -> Rotation, Failure;
    revoke_login(id: LoginId, now: Timestamp) -> (), Failure;
    login(id: LoginId) -> Option<Login>, Failure;
    revoked_since(since: Timestamp) -> Vec<LoginId>, Failure;
    create_application(application: &Application, token: TokenHash)
        -> Result<(), Taken>, Failure;
    application(id: ApplicationId) -> Option<(Application, TokenHash, u32)>, Failure;
    applications_of(owner: UserId) -> Vec<Application>, Failure;
}

on_the_way! { Guilds:
    load(id: GuildId) -> Option<GuildRows>, Failure;
    fence(token: FencingToken) -> (), Failure;
    commit(token: FencingToken, records: &[Record]) -> (), CommitError;
    give_up(token: FencingToken, source: Source, upto: u64) -> (), Failure;
    outbox() -> Vec<Record>, Failure;
    outbox_done(source: Source, upto: u64) -> (), Failure;
    last_gseq(source: Source) -> u64, Failure;
    guilds_of(user: UserId) -> Vec<GuildId>, Failure;
    home_of(channel: ChannelId) -> Option<Home>, Failure;
    guild_of_role(role: RoleId) -> Option<GuildId>, Failure;
    guild_of_invite(code: &str) -> Option<GuildId>, Failure;
    guild_of_webhook(webhook: WebhookId) -> Option<GuildId>, Failure;
    guild_of_emoji(id: EmojiId) -> Option<GuildId>, Failure;
    direct_of(pair: [UserId; 2]) -> Option<DirectChannel>, Failure;
    directs_of(user: UserId, limit: u32) -> Vec<DirectChannel>, Failure;
    highest_id() -> u64, Failure;
    instance_value(name: &str, fresh: &[u8]) -> Vec<u8>, Failure;
}
