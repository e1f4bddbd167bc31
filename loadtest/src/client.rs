//! A small typed client of the native dialect: REST calls, and gateway sessions that keep
//! themselves alive.

pub mod api;
pub mod body;
pub mod gateway;
pub mod objects;
pub mod person;
pub mod session;
pub mod socket;
pub mod target;

pub use api::{Api, CallError};
pub use person::Person;
pub use session::{Listener, News, Session, SessionError};
pub use target::Target;
