//! The relational store of a cluster, its directory and the list of its nodes, in PostgreSQL.
//!
//! Many nodes write at the same time. How the rows stay right is said in `write.rs` of the rows,
//! which are compiled here and for SQLite; how long anything may take, in `connections.rs`.

mod config;
mod connections;
mod directory;
mod engine;
mod error;
mod lending;
mod membership;
mod metrics;
pub mod migrations;
#[path = "../../relational/rows.rs"]
mod rows;
mod store;

pub use config::Config;
pub use store::PostgresStore;
