//! The CQL adapter keeps the promises of its port, and those that only an engine elsewhere and
//! several writers can break. All of these need an engine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod engine;
mod lives;
mod messages;
mod migrations;
mod outage;
mod pages;
mod reactions;
mod redo;
mod secured;
mod writers;
