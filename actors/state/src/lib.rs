//! Pure machines: command in, events or effects out.
//!
//! Equal inputs give equal outputs: time, ids and facts from elsewhere are handed in. A refused
//! command leaves no trace, because deciding and applying are two steps: `decide` reads the state
//! and returns events, `apply` folds an event into the state, `revert` takes it back.

pub mod audit;
pub mod channel;
pub mod guild;
pub mod relay;
#[cfg(test)]
mod scene;
pub mod session_partition;

use guildhall_model::snowflake::Generator;
use guildhall_model::{Id, Timestamp};

/// The time and the ids that a decision may use up.
#[derive(Debug)]
pub struct Mint<'a> {
    /// When the decision is made.
    pub now: Timestamp,
    /// Where new ids come from.
    pub ids: &'a mut Generator,
}

impl Mint<'_> {
    /// A new id.
    pub fn id<K>(&mut self) -> Id<K> {
        self.ids.mint(self.now)
    }
}
