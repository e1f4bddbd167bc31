//! The tables of both relational stores are the same, but for what they call their types and for
//! those that only a cluster has.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;

/// What nodes that share an engine need to know of each other: one node alone has no such tables.
const TABLES_OF_A_CLUSTER: [&str; 3] = ["directory", "nodes", "coordinator"];

/// The statements of all migrations of a folder in their order, without comments and alignment.
fn statements(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let text: String = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let words: Vec<&str> = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .flat_map(str::split_whitespace)
        .collect();
    let joined = words.join(" ");
    let statements = joined.split(';').map(str::trim);
    statements
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn tables_differ_in_their_types_names_only() {
    let sqlite: Vec<String> = statements("../embedded/migrations/relational")
        .iter()
        .map(|statement| statement.replace("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"))
        .map(|statement| statement.replace("BLOB", "BYTEA"))
        .collect();
    let mut postgres = statements("migrations");
    assert!(postgres.len() > 20);
    for table in TABLES_OF_A_CLUSTER {
        let begin = format!("CREATE TABLE {table} ");
        let places: Vec<usize> = (0..postgres.len())
            .filter(|&place| postgres[place].starts_with(&begin))
            .collect();
        let [place] = places[..] else {
            panic!("{table} is made once, not {} times", places.len());
        };
        postgres.remove(place);
        let change = format!("ALTER TABLE {table} ");
        postgres.retain(|statement| !statement.starts_with(&change));
    }
    assert_eq!(postgres, sqlite);
}
