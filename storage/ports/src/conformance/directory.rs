//! What every directory promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{Epoch, EventPartition, NodeId, SessionPartition};

use crate::directory::{Directory, Ownership, Partition};
use crate::error::Failure;

/// A directory whose rows outlive it.
#[async_trait]
pub trait Fixture: Send {
    /// The open directory.
    fn directory(&self) -> Arc<dyn Directory>;
    /// Opens it again, as a new process does.
    async fn restart(&mut self);
}

/// Makes a test of each promise. `$fresh` names an async function that answers a [`Fixture`] with
/// an empty directory, and whatever must live as long as it.
#[macro_export]
macro_rules! directory_promises {
    ($fresh:path) => {
        $crate::promises! { directory, $fresh:
            a_partition_that_nobody_claimed_has_no_owner
            a_claim_makes_an_owner_under_a_rising_epoch
            a_claim_with_a_wrong_expectation_is_stale_and_changes_nothing
            of_two_claims_at_once_only_one_succeeds
            only_the_present_ownership_is_confirmed
            partitions_of_both_kinds_are_owned_apart
            all_owners_are_listed_in_the_order_of_their_partitions
            a_list_of_owners_is_of_one_moment
            ownership_survives_a_restart
        }
    };
}

const EVENTS: Partition = Partition::Event(EventPartition(3));
const SESSIONS: Partition = Partition::Session(SessionPartition(3));
const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

pub async fn a_partition_that_nobody_claimed_has_no_owner(fixture: impl Fixture) {
    let directory = fixture.directory();
    assert_eq!(directory.owner(EVENTS).await.unwrap(), None);
    assert!(!directory.confirm(EVENTS, ONE, Epoch(0)).await.unwrap());
    assert!(!directory.confirm(EVENTS, ONE, Epoch(1)).await.unwrap());
}

pub async fn a_claim_makes_an_owner_under_a_rising_epoch(fixture: impl Fixture) {
    let directory = fixture.directory();
    let mut expected = None;
    for node in [ONE, TWO, TWO, ONE] {
        let epoch = directory.claim(EVENTS, node, expected).await.unwrap();
        assert!(expected.is_none_or(|former| epoch > former));
        let owner = directory.owner(EVENTS).await.unwrap();
        assert_eq!(owner, Some(Ownership { node, epoch }));
        expected = Some(epoch);
    }
}

pub async fn a_claim_with_a_wrong_expectation_is_stale_and_changes_nothing(fixture: impl Fixture) {
    let directory = fixture.directory();
    let early = directory.claim(EVENTS, ONE, Some(Epoch(1))).await;
    assert!(matches!(early, Err(Failure::Stale { .. })));
    let first = directory.claim(EVENTS, ONE, None).await.unwrap();
    let second = directory.claim(EVENTS, ONE, Some(first)).await.unwrap();
    for wrong in [None, Some(first), Some(second.next())] {
        let claim = directory.claim(EVENTS, TWO, wrong).await;
        assert!(matches!(claim, Err(Failure::Stale { .. })));
        let owner = directory.owner(EVENTS).await.unwrap();
        let (node, epoch) = (ONE, second);
        assert_eq!(owner, Some(Ownership { node, epoch }));
    }
}

pub async fn of_two_claims_at_once_only_one_succeeds(fixture: impl Fixture) {
    let directory = fixture.directory();
    let mut expected = None;
    for _ in 0..20 {
        let claims = tokio::join!(
            directory.claim(EVENTS, ONE, expected),
            directory.claim(EVENTS, TWO, expected),
        );
        let (node, epoch) = match claims {
            (Ok(epoch), Err(Failure::Stale { .. })) => (ONE, epoch),
            (Err(Failure::Stale { .. }), Ok(epoch)) => (TWO, epoch),
            other => panic!("one claim succeeds and the other is stale, not {other:?}"),
        };
        let owner = directory.owner(EVENTS).await.unwrap();
        assert_eq!(owner, Some(Ownership { node, epoch }));
        expected = Some(epoch);
    }
}

