//! Which node should own which partition: weighted rendezvous hashing with a bound on the load.
//!
//! Every partition ranks the nodes by a hash of both; it goes to the first one that has room. So a
//! node that comes takes its share and nothing else moves, and what a node leaves behind spreads
//! over all others. The bound keeps chance from piling partitions up on one node; it costs a few
//! moves more. Each kind of partition is spread by itself, over the nodes that have the role for it.
//!
//! Thaler and Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996); Mirrokni, Thorup
//! and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2016).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use guildhall_model::{NodeId, NodeRole, NodeRoles};
use guildhall_ports::directory::Partition;
use xxhash_rust::xxh3::xxh3_64;

/// A node that may own partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub node: NodeId,
    /// How much it takes beside the others; a node of weight 0 takes nothing.
    pub weight: u32,
    /// What it does: it takes nothing of a kind that it has no role for.
    pub roles: NodeRoles,
}

impl Candidate {
    /// How much it takes of the partitions that nodes with this role own.
    pub(crate) const fn weight_as(self, role: NodeRole) -> u32 {
        if self.roles.contains(role) {
            self.weight
        } else {
            0
        }
    }
}

/// No node owns more than this part of its fair share, rounded up: five quarters.
const LOAD_BOUND: (u64, u64) = (5, 4);

/// Where each partition belongs; one that no candidate takes belongs nowhere. The order of the
/// arguments makes no difference.
pub fn place(partitions: &[Partition], candidates: &[Candidate]) -> BTreeMap<Partition, NodeId> {
    let mut placed = BTreeMap::new();
    for role in [NodeRole::Worker, NodeRole::Gateway] {
        let mut of_kind: Vec<Partition> = partitions
            .iter()
            .copied()
            .filter(|partition| partition.role() == role)
            .collect();
        of_kind.sort_unstable();
        of_kind.dedup();
        let takers: Vec<(NodeId, u32)> = candidates
            .iter()
            .map(|it| (it.node, it.weight_as(role)))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        place_kind(&of_kind, &takers, &mut placed);
    }
    placed
}

/// `takers` are nodes with what each of them weighs, which is not 0.
fn place_kind(
    partitions: &[Partition],
    takers: &[(NodeId, u32)],
    placed: &mut BTreeMap<Partition, NodeId>,
) {
    let weights: u64 = takers.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut room: BTreeMap<NodeId, u64> = takers
        .iter()
        .map(|&(node, weight)| (node, bound(partitions.len(), weight, weights)))
        .collect();
    for &partition in partitions {
        let mut ranked: Vec<(f64, NodeId)> = takers
            .iter()
            .map(|&(node, weight)| (score(partition, node, weight), node))
            .collect();
        ranked.sort_unstable_by(|a, b| match b.0.total_cmp(&a.0) {
            Ordering::Equal => a.1.cmp(&b.1),
            unequal => unequal,
        });
        let open = ranked
            .into_iter()
            .find(|(_, node)| room.get(node).is_some_and(|room| *room > 0));
        if let Some((_, node)) = open {
            room.entry(node).and_modify(|room| *room -= 1);
            placed.insert(partition, node);
        }
    }
}

/// How many of `count` partitions a node of this weight may own at most.
fn bound(count: usize, weight: u32, weights: u64) -> u64 {
    let (above, below) = LOAD_BOUND;
    let share = (count as u64) * u64::from(weight) * above;
    share.div_ceil((weights * below).max(1))
}

/// The highest of all candidates' scores is a given candidate's with a probability in proportion to
/// its weight.
fn score(partition: Partition, node: NodeId, weight: u32) -> f64 {
    let (kind, number) = match partition {
        Partition::Event(partition) => (0, partition.0),
        Partition::Session(partition) => (1, partition.0),
    };
    let mut name = [0_u8; 5];
    name[0] = kind;
    name[1..3].copy_from_slice(&number.to_le_bytes());
    name[3..].copy_from_slice(&node.0.to_le_bytes());
    // 53 bits, so that every number between 0 and 1, both left out, is exact.
    let drawn = (xxh3_64(&name) >> 12) | 1;
    #[expect(clippy::cast_precision_loss, reason = "52 bits fit")]
    let unit = drawn as f64 / (1_u64 << 52) as f64;
    f64::from(weight) / -unit.ln()
}

