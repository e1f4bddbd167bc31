//! Both dialects from request to answer, on a node with embedded stores.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod applications;
mod auth;
mod away;
mod channels;
mod directs;
mod discord;
mod files;
mod harness;
mod hostile;
mod invites;
mod limits;
mod matrix;
mod members;
mod messages;
mod openapi;
mod reactions;
mod roles;
mod secrets;
mod servers;
mod shared_limits;
mod uploads;
mod users;
