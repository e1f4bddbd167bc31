//! The link between nodes, over TCP on this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod calls;
mod cord;
mod desk;
mod lanes;
mod measurements;
mod peers;
mod secured;
mod strangers;
mod streams;
