//! The counts of a cluster's rate limits, which all nodes share, in Redis.
//!
//! Nothing depends on it: what it holds may be lost at any time, and while it is away every node counts
//! by itself. So a decision waits for it 50 milliseconds at most, and after a failure nobody asks until
//! one connection has been made and tried again, a little later.
//!
//! It is one server, or what looks like one. Reached without TLS it belongs into a private network.

mod config;
mod connection;
mod metrics;
mod quotas;
mod script;

pub use config::Config;
pub use quotas::RedisQuotas;
