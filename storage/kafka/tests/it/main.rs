//! The adapter against a real broker.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod brokers;
mod engine;
mod follow;
mod log;
mod outage;
mod secured;
mod snapshots;
mod topics;
