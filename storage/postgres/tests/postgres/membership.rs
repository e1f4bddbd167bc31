//! The store as an adapter of `Membership`, and what only an engine of its own clock can show.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use guildhall_model::{NodeId, NodeRole, NodeRoles};
use guildhall_ports::membership::{Heard, Member};
use guildhall_ports::{Accounts, Failure, Membership};
use guildhall_postgres::{Config, PostgresStore};
use sqlx::{Executor, PgConnection};
use tokio::time::{Instant, timeout};

use crate::engine::Database;
use crate::people::id;
use crate::proxy::Proxy;
use crate::victim::Engine;

guildhall_ports::membership_promises!(fresh);

const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);
/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_secs(30);
/// Longer than any of these tests.
const LONG_MS: u32 = 600_000;
const HOUR_MS: u64 = 3_600_000;

async fn fresh() -> (Arc<dyn Membership>, Database) {
    let database = Database::fresh().await;
    (Arc::new(database.node().await), database)
}

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

async fn heard(store: &PostgresStore) -> Heard {
    let mut members = store.members().await.unwrap();
    let heard = members.pop().expect("a node is listed");
    assert_eq!(members, [], "and no other");
    heard
}

/// Every process of a cluster asks at the same moment, each on connections of its own, for a lease
/// that nobody has or that is over.
#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_race_for_the_lease_one_gets_it() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    for round in 0..20_u64 {
        let races = (1..=8).zip(nodes.iter().cycle()).map(|(number, node)| {
            let node = node.clone();
            tokio::spawn(async move { node.lead(NodeId(number), round, LONG_MS).await.unwrap() })
        });
        let leads: Vec<bool> = join_all(races.collect::<Vec<_>>())
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let leaders: Vec<u16> = (1..)
            .zip(&leads)
            .filter(|(_, l)| **l)
            .map(|(n, _)| n)
            .collect();
        let [leader] = leaders[..] else {
            panic!("one leads, not {leaders:?}");
        };
        // Both ways in which a lease becomes free.
        if round % 2 == 0 {
            nodes[1].resign(NodeId(leader), round).await.unwrap();
        } else {
            assert!(nodes[1].lead(NodeId(leader), round, 0).await.unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_with_one_number_the_latest_stays_listed() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    for round in 0..10 {
        let beats = (1..=8).zip(nodes.iter().cycle()).map(|(process, node)| {
            let (node, said) = (node.clone(), member(ONE, 100 * round + process));
            tokio::spawn(async move { node.beat(&said).await })
        });
        for (process, beat) in (1..).zip(join_all(beats.collect::<Vec<_>>()).await) {
            match beat.unwrap() {
                Ok(()) => {}
                Err(Failure::Stale { .. }) => assert!(process < 8, "the latest is not stale"),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(heard(&nodes[1]).await.member, member(ONE, 100 * round + 8));
    }
}

/// Its renewal was under way when it was paused, and arrives when another one leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_by_the_engines_clock_while_its_holder_is_paused() {
    const LEASE_MS: u32 = 300;
    let database = Database::fresh().await;
    let proxy = Proxy::to(&database.url()).await;
    let config = Config::new(proxy.url(&database.url()));
    let holder = PostgresStore::open(&config).await.unwrap();
    let other = database.node().await;

    let began = Instant::now();
    assert!(holder.lead(ONE, 1, LEASE_MS).await.unwrap());
    proxy.set_silent(true);
    let renewal = {
        let holder = holder.clone();
        tokio::spawn(async move { holder.lead(ONE, 1, LONG_MS).await })
    };
    let taking = async { while !other.lead(TWO, 1, LONG_MS).await.unwrap() {} };
    timeout(BOUND, taking).await.expect("the lease ends");
    assert!(began.elapsed() >= Duration::from_millis(LEASE_MS.into()));
    proxy.set_silent(false);
    let renewed = timeout(BOUND, renewal)
        .await
        .expect("it is answered in time");
    assert!(!renewed.unwrap().unwrap(), "another one leads");
    assert!(!holder.lead(ONE, 1, LONG_MS).await.unwrap());
    assert!(other.lead(TWO, 1, LONG_MS).await.unwrap());
}

/// Sets back when the only node was heard, or ahead.
async fn shift(shell: &mut PgConnection, by: &'static str) {
    let moved = sqlx::query("UPDATE nodes SET heard_at = clock_timestamp() + $1::TEXT::INTERVAL")
        .bind(by)
        .execute(shell)
        .await;
    assert_eq!(moved.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn silence_is_measured_by_the_engines_clock_and_ends_with_a_sign_of_life() {
    let database = Database::fresh().await;
    let (store, mut shell) = (database.node().await, database.shell().await);
    store.beat(&member(ONE, 1)).await.unwrap();
    shift(&mut shell, "-1 hour").await;
    let silent_ms = heard(&store).await.silent_ms;
    assert!((HOUR_MS..2 * HOUR_MS).contains(&silent_ms), "{silent_ms}");
    store.beat(&member(ONE, 1)).await.unwrap();
    assert!(heard(&store).await.silent_ms < HOUR_MS);
    // The engine's clock was set back.
    shift(&mut shell, "1 hour").await;
    assert_eq!(heard(&store).await.silent_ms, 0);
}

/// A node that is busy must not be taken for dead.
#[tokio::test(flavor = "multi_thread")]
async fn signs_of_life_do_not_wait_for_the_connections_of_everything_else() {
    let database = Database::fresh().await;
    let config = Config {
        connections: 1,
        ..database.config()
    };
    let store = PostgresStore::open(&config).await.unwrap();
    let mut lock = database.shell().await;
    lock.execute("BEGIN; LOCK TABLE users").await.unwrap();
    let reading = {
        let store = store.clone();
        tokio::spawn(async move { store.account(id(1)).await })
    };
    let mut shell = database.shell().await;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND datname = current_database())";
    let waiting = async {
        loop {
            let waits = sqlx::query_scalar(waits).fetch_one(&mut shell).await;
            if waits.unwrap() {
                break;
            }
        }
    };
    timeout(BOUND, waiting).await.expect("the read waits");
    store.beat(&member(ONE, 1)).await.unwrap();
    assert_eq!(heard(&store).await.member, member(ONE, 1));
    assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
    assert!(!reading.is_finished(), "the only connection is still busy");
    lock.execute("ROLLBACK").await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), None);
}

/// Each of the calls fails, and none of them takes long.
async fn all_are_refused(store: &PostgresStore) {
    let said = member(ONE, 1);
    let calls = async {
        tokio::join!(
            store.beat(&said),
            async { store.members().await.map(|_| ()) },
            async { store.lead(ONE, 1, LONG_MS).await.map(|_| ()) },
            store.resign(TWO, 1),
            store.leave(TWO, 1),
        )
    };
    let answers = timeout(BOUND, calls)
        .await
        .expect("all are answered in time");
    for answer in <[_; 5]>::from(answers) {
        assert!(
            matches!(answer, Err(Failure::Unavailable { .. })),
            "{answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_was_away_knows_its_nodes_and_nobody_has_to_help() {
    let engine = Engine::start();
    let store = engine.store().await;
    store.beat(&member(ONE, 1)).await.unwrap();
    assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
    for (away, back) in [
        ("kill", "restart"),
        ("pause", "resume"),
        ("stop", "restart"),
    ] {
        engine.tell(away);
        all_are_refused(&store).await;
        engine.tell(back);
        assert_eq!(heard(&store).await.member, member(ONE, 1));
        assert!(!store.lead(TWO, 1, LONG_MS).await.unwrap(), "{away}");
        store.beat(&member(ONE, 1)).await.unwrap();
        assert!(store.lead(ONE, 1, LONG_MS).await.unwrap());
    }
}

/// A program from before there were roles goes on beside newer ones until it is replaced.
#[tokio::test]
async fn a_node_that_knows_no_roles_has_all_of_them() {
    let database = Database::fresh().await;
    let (store, mut shell) = (database.node().await, database.shell().await);
    let older = "INSERT INTO nodes (node, incarnation, address, weight, is_draining, heard_at)
                 VALUES (1, 1, '10.0.0.1:7000', 1, FALSE, clock_timestamp())";
    shell.execute(older).await.unwrap();
    assert_eq!(heard(&store).await.member, member(ONE, 1));
}

/// Somebody has written into the table, or a program from after this one.
#[tokio::test]
async fn roles_that_make_no_sense_are_damage() {
    let database = Database::fresh().await;
    let (store, mut shell) = (database.node().await, database.shell().await);
    store.beat(&member(ONE, 1)).await.unwrap();
    let nonsense = "UPDATE nodes SET roles = 'api,voice'";
    shell.execute(nonsense).await.unwrap();
    let read = store.members().await;
    assert!(matches!(read, Err(Failure::Damaged { .. })), "{read:?}");
    let said = Member {
        roles: NodeRoles::only(NodeRole::Api),
        ..member(ONE, 1)
    };
    store.beat(&said).await.unwrap();
    assert_eq!(heard(&store).await.member, said);
}

#[tokio::test]
async fn a_number_that_no_row_can_hold_is_refused() {
    let database = Database::fresh().await;
    let store = database.node().await;
    let said = member(ONE, u64::MAX);
    assert!(matches!(
        store.beat(&said).await,
        Err(Failure::Damaged { .. })
    ));
    let led = store.lead(ONE, u64::MAX, LONG_MS).await;
    assert!(matches!(led, Err(Failure::Damaged { .. })));
    assert_eq!(store.members().await.unwrap(), []);
}
