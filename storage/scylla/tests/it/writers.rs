//! Several writers: an owner, and one that was the owner and does not know of its end.

use std::sync::Arc;

use futures_util::future::join;
use guildhall_model::Position;
use guildhall_model::event::Record;
use guildhall_ports::{Failure, Messages};
use guildhall_scylla::migrate;

use crate::engine::Keyspace;
use crate::lives::{Dice, PARTITION, answers, records};

const RECORDS: u64 = 160;

/// Hands records over in batches of random size, and some of them again.
async fn write(store: &Arc<dyn Messages>, records: &[Arc<Record>], seed: u64) {
    let mut dice = Dice::new(seed);
    let mut done = 0;
    while done < records.len() {
        let batch = 1 + usize::try_from(dice.roll(12)).unwrap();
        let end = records.len().min(done + batch);
        let from = done.saturating_sub(usize::try_from(dice.roll(8)).unwrap());
        let upto = Position(end as u64);
        store
            .apply(PARTITION, &records[from..end], upto)
            .await
            .unwrap();
        done = end;
    }
}

/// What one writer leaves who does everything once, in one batch.
async fn expected(records: &[Arc<Record>], ids: &[guildhall_model::MessageId]) -> String {
    let keyspace = Keyspace::fresh().await;
    let store = keyspace.node().await;
    let upto = Position(records.len() as u64);
    store.apply(PARTITION, records, upto).await.unwrap();
    answers(&store, ids).await
}

#[tokio::test]
async fn two_writers_at_once_leave_what_one_leaves() {
    for seed in [1, 2, 3] {
        let (records, ids) = records(seed, RECORDS);
        let keyspace = Keyspace::fresh().await;
        let (owner, zombie) = (keyspace.node().await, keyspace.node().await);
        // The former owner knows only a part of what has happened.
        let known = &records[..records.len() * 2 / 3];
        join(
            write(&owner, &records, seed + 10),
            write(&zombie, known, seed + 20),
        )
        .await;
        let found = answers(&owner, &ids).await;
        assert_eq!(
            found,
            Box::pin(expected(&records, &ids)).await,
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn a_late_redo_by_a_former_owner_changes_nothing() {
    for seed in [4, 5] {
        let (records, ids) = records(seed, RECORDS);
        let keyspace = Keyspace::fresh().await;
        let (owner, zombie) = (keyspace.node().await, keyspace.node().await);
        write(&owner, &records, seed).await;
        // A former owner has read how far the streams were before that, and passes over nothing.
        let shell = keyspace.shell().await;
        let forget = format!("TRUNCATE {}.sources", keyspace.settings.keyspace);
        let before = answers(&owner, &ids).await;
        assert_eq!(
            before,
            Box::pin(expected(&records, &ids)).await,
            "seed {seed}"
        );
        shell.query_unpaged(forget.as_str(), ()).await.unwrap();
        write(&zombie, &records[..records.len() / 2], seed + 1).await;
        // Backwards, as if writes overtook each other on their way.
        let mut zombie = zombie;
        for record in records.iter().rev() {
            if record.gseq % 4 == 0 {
                shell.query_unpaged(forget.as_str(), ()).await.unwrap();
                zombie = keyspace.node().await;
            }
            let one = [Arc::clone(record)];
            zombie.apply(PARTITION, &one, Position(1)).await.unwrap();
        }
        // The last place that the redo was told of.
        let place = [Arc::clone(&records[records.len() - 1])];
        zombie.apply(PARTITION, &place, Position(1)).await.unwrap();
        let after = answers(&owner, &ids).await;
        assert_eq!(after, before, "seed {seed}");
    }
}

#[tokio::test]
async fn a_batch_that_fails_in_the_middle_is_told_and_finished_by_the_next_try() {
    let (records, ids) = records(6, RECORDS);
    let keyspace = Keyspace::own().await;
    let store = keyspace.node().await;
    let (known, upto) = (Position(40), Position(records.len() as u64));
    store.apply(PARTITION, &records[..40], known).await.unwrap();
    assert_eq!(store.begun(PARTITION).await.unwrap(), known);

    let shell = keyspace.shell().await;
    let name = &keyspace.settings.keyspace;
    let lose = format!("DROP TABLE {name}.nonces");
    shell.query_unpaged(lose, ()).await.unwrap();
    let refused = store.apply(PARTITION, &records, upto).await.unwrap_err();
    assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
    assert_eq!(store.applied(PARTITION).await.unwrap(), known);
    assert_eq!(store.begun(PARTITION).await.unwrap(), upto);

    let forget = format!("DELETE FROM {name}.schema_migrations WHERE part = 'messages'");
    shell.query_unpaged(forget, ()).await.unwrap();
    migrate::apply(&keyspace.settings).await.unwrap();
    let store = keyspace.node().await;
    // With the table its rows were lost, which a redo of everything brings back.
    let forget = format!("TRUNCATE {name}.sources");
    shell.query_unpaged(forget, ()).await.unwrap();
    store.apply(PARTITION, &records, upto).await.unwrap();
    assert_eq!(store.begun(PARTITION).await.unwrap(), upto);
    let found = answers(&store, &ids).await;
    assert_eq!(found, Box::pin(expected(&records, &ids)).await);
}
