//! What the coordinator orders: takeovers of what has lost its owner, and moves one by one.
//!
//! An order may come late, twice or never: it names the epoch that it replaces, and the directory
//! carries it out only while that one is the present one. A takeover at any moment is safe
//! (`deploy/docs/decisions/0008`); what is decided here is only how soon and how often.

use std::collections::BTreeMap;

use guildhall_model::{Epoch, NodeId, NodeRoles};
use guildhall_ports::directory::{Ownership, Partition};
use serde::{Deserialize, Serialize};

use crate::placement::{Candidate, place};

/// Partitions that move away from living owners at a time, in the whole cluster: each costs its
/// sessions a moment.
pub const MOVES_MAX: usize = 4;

/// A node that lives, as the coordinator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Living {
    /// Which one.
    pub node: NodeId,
    /// How much it takes beside the others.
    pub weight: u32,
    /// What it does.
    pub roles: NodeRoles,
    /// It is leaving: it gives up what it owns and takes nothing.
    pub is_draining: bool,
}

impl Living {
    const fn candidate(self) -> Candidate {
        Candidate {
            node: self.node,
            weight: self.weight,
            roles: self.roles,
        }
    }
}

/// Something that a node is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Order {
    /// Take over a partition whose owner is gone.
    TakeOver {
        /// Which partition.
        partition: Partition,
        /// Who is to own it.
        to: NodeId,
        /// The epoch that ends with it; none if nobody ever owned it.
        replaces: Option<Epoch>,
    },
    /// Hand a partition to another node.
    HandOver {
        /// Which partition.
        partition: Partition,
        /// Who owns it now.
        from: NodeId,
        /// Who is to own it.
        to: NodeId,
        /// The epoch that ends with it.
        replaces: Epoch,
    },
}

impl Order {
    /// Which partition it moves.
    pub const fn partition(&self) -> Partition {
        match self {
            Self::TakeOver { partition, .. } | Self::HandOver { partition, .. } => *partition,
        }
    }

    /// Who carries it out.
    pub const fn executor(&self) -> NodeId {
        match self {
            Self::TakeOver { to, .. } => *to,
            Self::HandOver { from, .. } => *from,
        }
    }
}

