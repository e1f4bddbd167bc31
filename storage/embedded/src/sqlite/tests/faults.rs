//! Full disks, damaged rows and callers that leave.

use futures_util::FutureExt;
use guildhall_model::{EventPartition, Position};
use guildhall_ports::messages::Anchor;
use guildhall_ports::{Accounts, Failure, Guilds, Messages};
use sqlx::{AssertSqlSafe, Executor, SqliteConnection};

use super::{Home, PARTITION, account, id, post, shell};
use crate::sqlite::rows::error::SqlError;
use crate::sqlite::rows::write::Write;

/// A statement for the writing connection.
struct Statement(&'static str);

impl Write for Statement {
    type Done = ();
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        tx.execute(AssertSqlSafe(self.0))
            .await
            .map_err(SqlError::from)?;
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_half_written() {
    let home = Home::new();
    let store = home.projection().await;
    post(&store, 0, 3).await.unwrap();
    // No page more than there are: what the file system says when it is full, SQLite says too.
    let bound = Statement("PRAGMA max_page_count = 1");
    store.database.write(bound).await.unwrap();

    let outcome = post(&store, 3, 50).await;
    assert!(matches!(outcome, Err(Failure::Full { .. })), "{outcome:?}");
    let page = store.page(id(7), Anchor::Newest, 100).await.unwrap();
    assert_eq!(page.len(), 3);
    assert_eq!(store.applied(PARTITION).await.unwrap(), Position(3));

    let lifted = Statement("PRAGMA max_page_count = 1000000");
    store.database.write(lifted).await.unwrap();
    post(&store, 3, 50).await.unwrap();
    let page = store.page(id(7), Anchor::Newest, 100).await.unwrap();
    assert_eq!(page.len(), 53);
}

#[tokio::test]
async fn a_write_that_fails_spares_those_that_wait_with_it() {
    let home = Home::new();
    let store = home.projection().await;
    // All wait before the writer sees the first, so that they share a transaction at first.
    let (before, failed, ended, after) = tokio::join!(
        post(&store, 0, 2),
        store
            .database
            .write(Statement("INSERT INTO nowhere VALUES (1)")),
        store.database.write(Statement("ROLLBACK")),
        store.apply(EventPartition(1), &[], Position(9)),
    );
    before.unwrap();
    assert!(matches!(failed, Err(Failure::Unavailable { .. })));
    assert!(
        matches!(ended, Err(Failure::Unavailable { .. })),
        "whoever ends the transaction himself is not told that it was committed"
    );
    after.unwrap();
    let page = store.page(id(7), Anchor::Newest, 100).await.unwrap();
    assert_eq!(page.len(), 2);
}

#[tokio::test]
async fn a_write_happens_though_its_caller_left() {
    let home = Home::new();
    let store = home.relational().await;
    let first = account(1);
    let left = store.register(&first, "hash").now_or_never();
    assert!(left.is_none(), "the write waits for its commit");
    // Writes are done in order, so this one comes after.
    store.register(&account(2), "hash").await.unwrap().unwrap();
    assert_eq!(store.account(id(1)).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_row_that_means_nothing_is_damage() {
    let home = Home::new();
    let accounts = home.relational().await;
    accounts
        .register(&account(1), "hash")
        .await
        .unwrap()
        .unwrap();
    let messages = home.projection().await;
    post(&messages, 0, 1).await.unwrap();
    let mut shell_of_accounts = shell(home.guildhall()).await;
    let mut shell_of_messages = shell(home.messages()).await;
    shell_of_accounts
        .execute("UPDATE users SET status = 9")
        .await
        .unwrap();
    let found = accounts.account(id(1)).await;
    assert!(matches!(found, Err(Failure::Damaged { .. })), "{found:?}");
    for statement in [
        "UPDATE messages SET body = x'c1'",
        "UPDATE messages SET body = 'text', nonce = 'x'",
        "UPDATE messages SET content = x'ff'",
    ] {
        shell_of_messages.execute(statement).await.unwrap();
        let found = messages.get(id(1)).await;
        assert!(matches!(found, Err(Failure::Damaged { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let home = Home::new();
    let accounts = home.relational().await;
    accounts.close().await;
    accounts.close().await;
    let written = accounts.register(&account(1), "hash").await;
    assert!(matches!(written, Err(Failure::Closing)), "{written:?}");
    let read = accounts.highest_id().await;
    assert!(matches!(read, Err(Failure::Closing)), "{read:?}");
}
