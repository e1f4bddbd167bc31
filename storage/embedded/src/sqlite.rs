//! SQLite adapters: accounts and guilds in one file, the projection of messages in another.
//!
//! The two have different promises. What is in the relational file was acknowledged to somebody,
//! so a commit is on the disk before it returns. The projection can be made again from the events
//! log, so it may lose its last moments when the machine loses power.
//!
//! Each file has one writing connection, because SQLite allows one writer at a time anyway, and a
//! few reading ones, which see the last commit and never wait for the writer.

mod database;
mod engine;
mod error;
mod metrics;
mod projection;
mod relational;
#[path = "../../relational/rows.rs"]
mod rows;
#[cfg(test)]
mod tests;
mod writer;

pub use projection::Projection;
pub use relational::Relational;