/// Orders that bring ownership to where placement wants it. Partitions without a living owner come
/// first and all at once; of the others at most [`MOVES_MAX`], those of leaving nodes first. None if
/// all is well or nobody can take anything. A node that takes nothing of a kind has had that partition
/// in a former life only: it has no owner.
pub fn orders(owners: &BTreeMap<Partition, Option<Ownership>>, living: &[Living]) -> Vec<Order> {
    let partitions: Vec<Partition> = owners.keys().copied().collect();
    let placed = place(&partitions, &candidates(living));
    let find = |owner: Ownership, role| {
        let mut living = living.iter();
        living.find(|living| living.node == owner.node && living.candidate().weight_as(role) > 0)
    };
    let (mut takeovers, mut leaving, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for (&partition, owner) in owners {
        let Some(&to) = placed.get(&partition) else {
            continue;
        };
        match owner {
            Some(owner) if owner.node == to => {}
            Some(owner) => match find(*owner, partition.role()) {
                None => takeovers.push(Order::TakeOver {
                    partition,
                    to,
                    replaces: Some(owner.epoch),
                }),
                Some(from) => {
                    let order = Order::HandOver {
                        partition,
                        from: owner.node,
                        to,
                        replaces: owner.epoch,
                    };
                    if from.is_draining {
                        leaving.push(order);
                    } else {
                        moves.push(order);
                    }
                }
            },
            None => takeovers.push(Order::TakeOver {
                partition,
                to,
                replaces: None,
            }),
        }
    }
    let slow = leaving.into_iter().chain(moves).take(MOVES_MAX);
    takeovers.into_iter().chain(slow).collect()
}

/// Whether a node is to own any of these partitions, as soon as everything is where it belongs.
pub fn is_owed_some(node: NodeId, partitions: &[Partition], living: &[Living]) -> bool {
    let placed = place(partitions, &candidates(living));
    placed.values().any(|owner| *owner == node)
}

fn candidates(living: &[Living]) -> Vec<Candidate> {
    let staying = living.iter().filter(|node| !node.is_draining);
    staying.map(|node| node.candidate()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use guildhall_model::NodeRole;
    use proptest::prelude::*;

    use super::*;
    use crate::placement::all_partitions;

    type Owners = BTreeMap<Partition, Option<Ownership>>;

    fn living(node: u16) -> Living {
        Living {
            node: NodeId(node),
            weight: 1,
            roles: NodeRoles::ALL,
            is_draining: false,
        }
    }

    /// Carries out an order as the directory would.
    fn carry_out(owners: &mut Owners, order: Order) {
        let (partition, to, replaces) = match order {
            Order::TakeOver {
                partition,
                to,
                replaces,
            } => (partition, to, replaces),
            Order::HandOver {
                partition,
                to,
                replaces,
                ..
            } => (partition, to, Some(replaces)),
        };
        let owner = owners.get_mut(&partition).unwrap();
        assert_eq!(owner.map(|owner| owner.epoch), replaces);
        let epoch = replaces.map_or(Epoch(1), Epoch::next);
        *owner = Some(Ownership { node: to, epoch });
    }

    /// Follows orders until there are none. How many rounds that took.
    fn settle(owners: &mut Owners, nodes: &[Living]) -> usize {
        for round in 0.. {
            let orders = orders(owners, nodes);
            if orders.is_empty() {
                return round;
            }
            for order in orders {
                carry_out(owners, order);
            }
        }
        unreachable!()
    }

    fn fresh() -> Owners {
        all_partitions(16, 16)
            .into_iter()
            .map(|it| (it, None))
            .collect()
    }

    fn owners_of(owners: &Owners) -> BTreeSet<u16> {
        owners
            .values()
            .flatten()
            .map(|owner| owner.node.0)
            .collect()
    }

    #[test]
    fn a_new_cluster_is_taken_over_in_one_round() {
        let mut owners = fresh();
        assert_eq!(settle(&mut owners, &[living(1), living(2), living(3)]), 1);
        assert!(owners.values().all(Option::is_some));
        assert_eq!(owners_of(&owners), BTreeSet::from([1, 2, 3]));
    }

    #[test]
    fn what_a_dead_node_owned_is_taken_over_at_once() {
        let mut owners = fresh();
        settle(&mut owners, &[living(1), living(2), living(3)]);
        let lost = owners
            .values()
            .flatten()
            .filter(|it| it.node.0 == 2)
            .count();
        let orders = orders(&owners, &[living(1), living(3)]);
        let takeovers = orders
            .iter()
            .filter(|order| matches!(order, Order::TakeOver { .. }))
            .count();
        assert_eq!(takeovers, lost);
        assert!(orders.len() <= lost + MOVES_MAX);
    }

    #[test]
    fn a_leaving_node_gives_up_its_partitions_a_few_at_a_time() {
        let mut owners = fresh();
        settle(&mut owners, &[living(1), living(2)]);
        let leaving = Living {
            is_draining: true,
            ..living(2)
        };
        let nodes = [living(1), leaving];
        let first = orders(&owners, &nodes);
        assert_eq!(first.len(), MOVES_MAX);
        assert!(
            first
                .iter()
                .all(|order| matches!(order, Order::HandOver { from, .. } if from.0 == 2))
        );
        settle(&mut owners, &nodes);
        assert_eq!(owners_of(&owners), BTreeSet::from([1]));
    }

    #[test]
    fn nobody_is_ordered_to_take_what_all_are_leaving() {
        let mut owners = fresh();
        settle(&mut owners, &[living(1)]);
        let leaving = Living {
            is_draining: true,
            ..living(1)
        };
        assert_eq!(orders(&owners, &[leaving]), []);
        assert_eq!(orders(&owners, &[]), []);
    }

    #[test]
    fn what_a_node_has_no_role_for_any_more_goes_to_those_who_have_it() {
        let mut owners = fresh();
        settle(&mut owners, &[living(1), living(2)]);
        let (worker, gateway) = (
            NodeRoles::only(NodeRole::Worker),
            NodeRoles::only(NodeRole::Gateway),
        );
        let with = |node, roles| Living {
            roles,
            ..living(node)
        };
        // Both have started anew, so nothing of it is at work: it need not go a few at a time.
        assert_eq!(settle(&mut owners, &[with(1, worker), with(2, gateway)]), 1);
        for (partition, owner) in &owners {
            let expected = match partition.role() {
                NodeRole::Worker => 1,
                _ => 2,
            };
            assert_eq!(owner.unwrap().node.0, expected, "{partition:?}");
        }
    }

    #[test]
    fn a_node_is_owed_what_it_is_going_to_own() {
        let (all, mut owners) = (all_partitions(16, 16), fresh());
        let api = Living {
            roles: NodeRoles::only(NodeRole::Api),
            ..living(3)
        };
        let leaving = Living {
            is_draining: true,
            ..living(2)
        };
        let nodes = [living(1), leaving, api];
        settle(&mut owners, &nodes);
        for node in nodes {
            let owns = owners_of(&owners).contains(&node.node.0);
            assert_eq!(is_owed_some(node.node, &all, &nodes), owns, "{node:?}");
        }
    }

    #[test]
    fn what_nobody_has_a_role_for_stays_where_it_is() {
        let mut owners = fresh();
        settle(&mut owners, &[living(1), living(2)]);
        let before = owners.clone();
        let api = Living {
            roles: NodeRoles::only(NodeRole::Api),
            ..living(3)
        };
        assert_eq!(orders(&owners, &[api]), []);
        assert_eq!(owners, before);
    }

    proptest! {
        /// Whoever comes and goes: orders end, and then every partition has a living owner with the
        /// role for it, if there is one.
        #[test]
        fn orders_come_to_rest(
            lives in prop::collection::vec(
                prop::collection::btree_map(1_u16..9, 0_usize..4, 1..6),
                1..6,
            ),
        ) {
            let (worker, gateway) = (NodeRole::Worker, NodeRole::Gateway);
            let kinds = [
                NodeRoles::ALL,
                NodeRoles::only(worker),
                NodeRoles::only(gateway),
                NodeRoles::only(NodeRole::Api),
            ];
            let mut owners = fresh();
            for nodes in lives {
                let living: Vec<Living> = nodes
                    .iter()
                    .map(|(&node, &kind)| Living { roles: kinds[kind], ..living(node) })
                    .collect();
                let rounds = settle(&mut owners, &living);
                prop_assert!(rounds <= 1 + 32 / MOVES_MAX);
                for role in [worker, gateway] {
                    let takers: BTreeSet<u16> = living
                        .iter()
                        .filter(|node| node.roles.contains(role))
                        .map(|node| node.node.0)
                        .collect();
                    let of_kind = owners.iter().filter(|(partition, _)| partition.role() == role);
                    let of_kind: Owners = of_kind.map(|(it, owner)| (*it, *owner)).collect();
                    if !takers.is_empty() {
                        prop_assert!(owners_of(&of_kind).is_subset(&takers));
                        prop_assert!(of_kind.values().all(Option::is_some));
                    }
                }
            }
        }
    }
}
