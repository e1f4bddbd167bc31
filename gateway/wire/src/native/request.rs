//! What clients of the native dialect send, parsed into what the model understands.
//!
//! Two steps: [`read_json`] gives the fields their types, and each body's `parse` their meaning,
//! with all wrong fields reported at once. Fields that we do not know are passed over, so that a
//! client may send back a whole object that it was given.

pub mod account;
pub mod application;
pub mod channel;
pub(crate) mod form;
pub mod interaction;
pub mod invite;
pub mod member;
pub mod message;
pub(crate) mod object;
pub(crate) mod patch;
mod read;
pub mod role;
pub mod server;
pub(crate) mod whole;

pub use patch::Patch;
pub use read::{read_json, read_json_list, read_optional_json};

#[cfg(test)]
mod tests;
