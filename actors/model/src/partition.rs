//! Slices of the cluster, their owners' epochs, and places in their logs.

use serde::{Deserialize, Serialize};

/// Declares a small number with a meaning of its own.
macro_rules! number {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize,
            Deserialize,
        )]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number! {
    /// A slice of guilds, direct-message channels and users: one writer, one order of events.
    EventPartition(u16);
    /// A slice of gateway sessions: one writer, one order of frames.
    SessionPartition(u16);
    /// A process as a member of the cluster; the node bits of the ids that it mints.
    NodeId(u16);
    /// Which of a partition's successive owners wrote a record. Rises with every takeover.
    Epoch(u32);
    /// Names a record of one partition of a log. Rises with every record, with gaps; it means
    /// nothing beyond its log.
    Position(u64);
}

impl Epoch {
    /// The one after this.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Position {
    /// Before every record.
    pub const START: Self = Self(0);
}
