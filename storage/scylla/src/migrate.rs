//! The keyspace and its tables: what there is, what is missing, and bringing it up to date.
//!
//! Migrations are numbered files, and the keyspace notes which it has seen. Every statement of
//! theirs may be carried out again, so a migration that broke off is repeated. Two that run at the
//! same time end in the same tables, but an engine may refuse one of them meanwhile: run one.

use guildhall_ports::Failure;

use crate::cql::Cql;
use crate::error::CqlError;
use crate::settings::Settings;

/// A step of the schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number: they are carried out in order, from 1.
    pub number: i32,
    /// What it makes.
    pub name: &'static str,
    cql: &'static str,
}

/// All steps, in order.
pub const MIGRATIONS: [Migration; 1] = [Migration {
    number: 1,
    name: "messages",
    cql: include_str!("../migrations/0001_messages.cql"),
}];

/// How far a keyspace has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The number of its last migration; 0 if it is not there or has none.
    pub found: i32,
    /// The number that this version of the program needs.
    pub wanted: i32,
}

impl Status {
    /// Why the tables cannot be used as they are.
    pub(crate) fn objection(self) -> Option<String> {
        let Self { found, wanted } = self;
        if found == wanted {
            return None;
        }
        Some(if found == 0 {
            "the keyspace has none of our tables, migrate it first".to_owned()
        } else if found < wanted {
            format!("the keyspace is at migration {found} and has to be at {wanted}, migrate it")
        } else {
            format!(
                "the keyspace is at migration {found}, of a newer version of this program, which \
                 knows only {wanted}: run the newer one"
            )
        })
    }
}

/// How far the keyspace has come.
pub async fn status(settings: &Settings) -> Result<Status, Failure> {
    let cql = Cql::connect(settings).await?;
    Ok(status_of(&cql, &settings.keyspace).await?)
}

/// The migrations that are still to be carried out.
pub async fn plan(settings: &Settings) -> Result<Vec<&'static Migration>, Failure> {
    Ok(missing(status(settings).await?))
}

/// Makes the keyspace, if there is none, and carries out the migrations that it has not seen.
/// Answers which those were.
pub async fn apply(settings: &Settings) -> Result<Vec<&'static Migration>, Failure> {
    let cql = Cql::connect(settings).await?;
    let missing = missing(status_of(&cql, &settings.keyspace).await?);
    if missing.is_empty() {
        return Ok(missing);
    }
    prepare_keyspace(&cql, settings).await?;
    for migration in &missing {
        for statement in statements(migration.cql) {
            cql.change_schema(&statement).await?;
        }
        note(&cql, migration).await?;
    }
    Ok(missing)
}

fn missing(status: Status) -> Vec<&'static Migration> {
    let migrations = MIGRATIONS.iter();
    migrations
        .filter(|migration| status.found < migration.number)
        .collect()
}

pub(crate) async fn status_of(cql: &Cql, keyspace: &str) -> Result<Status, CqlError> {
    let tables: Vec<(String,)> = cql
        .ask(
            "SELECT table_name FROM system_schema.tables
             WHERE keyspace_name = ? AND table_name = 'schema_migrations'",
            (keyspace,),
        )
        .await?;
    let wanted = MIGRATIONS.iter().map(|migration| migration.number).max();
    let mut status = Status {
        found: 0,
        wanted: wanted.unwrap_or(0),
    };
    if !tables.is_empty() {
        let newest = format!(
            "SELECT number FROM {keyspace}.schema_migrations WHERE part = 'messages'
             ORDER BY number DESC LIMIT 1"
        );
        let rows: Vec<(i32,)> = cql.ask(&newest, ()).await?;
        status.found = rows.first().map_or(0, |(number,)| *number);
    }
    Ok(status)
}

async fn prepare_keyspace(cql: &Cql, settings: &Settings) -> Result<(), CqlError> {
    let Settings {
        keyspace,
        replication_factor,
        ..
    } = settings;
    cql.change_schema(&format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication =
         {{'class': 'NetworkTopologyStrategy', 'replication_factor': {replication_factor}}}"
    ))
    .await?;
    cql.choose(keyspace).await?;
    cql.change_schema(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
             part text, number int, name text, PRIMARY KEY ((part), number))",
    )
    .await
}

async fn note(cql: &Cql, migration: &Migration) -> Result<(), CqlError> {
    let note = cql
        .prepare("INSERT INTO schema_migrations (part, number, name) VALUES ('messages', ?, ?)")
        .await?;
    cql.write(&note, (migration.number, migration.name)).await
}

/// The statements of a file. None of them holds a semicolon or a line that begins like a comment.
fn statements(file: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("--");
    let code: Vec<&str> = file.lines().filter(is_code).collect();
    let statements = code.join("\n");
    let statements = statements.split(';').map(str::trim);
    statements
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_from_one_and_may_be_repeated() {
        for (number, migration) in (1..).zip(&MIGRATIONS) {
            assert_eq!(migration.number, number);
            for statement in statements(migration.cql) {
                assert!(statement.contains("IF NOT EXISTS"), "{statement}");
            }
        }
    }

    #[test]
    fn a_keyspace_is_used_at_exactly_its_version() {
        let status = |found| Status { found, wanted: 2 };
        assert_eq!(status(2).objection(), None);
        for (found, says) in [
            (0, "none of our tables"),
            (1, "has to be at 2"),
            (3, "newer"),
        ] {
            let objection = status(found).objection().expect("there is one");
            assert!(objection.contains(says), "{objection}");
        }
    }
}
