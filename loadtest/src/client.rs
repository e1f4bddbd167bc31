//! A small typed client of the native dialect: REST calls, and gateway sessions that keep
//! themselves alive.

pub mod api;
pub mod body;
pub mod gateway;
pub mod news;
pub mod objects;
pub mod person;
#[cfg(test)]
pub(crate) mod scripted;
pub mod session;
pub mod slow;
pub mod socket;
pub mod target;

pub use api::{Api, CallError, Reply};
pub use news::{Listener, News};
pub use person::Person;
pub use session::{Session, SessionError};
pub use target::Target;
