//! Promises of a guild's machine: who may do what to whom, and the laws of its fold.

mod categories;
mod channels;
mod emojis;
mod invites;
mod laws;
mod members;
mod roles;
mod settings;
mod updates;
mod webhooks;
