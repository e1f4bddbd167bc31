//! The PostgreSQL adapters keep the promises of their ports, and those that only several nodes and
//! an engine apart can break. All of these need an engine.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod accounts;
mod application_commands;
mod commits;
mod conflicts;
mod directory;
mod engine;
mod fences;
mod guilds;
mod membership;
mod migrations;
mod outages;
mod people;
mod profiles;
mod proxy;
mod races;
mod secured;
mod victim;
