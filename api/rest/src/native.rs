//! Handlers of the native dialect, a file per resource: extract, ask, shape.

pub(crate) mod applications;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod channels;
pub(crate) mod directs;
pub(crate) mod interactions;
pub(crate) mod invites;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod reactions;
pub(crate) mod roles;
pub(crate) mod servers;
pub(crate) mod users;
