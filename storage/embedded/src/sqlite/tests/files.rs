//! Files that are opened again, and files that must not be.

use guildhall_ports::messages::Anchor;
use guildhall_ports::{Accounts, Failure, Messages};
use sqlx::Executor;

use super::{Home, account, id, message, post, shell};
use crate::sqlite::{Projection, Relational};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let home = Home::new();
    for (number, in_good_order) in [(1, true), (2, false), (3, false)] {
        let accounts = home.relational().await;
        let messages = home.projection().await;
        let registered = accounts.register(&account(number), "hash").await;
        registered.unwrap().unwrap();
        post(&messages, number - 1, 1).await.unwrap();
        if in_good_order {
            accounts.close().await;
            messages.close().await;
            let left = std::fs::read_dir(home.0.path()).unwrap().count();
            assert_eq!(left, 2, "a closed database is one file");
        }
    }
    let accounts = home.relational().await;
    let messages = home.projection().await;
    for number in 1..=3 {
        let found = accounts.account(id(number)).await.unwrap();
        assert_eq!(found, Some(account(number)));
    }
    let page = messages.page(id(7), Anchor::Newest, 50).await.unwrap();
    assert_eq!(page, [message(3), message(2), message(1)]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let home = Home::new();
    let letter = "Dear database, I am not one. ".repeat(1_000);
    std::fs::write(home.guildhall(), &letter).unwrap();
    let opened = Relational::open(&home.guildhall()).await;
    assert!(matches!(opened.err(), Some(Failure::Damaged { .. })));
    assert_eq!(std::fs::read_to_string(home.guildhall()).unwrap(), letter);
}

#[tokio::test]
async fn a_directory_that_does_not_exist_is_named() {
    let home = Home::new();
    let path = home.0.path().join("nowhere/messages.db");
    let failure = Projection::open(&path).await.err().unwrap();
    assert!(failure.to_string().contains("nowhere"), "{failure}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let home = Home::new();
    home.projection().await.close().await;
    let mut shell = shell(home.messages()).await;
    shell
        .execute("UPDATE _sqlx_migrations SET version = version + 9999")
        .await
        .unwrap();
    let failure = Projection::open(&home.messages()).await.err().unwrap();
    assert!(matches!(failure, Failure::Damaged { .. }));
    assert!(failure.to_string().contains("a newer program"), "{failure}");
}

#[tokio::test]
async fn a_database_whose_migrations_differ_is_refused() {
    let home = Home::new();
    home.projection().await.close().await;
    let mut shell = shell(home.messages()).await;
    shell
        .execute("UPDATE _sqlx_migrations SET checksum = x'00'")
        .await
        .unwrap();
    let failure = Projection::open(&home.messages()).await.err().unwrap();
    assert!(matches!(failure, Failure::Damaged { .. }), "{failure}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    let accounts = home.relational().await;
    accounts
        .register(&account(1), "hash")
        .await
        .unwrap()
        .unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(home.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        seen += 1;
    }
    assert!(seen >= 2, "the database and its log");
}
