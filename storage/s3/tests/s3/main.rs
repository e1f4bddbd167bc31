//! The adapter keeps the promises of its port, and those that an engine apart can break. All of
//! these need an engine.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod blobs;
mod engine;
mod outages;
mod proxy;
mod refusals;
mod secured;
mod uploads;
mod victim;
