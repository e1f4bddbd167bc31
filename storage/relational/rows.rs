//! Accounts and guilds as rows: the SQL that both relational stores have in common.
//!
//! Each adapter compiles these files as a module of its own, against its driver's types. What
//! differs between the engines is in the module `engine` beside it.

mod accounts;
mod application_commands;
mod applications;
pub(super) mod blob;
mod channel;
pub(super) mod column;
mod commit;
mod direct;
mod emoji;
pub(super) mod error;
mod fence;
mod guild;
mod guilds;
pub(super) mod id_floor;
mod invite;
mod logins;
mod member;
mod outbox;
mod role;
mod user;
mod webhook;
pub(super) mod write;

use super::engine;
