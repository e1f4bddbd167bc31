//! Former owners of an event partition, which do not know yet that they are.

use std::time::Duration;

use guildhall_model::{Epoch, EventPartition};
use guildhall_ports::guilds::{CommitError, FencingToken};
use guildhall_ports::{Failure, Guilds};
use guildhall_postgres::{Config, PostgresStore};
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use crate::engine::Database;
use crate::people::{founded, register, renamed};
use crate::proxy::Proxy;

const fn token(epoch: u32) -> FencingToken {
    FencingToken {
        partition: EventPartition(1),
        epoch: Epoch(epoch),
    }
}

/// Commits to a guild until it is shut out; the place of its last commit.
async fn commit_until_stale(node: PostgresStore, owner: FencingToken, guild: u64) -> u64 {
    let mut gseq = node.last_gseq(renamed(guild, 1).source).await.unwrap();
    loop {
        match node.commit(owner, &[renamed(guild, gseq + 1)]).await {
            Ok(()) => gseq += 1,
            Err(CommitError::Failure(Failure::Stale { .. })) => return gseq,
            Err(other) => panic!("{other}"),
        }
    }
}

/// What the successor reads after its fence is all that there will ever be of its predecessor.
#[tokio::test(flavor = "multi_thread")]
async fn a_fence_parts_what_was_committed_from_what_never_is() {
    const GUILDS: [u64; 4] = [100, 200, 300, 400];
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    register(&nodes[0], 1).await;
    nodes[0].fence(token(1)).await.unwrap();
    for guild in GUILDS {
        nodes[0].commit(token(1), &[founded(guild)]).await.unwrap();
    }
    for epoch in 1..=15 {
        let [former, successor] = if epoch % 2 == 1 { [0, 1] } else { [1, 0] };
        let zombies = GUILDS.map(|guild| {
            let zombie = nodes[former].clone();
            tokio::spawn(commit_until_stale(zombie, token(epoch), guild))
        });
        // They are in full swing when each has committed something of this epoch.
        let before = nodes[successor].outbox().await.unwrap().len();
        while nodes[successor].outbox().await.unwrap().len() < before + 2 * GUILDS.len() {}

        nodes[successor].fence(token(epoch + 1)).await.unwrap();
        let outbox = nodes[successor].outbox().await.unwrap();
        for (guild, zombie) in GUILDS.into_iter().zip(zombies) {
            let source = founded(guild).source;
            let last = zombie.await.unwrap();
            let seen = outbox.iter().filter(|record| record.source == source);
            assert_eq!(seen.map(|record| record.gseq).max(), Some(last));
        }
        assert_eq!(nodes[former].outbox().await.unwrap(), outbox);
    }
}

/// Resolves when a transaction of the database waits for another one.
pub(crate) async fn await_lock_waiter(shell: &mut PgConnection) {
    let looking = async {
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut *shell)
            .await
            .unwrap();
            if waiting > 0 {
                return;
            }
        }
    };
    let found = timeout(Duration::from_secs(20), looking).await;
    found.expect("somebody waits for a lock");
}

/// It has found the fence open, and then its node hangs before the transaction has ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_falls_silent_in_a_commit_does_not_hold_its_successor_up() {
    let database = Database::fresh().await;
    let proxy = Proxy::to(&database.url()).await;
    let silent = Config::new(proxy.url(&database.url()));
    let silent = PostgresStore::open(&silent).await.unwrap();
    let successor = database.node().await;
    register(&successor, 1).await;
    silent.commit(token(1), &[founded(100)]).await.unwrap();

    let mut held = database.shell().await;
    let mut shell = database.shell().await;
    held.execute("BEGIN").await.unwrap();
    held.execute("SELECT * FROM sources FOR UPDATE")
        .await
        .unwrap();
    let late = {
        let silent = silent.clone();
        tokio::spawn(async move { silent.commit(token(1), &[renamed(100, 2)]).await })
    };
    await_lock_waiter(&mut shell).await;
    proxy.set_silent(true);
    held.close().await.unwrap();

    successor.fence(token(2)).await.unwrap();
    let outbox = successor.outbox().await.unwrap();
    assert_eq!(outbox, [founded(100)]);

    proxy.set_silent(false);
    let late = late.await.unwrap();
    assert!(matches!(late, Err(CommitError::Failure(_))), "{late:?}");
    assert_eq!(successor.outbox().await.unwrap(), outbox);
    let again = silent.commit(token(1), &[renamed(100, 2)]).await;
    let stale = matches!(again, Err(CommitError::Failure(Failure::Stale { .. })));
    assert!(stale, "{again:?}");
}
