//! The WebSocket listener and its connections: the session protocol over sockets.
//!
//! The rules of a connection are in `guildhall_wire::gateway::protocol`, what is sent comes from a
//! `SessionHandle`; here are the sockets.

mod batch;
mod connection;
mod copying;
#[doc(hidden)]
pub mod echo;
mod farewell;
mod gateway;
mod handed_over;
mod inlet;
pub mod listener;
mod outlet;
mod preface;
mod socket;

pub use gateway::{Gateway, GatewayConfig};
