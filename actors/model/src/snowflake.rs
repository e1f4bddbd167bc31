//! The layout of ids and the generator that mints them.
//!
//! Discord's public layout and epoch: 42 bits of milliseconds since 2015-01-01, 10 bits of node,
//! 12 bits of sequence. Clients compute creation times and shards from it, so it is part of the
//! wire contract. <https://discord.com/developers/docs/reference#snowflakes>

use crate::id::Id;
use crate::time::Timestamp;

/// 2015-01-01T00:00:00Z in milliseconds since the Unix epoch.
pub const EPOCH_MS: i64 = 1_420_070_400_000;
/// Largest node number that fits into an id.
pub const NODE_MAX: u16 = (1 << NODE_BITS) - 1;

const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const TIME_SHIFT: u32 = NODE_BITS + SEQUENCE_BITS;
const SEQUENCE_MAX: u64 = (1 << SEQUENCE_BITS) - 1;

impl<K> Id<K> {
    /// When the object was made, to the millisecond.
    #[expect(clippy::cast_possible_wrap, reason = "41 bits remain after the shift")]
    pub const fn created_at(self) -> Timestamp {
        Timestamp((self.get() >> TIME_SHIFT) as i64 + EPOCH_MS)
    }

    /// The node that minted the id.
    #[expect(clippy::cast_possible_truncation, reason = "masked to 10 bits")]
    pub const fn node(self) -> u16 {
        ((self.get() >> SEQUENCE_BITS) & NODE_MAX as u64) as u16
    }
}

/// Mints ids for one node: strictly rising, also when the clock steps back.
#[derive(Debug)]
pub struct Generator {
    node: u16,
    last: u64,
}

impl Generator {
    /// A generator for `node` (at most [`NODE_MAX`]) that mints only ids above `floor`, the
    /// highest id that the node is known to have minted before.
    pub fn new(node: u16, floor: u64) -> Self {
        assert!(node <= NODE_MAX, "a node number has {NODE_BITS} bits");
        // The floor may be another node's id: its whole millisecond counts as used up.
        Self {
            node,
            last: floor | ((1 << TIME_SHIFT) - 1),
        }
    }

    /// The highest number that is used up.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The next id. When a millisecond's 4,096 numbers are used up, or the clock has stepped
    /// back, the time bits run ahead of the clock instead of repeating.
    #[expect(clippy::cast_sign_loss, reason = "clamped at zero before the cast")]
    pub fn mint<K>(&mut self, now: Timestamp) -> Id<K> {
        let now_ms = (now.0 - EPOCH_MS).max(1) as u64;
        let last_ms = self.last >> TIME_SHIFT;
        let (ms, sequence) = if now_ms > last_ms {
            (now_ms, 0)
        } else if self.last & SEQUENCE_MAX < SEQUENCE_MAX {
            (last_ms, (self.last & SEQUENCE_MAX) + 1)
        } else {
            (last_ms + 1, 0)
        };
        self.last = (ms << TIME_SHIFT) | (u64::from(self.node) << SEQUENCE_BITS) | sequence;
        Id::new(self.last).expect("63 bits last until 2084 and the time part is never zero")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::MessageId;

    #[test]
    fn an_id_tells_when_and_where_it_was_made() {
        let mut ids = Generator::new(5, 0);
        let id: MessageId = ids.mint(Timestamp(1_700_000_000_123));
        assert_eq!(id.created_at(), Timestamp(1_700_000_000_123));
        assert_eq!(id.node(), 5);
    }

    #[test]
    fn discords_documented_example_decodes() {
        let id = MessageId::new(175_928_847_299_117_063).unwrap();
        assert_eq!(id.created_at(), Timestamp(1_462_015_105_796));
        assert_eq!(id.node(), (1 << 5));
    }

    proptest! {
        #[test]
        fn ids_rise_whatever_the_clock_does(
            floor in 0_u64..1 << 60,
            clock in prop::collection::vec(0_i64..3_600_000_000_000, 1..200),
        ) {
            let mut ids = Generator::new(1, floor);
            let mut last = floor;
            for now in clock {
                let id: MessageId = ids.mint(Timestamp(now));
                prop_assert!(id.get() > last);
                last = id.get();
            }
        }
    }
}
