//! Tables of several versions.

use guildhall_model::{NodeId, NodeRoles};
use guildhall_ports::membership::Member;
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
    let older = "DROP TABLE nodes, coordinator; DELETE FROM _sqlx_migrations WHERE version > 1";
    database.shell().await.execute(older).await.unwrap();
    let refused = refusal(&config).await.to_string();
    assert!(refused.contains("migration 2 (nodes)"), "{refused}");

    let applied = migrations::apply(&config).await.unwrap();
    let versions: Vec<i64> = applied.iter().map(|step| step.version).collect();
    assert_eq!(versions, [2, 3]);
    let store = database.node().await;
    assert_eq!(store.members().await.unwrap(), []);
    assert_eq!(store.account(id(1)).await.unwrap(), Some(account(1)));
}

/// They may still run: each of them goes on to say that it lives as it did before.
#[tokio::test]
async fn nodes_from_before_there_were_roles_stay_listed_and_have_all_of_them() {
    let database = Database::fresh().await;
    let (config, mut shell) = (database.config(), database.shell().await);
    let older = "ALTER TABLE nodes DROP COLUMN roles;
                 DELETE FROM _sqlx_migrations WHERE version = 3;
                 INSERT INTO nodes (node, incarnation, address, weight, is_draining, heard_at)
                 VALUES (7, 5, '10.0.0.7:7000', 2, FALSE, clock_timestamp())";
    shell.execute(older).await.unwrap();
    let refused = refusal(&config).await.to_string();
    assert!(refused.contains("migration 3 (roles)"), "{refused}");

    migrations::apply(&config).await.unwrap();
    let listed = database.node().await.members().await.unwrap();
    let listed: Vec<Member> = listed.into_iter().map(|heard| heard.member).collect();
    let member = Member {
        node: NodeId(7),
        incarnation: 5,
        address: "10.0.0.7:7000".to_owned(),
        weight: 2,
        roles: NodeRoles::ALL,
        is_draining: false,
    };
    assert_eq!(listed, [member]);
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