pub async fn only_the_present_ownership_is_confirmed(fixture: impl Fixture) {
    let directory = fixture.directory();
    let first = directory.claim(EVENTS, ONE, None).await.unwrap();
    assert!(directory.confirm(EVENTS, ONE, first).await.unwrap());
    assert!(!directory.confirm(EVENTS, TWO, first).await.unwrap());
    let second = directory.claim(EVENTS, TWO, Some(first)).await.unwrap();
    assert!(!directory.confirm(EVENTS, ONE, first).await.unwrap());
    assert!(!directory.confirm(EVENTS, TWO, first).await.unwrap());
    assert!(directory.confirm(EVENTS, TWO, second).await.unwrap());
}

pub async fn partitions_of_both_kinds_are_owned_apart(fixture: impl Fixture) {
    let directory = fixture.directory();
    let epoch = directory.claim(EVENTS, ONE, None).await.unwrap();
    directory.claim(EVENTS, ONE, Some(epoch)).await.unwrap();
    assert_eq!(directory.owner(SESSIONS).await.unwrap(), None);
    let epoch = directory.claim(SESSIONS, TWO, None).await.unwrap();
    assert!(directory.confirm(SESSIONS, TWO, epoch).await.unwrap());
    let other = Partition::Event(EventPartition(4));
    assert_eq!(directory.owner(other).await.unwrap(), None);
    assert_eq!(directory.owner(EVENTS).await.unwrap().unwrap().node, ONE);
}

pub async fn all_owners_are_listed_in_the_order_of_their_partitions(mut fixture: impl Fixture) {
    let directory = fixture.directory();
    assert_eq!(directory.owners().await.unwrap(), []);
    let (first, last) = (EventPartition(0), EventPartition(u16::MAX));
    let mut listed = Vec::new();
    for (partition, node) in [
        (Partition::Session(SessionPartition(u16::MAX)), ONE),
        (EVENTS, TWO),
        (Partition::Event(last), ONE),
        (SESSIONS, NodeId(u16::MAX)),
        (Partition::Event(first), TWO),
    ] {
        let epoch = directory.claim(partition, node, None).await.unwrap();
        listed.push((partition, Ownership { node, epoch }));
        listed.sort_unstable_by_key(|(partition, _)| *partition);
        assert_eq!(directory.owners().await.unwrap(), listed);
    }
    // The one before the sessions' first.
    let (_, taken) = &mut listed[2];
    let claimed = directory.claim(Partition::Event(last), TWO, Some(taken.epoch));
    *taken = Ownership {
        node: TWO,
        epoch: claimed.await.unwrap(),
    };
    assert_eq!(directory.owners().await.unwrap(), listed);
    fixture.restart().await;
    assert_eq!(fixture.directory().owners().await.unwrap(), listed);
}

/// Two partitions are claimed in turn, so that at every moment the first is under the same epoch
/// as the second, or one ahead.
pub async fn a_list_of_owners_is_of_one_moment(fixture: impl Fixture) {
    let directory = fixture.directory();
    let claims = async {
        let mut epoch = None;
        for _ in 0..100 {
            let first = directory.claim(EVENTS, ONE, epoch).await.unwrap();
            epoch = Some(directory.claim(SESSIONS, ONE, epoch).await.unwrap());
            assert_eq!(epoch, Some(first));
            tokio::task::yield_now().await;
        }
        epoch
    };
    let lists = async {
        let mut newest = None;
        loop {
            let listed = directory.owners().await.unwrap();
            let epoch_of = |wanted| {
                let of = listed.iter().find(|(partition, _)| *partition == wanted);
                of.map(|(_, owner)| owner.epoch)
            };
            let (first, second) = (epoch_of(EVENTS), epoch_of(SESSIONS));
            let next = second.map_or(Epoch(1), Epoch::next);
            assert!(first == second || first == Some(next), "{listed:?}");
            assert!(newest <= second, "a later list is of a later moment");
            newest = second;
            if newest == Some(Epoch(100)) {
                return newest;
            }
            tokio::task::yield_now().await;
        }
    };
    let (claimed, listed) = tokio::join!(claims, lists);
    assert_eq!(claimed, listed);
}

pub async fn ownership_survives_a_restart(mut fixture: impl Fixture) {
    let mut expected = None;
    for _ in 0..3 {
        let claimed = fixture.directory().claim(SESSIONS, ONE, expected).await;
        let epoch = claimed.unwrap();
        fixture.restart().await;
        let directory = fixture.directory();
        assert!(directory.confirm(SESSIONS, ONE, epoch).await.unwrap());
        assert_eq!(directory.owner(EVENTS).await.unwrap(), None);
        expected = Some(epoch);
    }
}
