//! The Discord dialect: the objects of API v10 as bot libraries parse them.
//!
//! A field that the documentation calls nullable is always there, `null` where we have nothing;
//! a field that it calls optional is there where it has an honest value. Libraries stop on what
//! is missing (`deploy/e2e/bots` runs them), and what is extra they pass over.
//! <https://discord.com/developers/docs/reference>

pub mod application;
pub mod application_command;
pub mod attachment;
pub mod audit;
pub mod ban;
pub mod channel;
pub mod connect;
pub mod emoji;
pub(crate) mod event;
pub mod guild;
pub mod interaction;
pub mod invite;
mod lookup;
pub mod member;
pub mod message;
pub mod pin;
mod presence;
mod reaction;
mod ready;
pub mod request;
pub mod role;
mod typing;
pub mod upload;
pub mod user;
pub mod webhook;

use std::fmt::Display;

use guildhall_model::Permissions;
use serde::{Serialize, Serializer};

pub use application::Application;
pub use application_command::ApplicationCommand;
pub use attachment::Attachment;
pub use audit::AuditLog;
pub use ban::{Ban, BulkBan};
pub use channel::{Channel, DirectChannel};
pub use connect::{BotGateway, Gateway, SessionStartLimit};
pub use emoji::GuildEmoji;
pub use guild::{Guild, GuildPreview, GuildWithCounts, OwnGuild};
pub use interaction::InteractionCallback;
pub use invite::Invite;
pub use member::Member;
pub use message::Message;
pub use role::Role;
pub use user::{CurrentUser, User};
pub use webhook::Webhook;

/// A field that is always `null`: Discord documents it, Guildhall has nothing to put there.
pub(crate) type Nothing = ();

/// A list that is always empty, for the same reason.
pub(crate) type NoList = [(); 0];

/// An object that is always empty, for the same reason.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct NoObject {}

/// A value as its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A permission set as Discord writes it: all 64 bits as decimal text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits(pub(crate) Permissions);

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.bits())
    }
}