/// All partitions of a cluster with these counts.
pub fn all_partitions(events: u16, sessions: u16) -> Vec<Partition> {
    let events = (0..events).map(|n| Partition::Event(guildhall_model::EventPartition(n)));
    let sessions = (0..sessions).map(|n| Partition::Session(guildhall_model::SessionPartition(n)));
    events.chain(sessions).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates(nodes: impl IntoIterator<Item = u16>) -> Vec<Candidate> {
        let equal = |node| Candidate {
            node: NodeId(node),
            weight: 1,
            roles: NodeRoles::ALL,
        };
        nodes.into_iter().map(equal).collect()
    }

    fn roles() -> impl Strategy<Value = NodeRoles> {
        prop::sample::subsequence(NodeRole::ALL.to_vec(), 1..=3).prop_map(|roles| {
            let rest = &roles[1..];
            rest.iter()
                .fold(NodeRoles::only(roles[0]), |all, role| all.and(*role))
        })
    }

    fn moved(before: &BTreeMap<Partition, NodeId>, after: &BTreeMap<Partition, NodeId>) -> usize {
        let differs =
            |(partition, node): &(&Partition, &NodeId)| after.get(*partition) != Some(*node);
        before.iter().filter(differs).count()
    }

    #[test]
    fn a_partition_has_no_place_without_nodes() {
        let all = all_partitions(4, 4);
        assert_eq!(place(&all, &[]), BTreeMap::new());
        let none = Candidate {
            node: NodeId(1),
            weight: 0,
            roles: NodeRoles::ALL,
        };
        assert_eq!(place(&all, &[none]), BTreeMap::new());
    }

    #[test]
    fn a_node_of_double_weight_owns_about_double() {
        let mut nodes = candidates([1, 2, 3]);
        nodes[1].weight = 2;
        let placed = place(&all_partitions(256, 0), &nodes);
        let owned = |node| placed.values().filter(|it| it.0 == node).count();
        // 64, 128 and 64 would be fair.
        assert!((96..=160).contains(&owned(2)), "{}", owned(2));
    }

    #[test]
    fn a_kind_that_nobody_takes_has_no_place_and_the_other_has() {
        let api = NodeRoles::only(NodeRole::Api);
        let with = |roles| Candidate {
            roles,
            ..candidates([1])[0]
        };
        let all = all_partitions(4, 4);
        assert_eq!(place(&all, &[with(api)]), BTreeMap::new());
        for (role, kind) in [
            (NodeRole::Worker, all_partitions(4, 0)),
            (NodeRole::Gateway, all_partitions(0, 4)),
        ] {
            let placed = place(&all, &[with(NodeRoles::only(role))]);
            assert!(placed.keys().eq(kind.iter()), "{role}: {placed:?}");
        }
    }

    proptest! {
        /// The bound counts those who take a kind: nodes without its role make nobody's share
        /// smaller.
        #[test]
        fn every_partition_has_a_place_among_those_with_its_role_and_no_node_too_many(
            nodes in prop::collection::btree_map(0_u16..1024, roles(), 1..12),
            events in 1_u16..128,
            sessions in 1_u16..128,
        ) {
            let all = all_partitions(events, sessions);
            let nodes: Vec<Candidate> = nodes
                .into_iter()
                .map(|(node, roles)| Candidate { node: NodeId(node), weight: 1, roles })
                .collect();
            let placed = place(&all, &nodes);
            for (role, total) in [(NodeRole::Worker, events), (NodeRole::Gateway, sessions)] {
                let takers = nodes.iter().filter(|it| it.roles.contains(role)).count();
                let of_kind = placed.iter().filter(|(it, _)| it.role() == role);
                let owners: Vec<NodeId> = of_kind.map(|(_, owner)| *owner).collect();
                prop_assert_eq!(owners.len(), if takers == 0 { 0 } else { total.into() });
                for candidate in &nodes {
                    let owned = owners.iter().filter(|it| **it == candidate.node).count();
                    let most = if candidate.roles.contains(role) {
                        (usize::from(total) * 5).div_ceil(takers * 4)
                    } else {
                        0
                    };
                    prop_assert!(owned <= most, "{} of {}", owned, total);
                }
            }
        }

        /// Who has no role for a kind moves nothing of it by coming.
        #[test]
        fn a_node_that_comes_without_a_role_moves_nothing(
            nodes in prop::collection::btree_set(0_u16..1024, 1..8),
            extra in 1024_u16..2048,
        ) {
            let all = all_partitions(32, 32);
            let before = place(&all, &candidates(nodes.iter().copied()));
            let mut more = candidates(nodes.iter().copied().chain([extra]));
            if let Some(last) = more.last_mut() {
                last.roles = NodeRoles::only(NodeRole::Api);
            }
            prop_assert_eq!(before, place(&all, &more));
        }

        /// A node that comes or goes moves its share, and what the bound pushes on.
        #[test]
        fn a_node_that_comes_or_goes_moves_little_else(
            nodes in prop::collection::btree_set(0_u16..1024, 2..12),
            extra in 1024_u16..2048,
        ) {
            let all = all_partitions(64, 64);
            let before = place(&all, &candidates(nodes.iter().copied()));
            let more = candidates(nodes.iter().copied().chain([extra]));
            let after = place(&all, &more);
            let taken = after.values().filter(|node| node.0 == extra).count();
            let share = all.len().div_ceil(nodes.len() + 1);
            let moves = moved(&before, &after);
            prop_assert!(moves >= taken);
            prop_assert!(moves <= 2 * share + 8, "{} moves for a share of {}", moves, share);
        }

        #[test]
        fn the_order_of_the_nodes_makes_no_difference(
            nodes in prop::collection::btree_set(0_u16..1024, 1..12),
        ) {
            let all = all_partitions(32, 32);
            let mut turned = all.clone();
            turned.reverse();
            let one = place(&all, &candidates(nodes.iter().copied()));
            let other = place(&turned, &candidates(nodes.iter().rev().copied()));
            prop_assert_eq!(one, other);
        }
    }
}
