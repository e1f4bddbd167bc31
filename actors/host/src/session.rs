//! Gateway sessions: their registry, their partitions' sequencers, rings and resumption.

pub(crate) mod frames;
pub mod handle;
pub mod id;
pub mod payload;
pub(crate) mod registry;
pub(crate) mod replay;
pub(crate) mod ring;
pub(crate) mod sequencer;
pub(crate) mod sequencer_loop;
pub(crate) mod shared;
pub(crate) mod snapshots;

pub use handle::{Drained, Ended, Outgoing, SessionHandle};
pub use payload::Payload;
