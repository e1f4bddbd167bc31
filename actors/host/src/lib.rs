//! The shells around the pure machines: load, decide, persist, publish, recover.
//!
//! A [`Node`] owns partitions. Of an event partition it runs the writer of the events log, the
//! actors of guilds and channels, the projection of messages, and the relay; of a session
//! partition the sequencer of the frames log with its ring. Commands go to actors through bounded
//! mailboxes; deliveries never do, they go from relay to sequencer to ring to socket.

mod calls;
pub mod cluster;
pub mod config;
mod copies;
pub mod error;
mod event_log;
mod guild_at;
mod heard;
mod mailbox;
pub mod node;
pub mod observe;
mod partition;
mod projection;
pub mod recall;
mod recovery;
mod relay;
pub mod session;
mod stream;
mod writer;

pub use cluster::{Joining, Sockets};
// What the sockets of other nodes come in.
pub use config::HostConfig;
pub use error::Refused;
pub use guildhall_cluster::link::{ByteStream, Duplex, LinkError};
pub use node::{GuildDone, GuildView, NewGuild, Node, Stores, Written};
