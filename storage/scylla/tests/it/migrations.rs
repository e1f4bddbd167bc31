//! The keyspace is brought up to date by itself, and used by nobody before.

use guildhall_ports::Failure;
use guildhall_scylla::{Projection, migrate};

use crate::engine::Keyspace;

#[tokio::test]
async fn a_keyspace_is_made_once_and_used_only_at_its_version() {
    let keyspace = Keyspace::bare();
    let settings = &keyspace.settings;
    let wanted = migrate::MIGRATIONS.len();
    assert_eq!(migrate::status(settings).await.unwrap().found, 0);
    assert_eq!(migrate::plan(settings).await.unwrap().len(), wanted);
    assert_refused(&keyspace, "migrate it first").await;

    assert_eq!(migrate::apply(settings).await.unwrap().len(), wanted);
    let status = migrate::status(settings).await.unwrap();
    assert_eq!(status.found, status.wanted);
    assert!(migrate::plan(settings).await.unwrap().is_empty());
    assert!(migrate::apply(settings).await.unwrap().is_empty());
    Projection::open(settings).await.unwrap();

    let newer = format!(
        "INSERT INTO {}.schema_migrations (part, number) VALUES ('messages', 99)",
        settings.keyspace
    );
    let shell = keyspace.shell().await;
    shell.query_unpaged(newer, ()).await.unwrap();
    assert_refused(&keyspace, "newer version").await;
}

#[tokio::test]
async fn a_migration_that_broke_off_is_repeated() {
    let keyspace = Keyspace::own().await;
    let shell = keyspace.shell().await;
    let name = &keyspace.settings.keyspace;
    for statement in [
        format!("DELETE FROM {name}.schema_migrations WHERE part = 'messages'"),
        format!("DROP TABLE {name}.nonces"),
    ] {
        shell.query_unpaged(statement, ()).await.unwrap();
    }
    assert_refused(&keyspace, "migrate it first").await;
    migrate::apply(&keyspace.settings).await.unwrap();
    Projection::open(&keyspace.settings).await.unwrap();
}

async fn assert_refused(keyspace: &Keyspace, says: &str) {
    let refused = Projection::open(&keyspace.settings).await.unwrap_err();
    assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
    assert!(refused.to_string().contains(says), "{refused}");
}
