//! Sockets of clients at nodes that share their stores.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod decode;
mod handed_over;
mod house;
mod no_gateway;
mod prefaces;
mod wire;
