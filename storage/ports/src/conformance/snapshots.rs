//! What every store of snapshots promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::{Position, SessionPartition};

use crate::snapshots::Snapshots;

/// A store of snapshots that outlive it.
#[async_trait]
pub trait Fixture: Send {
    /// The open store.
    fn snapshots(&self) -> Arc<dyn Snapshots>;
    /// Opens it again, as a new process does.
    async fn restart(&mut self);
    /// Damages a stored snapshot, before or after a restart.
    async fn damage(&mut self, partition: SessionPartition, upto: Position);
}

/// Makes a test of each promise. `$fresh` names an async function that answers a [`Fixture`] with
/// an empty store, and whatever must live as long as it.
#[macro_export]
macro_rules! snapshots_promises {
    ($fresh:path) => {
        $crate::promises! { snapshots, $fresh:
            a_snapshot_reads_back_as_it_was_put
            snapshots_are_listed_in_the_order_of_their_positions
            a_snapshot_put_again_replaces_the_former_one
            a_position_without_a_snapshot_is_absent
            partitions_do_not_see_each_others_snapshots
            only_snapshots_before_the_position_are_dropped
            snapshots_survive_a_restart
            a_damaged_snapshot_counts_as_absent
        }
    };
}

const ONE: SessionPartition = SessionPartition(1);
const TWO: SessionPartition = SessionPartition(2);

async fn put(snapshots: &dyn Snapshots, partition: SessionPartition, upto: u64, content: &str) {
    let content = Bytes::copy_from_slice(content.as_bytes());
    snapshots
        .put(partition, Position(upto), content)
        .await
        .unwrap();
}

async fn listed(snapshots: &dyn Snapshots, partition: SessionPartition) -> Vec<u64> {
    let positions = snapshots.list(partition).await.unwrap();
    positions.into_iter().map(|position| position.0).collect()
}

async fn got(snapshots: &dyn Snapshots, partition: SessionPartition, upto: u64) -> Option<Bytes> {
    snapshots.get(partition, Position(upto)).await.unwrap()
}

pub async fn a_snapshot_reads_back_as_it_was_put(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    let long = Bytes::from((0..=u8::MAX).cycle().take(3 << 20).collect::<Vec<_>>());
    for (upto, content) in [
        (0, Bytes::new()),
        (7, Bytes::from("seven")),
        (u64::MAX, long),
    ] {
        let position = Position(upto);
        snapshots.put(ONE, position, content.clone()).await.unwrap();
        assert!(
            got(&*snapshots, ONE, upto).await == Some(content),
            "at {upto}"
        );
    }
}

pub async fn snapshots_are_listed_in_the_order_of_their_positions(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    assert!(listed(&*snapshots, ONE).await.is_empty());
    for upto in [1_000, 9, 100, u64::MAX, 10] {
        put(&*snapshots, ONE, upto, "x").await;
    }
    assert_eq!(
        listed(&*snapshots, ONE).await,
        [9, 10, 100, 1_000, u64::MAX]
    );
}

pub async fn a_snapshot_put_again_replaces_the_former_one(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    put(&*snapshots, ONE, 5, "a longer former one").await;
    put(&*snapshots, ONE, 5, "present").await;
    assert_eq!(got(&*snapshots, ONE, 5).await.unwrap(), "present");
    assert_eq!(listed(&*snapshots, ONE).await, [5]);
}

pub async fn a_position_without_a_snapshot_is_absent(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    put(&*snapshots, ONE, 5, "five").await;
    assert_eq!(got(&*snapshots, ONE, 4).await, None);
    assert_eq!(got(&*snapshots, ONE, 6).await, None);
}

pub async fn partitions_do_not_see_each_others_snapshots(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    put(&*snapshots, ONE, 5, "of one").await;
    put(&*snapshots, TWO, 5, "of two").await;
    put(&*snapshots, TWO, 6, "of two").await;
    assert_eq!(got(&*snapshots, ONE, 5).await.unwrap(), "of one");
    assert_eq!(listed(&*snapshots, ONE).await, [5]);
    snapshots.drop_before(TWO, Position(100)).await.unwrap();
    assert_eq!(listed(&*snapshots, ONE).await, [5]);
    assert!(listed(&*snapshots, TWO).await.is_empty());
}

pub async fn only_snapshots_before_the_position_are_dropped(fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    for upto in [3, 5, 7] {
        put(&*snapshots, ONE, upto, "x").await;
    }
    snapshots.drop_before(ONE, Position(5)).await.unwrap();
    assert_eq!(listed(&*snapshots, ONE).await, [5, 7]);
    assert_eq!(got(&*snapshots, ONE, 3).await, None);
    assert!(got(&*snapshots, ONE, 5).await.is_some());
    snapshots.drop_before(ONE, Position(5)).await.unwrap();
    snapshots.drop_before(TWO, Position(5)).await.unwrap();
    assert_eq!(listed(&*snapshots, ONE).await, [5, 7]);
}

pub async fn snapshots_survive_a_restart(mut fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    for upto in [3, 5, 7] {
        put(&*snapshots, ONE, upto, &format!("up to {upto}")).await;
    }
    snapshots.drop_before(ONE, Position(4)).await.unwrap();
    fixture.restart().await;
    let snapshots = fixture.snapshots();
    assert_eq!(listed(&*snapshots, ONE).await, [5, 7]);
    assert_eq!(got(&*snapshots, ONE, 7).await.unwrap(), "up to 7");
    assert_eq!(got(&*snapshots, ONE, 3).await, None);
    put(&*snapshots, ONE, 9, "up to 9").await;
    assert_eq!(listed(&*snapshots, ONE).await, [5, 7, 9]);
}

pub async fn a_damaged_snapshot_counts_as_absent(mut fixture: impl Fixture) {
    let snapshots = fixture.snapshots();
    for upto in [3, 5, 7] {
        put(&*snapshots, ONE, upto, &format!("up to {upto}")).await;
    }
    fixture.damage(ONE, Position(7)).await;
    assert_eq!(got(&*snapshots, ONE, 7).await, None);
    fixture.restart().await;
    let snapshots = fixture.snapshots();
    assert_eq!(listed(&*snapshots, ONE).await, [3, 5]);
    assert_eq!(got(&*snapshots, ONE, 5).await.unwrap(), "up to 5");
    put(&*snapshots, ONE, 7, "again").await;
    assert_eq!(listed(&*snapshots, ONE).await, [3, 5, 7]);
}
