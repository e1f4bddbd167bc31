//! Which partition an id falls into. Fixed for the life of a cluster: data lies by it.

use guildhall_model::EventPartition;
use guildhall_model::event::Source;
use xxhash_rust::xxh3::xxh3_64;

/// The event partition that holds a source's stream, of `count` partitions.
pub fn event_partition_of(source: Source, count: u16) -> EventPartition {
    assert!(count > 0, "a cluster has at least one partition");
    let hash = xxh3_64(&source.key().to_le_bytes());
    let number = hash % u64::from(count);
    EventPartition(u16::try_from(number).expect("a remainder is below its divisor"))
}

#[cfg(test)]
mod tests {
    use guildhall_model::GuildId;

    use super::*;

    /// Data on disks lies by these numbers: they never change.
    #[test]
    fn placement_is_golden() {
        let place =
            |id: u64, count| event_partition_of(Source::Guild(GuildId::new(id).unwrap()), count).0;
        let placed: Vec<u16> = [1, 2, 3, 175_928_847_299_117_063, 1_500_000_000_000_000_001]
            .iter()
            .flat_map(|&id| [place(id, 8), place(id, 64)])
            .collect();
        assert_eq!(placed, GOLDEN);
    }

    const GOLDEN: [u16; 10] = [6, 46, 3, 3, 5, 61, 7, 23, 7, 15];

    #[test]
    fn consecutive_ids_spread_evenly() {
        let mut counts = [0_u32; 8];
        for id in 1..=8_000 {
            let source = Source::Guild(GuildId::new(id << 22).unwrap());
            counts[usize::from(event_partition_of(source, 8).0)] += 1;
        }
        assert!(
            counts.iter().all(|&n| (850..1_150).contains(&n)),
            "{counts:?}"
        );
    }
}
