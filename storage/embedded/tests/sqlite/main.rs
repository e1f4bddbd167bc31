//! The SQLite adapters keep the promises of their ports.

mod accounts;
mod application_commands;
mod audit;
mod commits;
mod guilds;
mod messages;
mod profiles;
mod reactions;
mod redo;
