//! What every list of nodes promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use guildhall_model::{NodeId, NodeRole, NodeRoles};

use crate::error::Failure;
use crate::membership::{ADDRESS_BYTES_MAX, Member, Membership};

/// Makes a test of each promise. `$fresh` names an async function that answers an
/// `Arc<dyn Membership>` that knows no nodes, and whatever must live as long as it.
#[macro_export]
macro_rules! membership_promises {
    ($fresh:path) => {
        $crate::promises! { membership, $fresh:
            nodes_are_listed_as_they_last_said
            any_set_of_roles_is_kept
            an_address_is_kept_up_to_its_bound
            an_earlier_process_neither_beats_nor_leaves
            who_has_left_is_not_listed
            one_process_at_a_time_leads
            a_lease_that_is_given_back_is_free
            a_lease_runs_out
            of_many_that_want_to_lead_one_does
        }
    };
}

type Store = Arc<dyn Membership>;

const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);
/// Longer than any of these tests.
const LONG_MS: u32 = 600_000;

fn member(node: NodeId, incarnation: u64) -> Member {
    Member {
        node,
        incarnation,
        address: format!("10.0.0.{node}:7000"),
        weight: 1,
        roles: NodeRoles::ALL,
        is_draining: false,
    }
}

async fn listed(store: &Store) -> Vec<Member> {
    let heard = store.members().await.unwrap();
    for one in &heard {
        assert!(one.silent_ms < u64::from(LONG_MS), "it has just been heard");
    }
    heard.into_iter().map(|heard| heard.member).collect()
}

pub async fn nodes_are_listed_as_they_last_said(store: Store) {
    assert_eq!(listed(&store).await, []);
    let (first, second) = (member(TWO, 5), member(ONE, 9));
    store.beat(&first).await.unwrap();
    store.beat(&second).await.unwrap();
    assert_eq!(listed(&store).await, [second.clone(), first.clone()]);
    let draining = Member {
        is_draining: true,
        weight: 3,
        address: "[::1]:7".to_owned(),
        ..first
    };
    store.beat(&draining).await.unwrap();
    assert_eq!(listed(&store).await, [second.clone(), draining]);
    let again = member(TWO, 6);
    store.beat(&again).await.unwrap();
    assert_eq!(listed(&store).await, [second, again]);
}

pub async fn any_set_of_roles_is_kept(store: Store) {
    let [api, gateway, worker] = NodeRole::ALL.map(NodeRoles::only);
    let pairs = [
        api.and(NodeRole::Gateway),
        api.and(NodeRole::Worker),
        gateway.and(NodeRole::Worker),
    ];
    let sets = [api, gateway, worker].into_iter().chain(pairs);
    for roles in sets.chain([NodeRoles::ALL]) {
        let said = Member {
            roles,
            ..member(ONE, 5)
        };
        store.beat(&said).await.unwrap();
        assert_eq!(listed(&store).await, [said]);
    }
}

pub async fn an_address_is_kept_up_to_its_bound(store: Store) {
    let largest = Member {
        address: "x".repeat(ADDRESS_BYTES_MAX),
        weight: u32::MAX,
        ..member(NodeId(u16::MAX), 5)
    };
    store.beat(&largest).await.unwrap();
    let longer = Member {
        address: "x".repeat(ADDRESS_BYTES_MAX + 1),
        ..largest.clone()
    };
    let refused = store.beat(&longer).await;
    assert!(matches!(refused, Err(Failure::Unavailable { .. })));
    assert_eq!(listed(&store).await, [largest]);
}

pub async fn an_earlier_process_neither_beats_nor_leaves(store: Store) {
    let (earlier, later) = (member(ONE, 5), member(ONE, 6));
    store.beat(&later).await.unwrap();
    let refused = store.beat(&earlier).await;
    assert!(matches!(refused, Err(Failure::Stale { .. })));
    store.leave(ONE, 5).await.unwrap();
    assert_eq!(listed(&store).await, [later]);
}

pub async fn who_has_left_is_not_listed(store: Store) {
    store.beat(&member(ONE, 5)).await.unwrap();
    store.beat(&member(TWO, 5)).await.unwrap();
    store.leave(ONE, 5).await.unwrap();
    store.leave(ONE, 5).await.unwrap();
    assert_eq!(listed(&store).await, [member(TWO, 5)]);
    store.beat(&member(ONE, 6)).await.unwrap();
    assert_eq!(listed(&store).await, [member(ONE, 6), member(TWO, 5)]);
}

pub async fn one_process_at_a_time_leads(store: Store) {
    assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
    assert!(!store.lead(TWO, 1, LONG_MS).await.unwrap());
    assert!(!store.lead(ONE, 2, LONG_MS).await.unwrap(), "its successor");
    assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
}

pub async fn a_lease_that_is_given_back_is_free(store: Store) {
    assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
    store.resign(TWO, 1).await.unwrap();
    assert!(!store.lead(TWO, 1, LONG_MS).await.unwrap());
    store.resign(ONE, 1).await.unwrap();
    assert!(store.lead(TWO, 1, LONG_MS).await.unwrap());
}

pub async fn a_lease_runs_out(store: Store) {
    // It is kept only as long as whoever holds it says so: after no time at all it is over.
    assert!(store.lead(ONE, 1, 0).await.unwrap());
    assert!(store.lead(TWO, 1, LONG_MS).await.unwrap());
    assert!(!store.lead(ONE, 1, LONG_MS).await.unwrap());
}

pub async fn of_many_that_want_to_lead_one_does(store: Store) {
    let wants = (1..=8).map(|node| store.lead(NodeId(node), 1, LONG_MS));
    let leads = futures_util::future::join_all(wants).await;
    let leading = leads.into_iter().filter(|leads| *leads.as_ref().unwrap());
    assert_eq!(leading.count(), 1);
}
