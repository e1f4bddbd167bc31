//! Every statement in the sources, against the tables: none may look at all rows of one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{Home, shell};
use crate::sqlite::engine::among;

/// What a plan may scan: parameters, the rows of a subquery, tables of one row, and the outbox,
/// which is read as a whole.
const SCANNED: [&str; 9] = [
    "above",
    "below",
    "each_kind",
    "either",
    "id_floor",
    "json_each",
    "outbox",
    "wanted",
    "CONSTANT",
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The statements that a source file holds as literals.
fn statements(source: &str) -> Vec<&str> {
    let begins = |text: &&str| {
        let first = text.split_whitespace().next();
        matches!(first, Some("SELECT" | "INSERT" | "UPDATE" | "DELETE"))
    };
    source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(begins)
        .collect()
}

/// The statements of all files of a folder. Those that name ids take the condition of this engine.
fn statements_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(sources().join(folder)).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let words: Vec<&str> = source.split_whitespace().collect();
        let source = words
            .join(" ")
            .replace("\", among!(), \"", among!())
            .replace("\", among!()", concat!(among!(), "\""));
        assert!(!source.contains("\", among!"), "a condition stands alone");
        found.extend(statements(&source).into_iter().map(str::to_owned));
    }
    found
}

async fn plan(database: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let mut explained = format!("EXPLAIN QUERY PLAN {statement}");
    if statement.starts_with("INSERT") && statement.ends_with(") ") {
        // How many rows there are is only known at run time.
        let columns = statement.matches(',').count() + 1;
        write!(explained, "VALUES ({})", vec!["1"; columns].join(", ")).unwrap();
    }
    let explained = AssertSqlSafe(explained);
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained)
        .fetch_all(database)
        .await
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
    rows.into_iter().map(|(.., detail)| detail).collect()
}

fn scans(detail: &str) -> bool {
    detail
        .strip_prefix("SCAN ")
        .is_some_and(|what| !SCANNED.iter().any(|known| what.starts_with(known)))
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let home = Home::new();
    home.relational().await.close().await;
    home.projection().await.close().await;
    for (folder, path, at_least) in [
        ("relational", home.guildhall(), 50),
        ("embedded/src/sqlite/projection", home.messages(), 18),
    ] {
        let mut database = shell(path).await;
        let statements = statements_in(folder);
        assert!(
            statements.len() >= at_least,
            "{folder}: {}",
            statements.len()
        );
        for statement in statements {
            for detail in plan(&mut database, &statement).await {
                assert!(!scans(&detail), "{detail}: {statement}");
            }
        }
    }
}

/// The index gives the order, so that a page costs what it holds, however long the history is.
#[tokio::test]
async fn pages_are_read_in_order() {
    let home = Home::new();
    home.projection().await.close().await;
    let mut database = shell(home.messages()).await;
    let source =
        std::fs::read_to_string(sources().join("embedded/src/sqlite/projection/message.rs"))
            .unwrap();
    let pages: Vec<&str> = statements(&source)
        .into_iter()
        .filter(|statement| statement.contains("ORDER BY"))
        .collect();
    let kinds = "four kinds of page, the pins, the nonce and an author's";
    assert_eq!(pages.len(), 7, "{kinds}");
    for statement in pages {
        let plan = plan(&mut database, statement).await;
        assert!(
            plan.iter()
                .any(|detail| detail.contains("INDEX messages_by")),
            "{plan:?}"
        );
        assert!(
            plan.iter().all(|detail| !detail.contains("TEMP B-TREE")),
            "{plan:?}: {statement}"
        );
    }
}

#[tokio::test]
async fn a_scan_would_be_noticed() {
    let home = Home::new();
    home.projection().await.close().await;
    let mut database = shell(home.messages()).await;
    let plan = plan(&mut database, "SELECT id FROM messages WHERE content = 'x'").await;
    assert!(plan.iter().any(|detail| scans(detail)), "{plan:?}");
}
