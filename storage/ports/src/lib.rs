//! The seams between Guildhall and its storage engines.
//!
//! Each seam is a trait with a conformance suite in [`conformance`] that every adapter passes.
//! Lookups return `Result<Option<T>, Failure>`: absence is an answer, not an error. Whatever
//! needs the time or a new id is given it.

pub mod accounts;
pub mod application_commands;
pub mod blobs;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod crash;
pub mod directory;
pub mod env;
pub mod error;
#[cfg(feature = "conformance")]
pub mod fake;
pub mod guilds;
pub mod log;
pub mod membership;
pub mod messages;
pub mod quotas;
pub mod snapshots;
pub mod standing;
pub mod stored;

pub use accounts::Accounts;
pub use application_commands::ApplicationCommands;
pub use blobs::Blobs;
pub use directory::Directory;
pub use env::{Clock, Env, Random};
pub use error::Failure;
pub use guilds::Guilds;
pub use log::Log;
pub use membership::Membership;
pub use messages::Messages;
pub use quotas::Quotas;
pub use snapshots::Snapshots;
pub use standing::Standing;
