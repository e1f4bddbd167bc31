//! The tables' versions: what a database has, what it lacks, and how it gets it.
//!
//! Nodes never change tables by themselves: with several of them, an operator says when.

use std::collections::BTreeMap;

use guildhall_ports::Failure;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use crate::config::Config;
use crate::connections::{OPERATION, connect, watched, within};
use crate::error::{ENGINE, failure};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a change of a table waits for those that use it, and for another one who migrates.
/// Everybody else waits behind it, so it must not be long.
const LOCK_MS: u32 = 10_000;

/// Where a database stands with one migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The database has it.
    Applied,
    /// The database lacks it.
    Pending,
    /// The database has it in another form than this program.
    Different,
    /// A newer program made it; this one does not know it.
    Unknown,
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number, rising from 1.
    pub version: i64,
    /// What it is about, in a few words.
    pub description: String,
    /// Where the database stands with it.
    pub state: State,
}

/// A migration that a database lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub version: i64,
    /// What it is about, in a few words.
    pub description: String,
    /// The statements that it runs.
    pub sql: String,
}

/// All migrations that the database or this program knows, in their order. Changes nothing.
pub async fn status(config: &Config) -> Result<Vec<Step>, Failure> {
    let mut connection = connect(watched(config.options()?)).await?;
    let steps = within(OPERATION, steps(&mut connection)).await??;
    let _ = within(OPERATION, connection.close()).await;
    Ok(steps)
}

/// What [`apply`] would do. Refuses a database that another version of the program made. Changes
/// nothing.
pub async fn plan(config: &Config) -> Result<Vec<Pending>, Failure> {
    let steps = status(config).await?;
    refuse_strangers(&steps)?;
    let is_pending = |version| {
        let mut lacking = steps.iter().filter(|step| step.state == State::Pending);
        lacking.any(|step| step.version == version)
    };
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| is_pending(migration.version))
        .map(|migration| Pending {
            version: migration.version,
            description: migration.description.to_string(),
            sql: migration.sql.as_str().to_owned(),
        })
        .collect())
}

/// Gives the database what it lacks, each migration wholly or not at all, and answers what that
/// was. Of two that do this at once, one waits for the other. A change of large tables takes its
/// time, so there is no deadline.
pub async fn apply(config: &Config) -> Result<Vec<Pending>, Failure> {
    let planned = plan(config).await?;
    let options = config.options()?.options([("lock_timeout", LOCK_MS)]);
    let mut connection = connect(options).await?;
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(migration)?;
    let _ = within(OPERATION, connection.close()).await;
    Ok(planned)
}

/// Refuses a database whose tables are not those that this program works with.
pub(crate) async fn check(config: &Config) -> Result<(), Failure> {
    let steps = status(config).await?;
    refuse_strangers(&steps)?;
    let mut lacking = steps.iter().filter(|step| step.state == State::Pending);
    let Some(first) = lacking.next() else {
        return Ok(());
    };
    let others = lacking.count();
    let why = format!(
        "its tables are older than this program: migration {} ({}) and {others} more have to be \
         applied first",
        first.version, first.description
    );
    Err(Failure::unavailable(ENGINE, why))
}

fn refuse_strangers(steps: &[Step]) -> Result<(), Failure> {
    for step in steps {
        match step.state {
            State::Applied | State::Pending => {}
            State::Different => return Err(different(step.version)),
            State::Unknown => return Err(unknown(step.version)),
        }
    }
    Ok(())
}

async fn steps(connection: &mut PgConnection) -> Result<Vec<Step>, Failure> {
    let mut applied = applied(connection).await.map_err(|e| failure(&e))?;
    let mut steps: Vec<Step> = MIGRATIONS
        .iter()
        .map(|migration| Step {
            version: migration.version,
            description: migration.description.to_string(),
            state: match applied.remove(&migration.version) {
                None => State::Pending,
                Some(row) if row.checksum == *migration.checksum => State::Applied,
                Some(_) => State::Different,
            },
        })
        .collect();
    steps.extend(applied.into_values().map(|row| Step {
        version: row.version,
        description: row.description,
        state: State::Unknown,
    }));
    steps.sort_by_key(|step| step.version);
    Ok(steps)
}

#[derive(sqlx::FromRow)]
struct AppliedRow {
    version: i64,
    description: String,
    checksum: Vec<u8>,
}

/// The migrations that a database notes, none if it is new.
async fn applied(connection: &mut PgConnection) -> Result<BTreeMap<i64, AppliedRow>, sqlx::Error> {
    let is_new: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NULL")
        .fetch_one(&mut *connection)
        .await?;
    if is_new {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<AppliedRow> =
        sqlx::query_as("SELECT version, description, checksum FROM _sqlx_migrations")
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.version, row)).collect())
}

fn unknown(version: i64) -> Failure {
    let why = format!("a newer program made its tables (migration {version}): run that one");
    Failure::damaged(ENGINE, why)
}

fn different(version: i64) -> Failure {
    let why = format!("migration {version} differs from the one that made its tables");
    Failure::damaged(ENGINE, why)
}

fn migration(error: MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(version) => unknown(version),
        MigrateError::VersionMismatch(version) => different(version),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(&error),
        other => Failure::unavailable(ENGINE, other),
    }
}
