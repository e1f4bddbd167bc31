//! The WebSocket listener and its connections: the session protocol over sockets.
//!
//! The rules of a connection are in `guildhall_wire::gateway::protocol`, what is sent comes from a
//! `SessionHandle`; here are the sockets.

mod batch;
mod connection;
#[doc(hidden)]
pub mod echo;
mod farewell;
mod gateway;
mod inlet;
pub mod listener;
mod outlet;
mod socket;

pub use gateway::{Gateway, GatewayConfig};
