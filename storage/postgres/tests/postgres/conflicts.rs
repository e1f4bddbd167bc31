//! What gets in a transaction's way without being anybody's fault.

use std::time::Duration;

use guildhall_model::account::Login;
use guildhall_model::event::{Event, RoleEnd};
use guildhall_model::{Epoch, EventPartition};
use guildhall_ports::accounts::Rotation;
use guildhall_ports::guilds::FencingToken;
use guildhall_ports::{Accounts, Guilds};
use sqlx::{Connection, Executor};
use tokio::time::timeout;

use crate::engine::Database;
use crate::fences::await_lock_waiter;
use crate::people::{NOW, account, founded, id, member, record, register, role};

const OWNER: FencingToken = FencingToken {
    partition: EventPartition(1),
    epoch: Epoch(1),
};

/// An operator's transaction and a commit wait for each other; the engine ends the one that waited
/// first.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_ended_to_solve_a_deadlock_is_run_again() {
    let database = Database::fresh().await;
    let mut shell = database.shell().await;
    // The node looks for deadlocks after this time of waiting, which is the operator's to wait too.
    let patience = "DO $$ BEGIN EXECUTE format(
                        'ALTER DATABASE %I SET deadlock_timeout = 3000', current_database());
                    END $$";
    shell.execute(patience).await.unwrap();
    let node = database.node().await;
    register(&node, 1).await;
    register(&node, 2).await;
    node.commit(OWNER, &[founded(100)]).await.unwrap();
    let end = RoleEnd {
        role: role(110, 100),
        holders: Vec::new(),
        overwrites: Vec::new(),
    };
    let joined = Event::MemberJoined {
        member: Box::new(member(2)),
        invite: None,
    };
    let records = [
        record(100, 2, Event::RoleCreated(role(110, 100))),
        record(100, 3, Event::RoleDeleted(Box::new(end))),
        record(100, 4, joined),
    ];

    let mut operator = database.shell().await;
    operator
        .execute("SET deadlock_timeout = 60000")
        .await
        .unwrap();
    operator.execute("BEGIN").await.unwrap();
    let user = "SELECT id FROM users WHERE id = 2 FOR UPDATE";
    operator.execute(user).await.unwrap();
    let committing = {
        let node = node.clone();
        tokio::spawn(async move { node.commit(OWNER, &records).await })
    };
    await_lock_waiter(&mut shell).await;
    let floor = "INSERT INTO id_floor (one, highest) VALUES (1, 1)";
    operator.execute(floor).await.unwrap();
    operator.execute("COMMIT").await.unwrap();
    operator.close().await.unwrap();

    committing.await.unwrap().unwrap();
    let rows = node.load(id(100)).await.unwrap().unwrap();
    assert_eq!((rows.members.len(), rows.roles.len()), (2, 1));
    assert_eq!(node.highest_id().await.unwrap(), 110);
}

/// As a newer program does it while this one still runs.
#[tokio::test(flavor = "multi_thread")]
async fn tables_may_get_columns_under_a_running_node() {
    let database = Database::fresh().await;
    let node = database.node().await;
    let mut shell = database.shell().await;
    register(&node, 1).await;
    let login = Login {
        id: id(10),
        user_id: id(1),
        expires_at: NOW.plus_ms(1_000),
        revoked: false,
    };
    node.open_login(&login, [1; 32]).await.unwrap();
    let rotate = async |n| node.rotate([n; 32], [n + 1; 32], NOW).await.unwrap();
    assert_eq!(rotate(1).await, Rotation::Rotated(login));
    assert_eq!(node.account(id(1)).await.unwrap(), Some(account(1)));

    let change = "ALTER TABLE logins ADD COLUMN place TEXT";
    shell.execute(change).await.unwrap();
    assert_eq!(rotate(2).await, Rotation::Rotated(login));

    let change = "ALTER TABLE users ADD COLUMN place TEXT";
    shell.execute(change).await.unwrap();
    // One read may be lost to it.
    let _ = node.account(id(1)).await;
    assert_eq!(node.account(id(1)).await.unwrap(), Some(account(1)));
}

/// Nobody waits for ever for what somebody else has forgotten to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_given_back_is_not_waited_for() {
    let database = Database::fresh().await;
    let node = database.node().await;
    let mut operator = database.shell().await;
    operator.execute("BEGIN").await.unwrap();
    operator.execute("LOCK TABLE users").await.unwrap();
    let bound = Duration::from_secs(20);
    let written = timeout(bound, node.register(&account(1), "hash")).await;
    let failure = written.unwrap().unwrap_err();
    assert!(failure.to_string().contains("lock timeout"), "{failure}");
    let read = timeout(bound, node.account(id(1))).await;
    assert!(read.unwrap().is_err());
    operator.execute("ROLLBACK").await.unwrap();
    register(&node, 1).await;
}
