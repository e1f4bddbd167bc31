//! Tables of several versions.

use guildhall_ports::{Accounts, Failure, Membership};
use guildhall_postgres::migrations::{self, State};
use guildhall_postgres::{Config, PostgresStore};
use sqlx::Executor;

use crate::engine::Database;
use crate::people::{account, id, register};

async fn refusal(config: &Config) -> Failure {
    let opened = PostgresStore::open(config).await;
    opened.err().expect("the database is refused")
}

#[tokio::test]
async fn a_store_without_its_tables_is_refused_until_they_are_made() {
    let database = Database::bare().await;
    let config = database.config();
    let refused = refusal(&config).await;
    assert!(matches!(refused, Failure::Unavailable { .. }));
    let said = refused.to_string();
    assert!(said.contains("migration 1 (accounts and guilds)"), "{said}");

    let planned = migrations::plan(&config).await.unwrap();
    assert!(planned[0].sql.contains("CREATE TABLE users"));
    let status = migrations::status(&config).await.unwrap();
    assert!(status.iter().all(|step| step.state == State::Pending));
    assert_eq!(status.len(), planned.len());

    assert_eq!(migrations::apply(&config).await.unwrap(), planned);
    let status = migrations::status(&config).await.unwrap();
    assert!(status.iter().all(|step| step.state == State::Applied));
    assert_eq!(migrations::plan(&config).await.unwrap(), []);
    assert_eq!(migrations::apply(&config).await.unwrap(), []);
    let store = PostgresStore::open(&config).await.unwrap();
    assert_eq!(store.account(id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_database_of_an_older_program_gets_what_it_lacks_and_keeps_its_rows() {
    let database = Database::fresh().await;
    let config = database.config();
    register(&database.node().await, 1).await;
    let older = "DROP TABLE nodes, coordinator; DELETE FROM _sqlx_migrations WHERE version = 2";
    database.shell().await.execute(older).await.unwrap();
    let refused = refusal(&config).await.to_string();
    assert!(refused.contains("migration 2 (nodes)"), "{refused}");

    let applied = migrations::apply(&config).await.unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(applied[0].version, 2);
    let store = database.node().await;
    assert_eq!(store.members().await.unwrap(), []);
    assert_eq!(store.account(id(1)).await.unwrap(), Some(account(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_make_the_tables_at_once_both_find_them_made() {
    for _ in 0..5 {
        let database = Database::bare().await;
        let config = database.config();
        let (one, two) = tokio::join!(migrations::apply(&config), migrations::apply(&config));
        one.unwrap();
        two.unwrap();
        database.node().await.close().await;
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let database = Database::fresh().await;
    let newer = "INSERT INTO _sqlx_migrations
                     (version, description, success, checksum, execution_time)
                 VALUES (9999, 'later', TRUE, '\\x00', 0)";
    database.shell().await.execute(newer).await.unwrap();
    let refused = refusal(&database.config()).await;
    assert!(matches!(refused, Failure::Damaged { .. }));
    assert!(refused.to_string().contains("a newer program"), "{refused}");
    let status = migrations::status(&database.config()).await.unwrap();
    assert_eq!(status.last().map(|step| step.state), Some(State::Unknown));
    assert!(migrations::apply(&database.config()).await.is_err());
}

#[tokio::test]
async fn a_database_whose_migrations_differ_is_refused() {
    let database = Database::fresh().await;
    let differing = "UPDATE _sqlx_migrations SET checksum = '\\x00'";
    database.shell().await.execute(differing).await.unwrap();
    let refused = refusal(&database.config()).await;
    assert!(refused.to_string().contains("differs"), "{refused}");
    assert!(migrations::plan(&database.config()).await.is_err());
}
