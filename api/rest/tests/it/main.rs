//! The native dialect from request to answer, on a node with embedded stores.

mod applications;
mod auth;
mod channels;
mod directs;
mod harness;
mod hostile;
mod invites;
mod matrix;
mod members;
mod messages;
mod openapi;
mod reactions;
mod roles;
mod servers;
mod users;
