//! The engine is killed, hangs, or is not there at all.

use std::time::Duration;

use guildhall_ports::{Accounts, Failure, Guilds};
use guildhall_postgres::{Config, PostgresStore};
use sqlx::Executor;
use tokio::time::timeout;

use crate::engine::Database;
use crate::people::{account, id, register};
use crate::proxy::Proxy;
use crate::victim::Engine;

/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_secs(30);
/// Longer than a call may take while the engine is known to be away; less than before that is known.
const BOUND_AWAY: Duration = Duration::from_secs(4);

/// Registers people, numbered from `first`, until that fails; how many, and why no more.
async fn register_until_failure(store: PostgresStore, first: u64) -> (u64, Failure) {
    for count in 0.. {
        match store.register(&account(first + count), "hash").await {
            Ok(registered) => registered.unwrap(),
            Err(failure) => return (count, failure),
        }
    }
    unreachable!("the engine ends before the numbers do")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_engines_death_and_nobody_has_to_help() {
    let engine = Engine::start();
    let store = engine.store().await;
    for round in 1..=3_u64 {
        let writers: Vec<_> = (1..=4)
            .map(|writer| {
                let first = 1_000_000 * round + 10_000 * writer;
                (
                    first,
                    tokio::spawn(register_until_failure(store.clone(), first)),
                )
            })
            .collect();
        let begun = account(1_000_000 * round + 10_005).user.id;
        while store.account(begun).await.unwrap().is_none() {}
        engine.tell("kill");
        let mut acknowledged = Vec::new();
        for (first, writer) in writers {
            let (count, failure) = writer.await.unwrap();
            assert!(matches!(failure, Failure::Unavailable { .. }), "{failure}");
            acknowledged.extend(first..first + count);
        }
        let read = timeout(BOUND, store.highest_id()).await.unwrap();
        assert!(matches!(read, Err(Failure::Unavailable { .. })), "{read:?}");

        engine.tell("restart");
        store.highest_id().await.unwrap();
        for number in acknowledged {
            let found = store.account(id(number)).await.unwrap();
            assert_eq!(found, Some(account(number)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_is_not_waited_for() {
    let engine = Engine::start();
    let store = engine.store().await;
    register(&store, 1).await;
    for round in 2..=3 {
        engine.tell("pause");
        let calls = async {
            let account = account(round);
            let (read, written) =
                tokio::join!(store.account(id(1)), store.register(&account, "hash"),);
            assert!(matches!(read, Err(Failure::Unavailable { .. })), "{read:?}");
            let written = written.map(|_| ());
            assert!(matches!(written, Err(Failure::Unavailable { .. })));
        };
        timeout(BOUND, calls)
            .await
            .expect("both are answered in time");
        engine.tell("resume");
        assert_eq!(store.account(id(1)).await.unwrap(), Some(account(1)));
    }
    engine.tell("pause");
    let closed = timeout(BOUND, store.close()).await;
    closed.expect("a store closes in time");
    engine.tell("resume");
}

/// The engine is well, but nothing of it arrives.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_falls_silent_is_not_waited_for() {
    let database = Database::fresh().await;
    let proxy = Proxy::to(&database.url()).await;
    let config = Config::new(proxy.url(&database.url()));
    let store = PostgresStore::open(&config).await.unwrap();
    register(&store, 1).await;
    proxy.set_silent(true);
    let read = timeout(BOUND, store.account(id(1))).await;
    let read = read.expect("it is answered in time");
    assert!(matches!(read, Err(Failure::Unavailable { .. })), "{read:?}");
    let opened = timeout(BOUND, PostgresStore::open(&config)).await;
    let opened = opened.expect("it is answered in time").map(|_| ());
    assert!(matches!(opened, Err(Failure::Unavailable { .. })));
    proxy.set_silent(false);
    assert_eq!(store.account(id(1)).await.unwrap(), Some(account(1)));
}

/// What never answers does not keep its place for ever, though nobody says that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_forgotten_on_the_way_are_replaced() {
    let (_database, proxy, store) = with_one_connection().await;
    for _ in 0..2 {
        proxy.forget();
        reads_again(&store).await;
    }
}

/// A connection comes back to the pool, which asks it whether it lives, and never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_forgotten_on_their_way_back_are_replaced() {
    let (_database, proxy, store) = with_one_connection().await;
    for question in 1..=3 {
        proxy.forget_at_question(question);
        for _ in 0..=question {
            reads_again(&store).await;
        }
    }
}

/// A store with one connection, by a way that can forget it.
async fn with_one_connection() -> (Database, Proxy, PostgresStore) {
    let database = Database::fresh().await;
    let proxy = Proxy::to(&database.url()).await;
    let config = Config {
        connections: 1,
        ..Config::new(proxy.url(&database.url()))
    };
    let store = PostgresStore::open(&config).await.unwrap();
    register(&store, 1).await;
    (database, proxy, store)
}

/// Reads, sooner or later: one read may be lost to a connection that was forgotten, and more of
/// them where new ones take their time.
async fn reads_again(store: &PostgresStore) {
    let read = async {
        loop {
            if let Ok(read) = store.account(id(1)).await {
                return read;
            }
        }
    };
    let read = timeout(2 * BOUND, read).await;
    assert_eq!(read.expect("it is replaced in time"), Some(account(1)));
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_so_in_time_and_without_its_password() {
    let database = Database::fresh().await;
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    for url in [
        format!("postgres://guildhall:sesame@{rest}"),
        format!("postgres://guildhall:sesame@{nobody}/postgres"),
        format!("postgres://guildhall:sesame@{rest}?sslmode=require"),
        "postgres://guildhall:sesame@nowhere.invalid/postgres".to_owned(),
    ] {
        let opened = timeout(BOUND, PostgresStore::open(&Config::new(&url))).await;
        let refused = opened.expect("it is answered in time").map(|_| ());
        let failure = refused.unwrap_err();
        assert!(matches!(failure, Failure::Unavailable { .. }), "{failure}");
        assert!(!format!("{failure} {failure:?}").contains("sesame"));
    }
}

/// Its rows are those of an earlier moment, so nobody may ask it who owns what.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused() {
    let engine = Engine::start();
    engine.store().await.close().await;
    let standby = engine.standby();
    let opened = PostgresStore::open(&Config::new(&standby.url)).await;
    let failure = opened.err().expect("it is refused");
    assert!(
        failure.to_string().contains("give the primary's"),
        "{failure}"
    );
}

/// The failure of one tells of the others.
#[tokio::test(flavor = "multi_thread")]
async fn of_connections_that_end_together_one_is_noticed() {
    let database = Database::fresh().await;
    let store = database.node().await;
    for _ in 0..5 {
        let reads = (1..=6).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.account(id(number)).await.unwrap() })
        });
        for read in reads.collect::<Vec<_>>() {
            read.await.unwrap();
        }
        let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.shell().await.execute(end).await.unwrap();
        // One read may be lost to it.
        let _ = store.account(id(1)).await;
        for number in 1..=6 {
            assert_eq!(store.account(id(number)).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let database = Database::fresh().await;
    let store = database.node().await;
    store.close().await;
    store.close().await;
    let written = store.register(&account(1), "hash").await;
    assert!(matches!(written, Err(Failure::Closing)), "{written:?}");
    let read = store.highest_id().await;
    assert!(matches!(read, Err(Failure::Closing)), "{read:?}");
}

/// A transaction that is left halfway would keep what it holds.
#[tokio::test]
async fn a_write_happens_though_its_caller_left() {
    let database = Database::fresh().await;
    let store = database.node().await;
    let first = account(1);
    let left = futures_util::FutureExt::now_or_never(store.register(&first, "hash"));
    assert!(left.is_none(), "the write waits for its commit");
    let looking = async { while store.account(id(1)).await.unwrap().is_none() {} };
    timeout(BOUND, looking).await.expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_sees_that_the_engine_is_away_and_that_it_is_back() {
    let engine = Engine::start();
    let store = engine.store().await;
    register(&store, 1).await;
    let standing = store.standing();
    for (away, back) in [("pause", "resume"), ("kill", "restart")] {
        store.look().await;
        assert_eq!(standing.away(), None);
        engine.tell(away);
        let looked = timeout(BOUND, store.look()).await;
        looked.expect("a look is short");
        assert!(standing.is_away(), "{away}");
        // Now that this is known nobody waits for long.
        let read = timeout(BOUND_AWAY, store.account(id(1))).await;
        let read = read.expect("it is answered soon");
        assert!(matches!(read, Err(Failure::Unavailable { .. })), "{read:?}");
        engine.tell(back);
        let seen = async {
            while standing.is_away() {
                store.look().await;
            }
        };
        timeout(BOUND, seen).await.expect("it is seen to be back");
        assert_eq!(store.account(id(1)).await.unwrap(), Some(account(1)));
    }
}
