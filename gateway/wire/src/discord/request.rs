//! What clients of the Discord dialect send, parsed into what the model understands.
//!
//! As in the native dialect, all wrong fields are reported at once and fields that we do not know
//! are passed over. Discord's clients write ids and permissions as text or as numbers, and mean
//! by `null` mostly what they mean by leaving a field out.

pub mod application_command;
pub mod channel;
mod component;
mod embed;
pub mod emoji;
pub mod guild;
mod image;
mod input;
pub mod interaction;
pub mod invite;
pub mod member;
mod mentions;
pub mod message;
pub mod role;
pub mod user;
pub mod webhook;

pub use crate::native::request::{read_json, read_json_list, read_optional_json};

#[cfg(test)]
mod tests;
