//! The targets, one file each.

pub(crate) mod compression;
pub(crate) mod connection;
pub(crate) mod discord_body;
pub(crate) mod gateway_frame;
pub(crate) mod id_spelling;
pub(crate) mod log_segment;
pub(crate) mod permissions;
pub(crate) mod request_body;
pub(crate) mod resume_claim;
pub(crate) mod server_frame;
pub(crate) mod snapshot;
pub(crate) mod websocket;
