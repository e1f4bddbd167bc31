//! One database file with its writer and its readers.

use std::path::Path;
use std::time::Duration;

use guildhall_ports::Failure;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::error::{ENGINE, failure};
use super::metrics::Metrics;
use super::rows::error::SqlError;
use super::rows::write::Write;
use super::writer::{Ends, Writer};

/// Reading connections. Each has a thread of its own, which waits for the disk.
const READERS: u32 = 4;
/// How long a statement waits for a lock. Only backups and an operator's shell ever hold one.
const BUSY: Duration = Duration::from_secs(5);
/// How long a read waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared; there are fewer than this in the whole crate.
const STATEMENTS: usize = 256;
/// Rows that a connection reads ahead: a page of history, so that its thread need not wait.
const ROWS: usize = 128;

/// One database file.
pub(super) struct Database {
    writer: Writer,
    readers: SqlitePool,
}

impl Database {
    /// Opens the file, makes it if there is none, and brings its tables up to date. `name` is what
    /// measurements call it.
    pub(super) async fn open(
        path: &Path,
        (name, ends): (&'static str, Ends),
        synchronous: SqliteSynchronous,
        migrator: &Migrator,
    ) -> Result<Self, Failure> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .synchronous(synchronous)
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS)
            .disable_statement_logging();
        let writing = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Bounds what a burst leaves behind in the log file.
            .pragma("journal_size_limit", "67108864");
        let mut connection = writing.connect().await.map_err(|e| failure(&e))?;
        migrator
            .run_direct(None, &mut connection, false)
            .await
            .map_err(migration)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            // A file does not hang up, so a connection need not be asked whether it is alive.
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await
            .map_err(|e| failure(&e))?;
        Ok(Self {
            writer: Writer::start(connection, writing, Metrics::of(name), ends),
            readers,
        })
    }

    /// Connections that see the last commit.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Carries out a write. It happens even if the caller stops waiting for it.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Done, W::Error> {
        self.writer.write(write).await
    }

    /// Finishes the writes that wait and closes the file. Later calls answer that it is closed.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Password hashes and private messages are nobody else's business: the file is its owner's
/// alone from its first moment. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| Failure::unavailable(ENGINE, format!("{}: {error}", path.display())))
}

fn migration(error: MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(version) => Failure::damaged(
            ENGINE,
            format!("a newer program wrote this database (migration {version}): run that one"),
        ),
        MigrateError::VersionMismatch(version) => Failure::damaged(
            ENGINE,
            format!("migration {version} differs from the one that made this database"),
        ),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            SqlError::from(error).into()
        }
        other => Failure::unavailable(ENGINE, other),
    }
}
