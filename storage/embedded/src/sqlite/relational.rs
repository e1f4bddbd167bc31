//! Accounts and guilds in one SQLite file: what was committed survives a power cut.

use std::path::Path;

use guildhall_ports::Failure;
use guildhall_ports::crash::Point;
use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteSynchronous;

use super::database::Database;
use super::rows::error::SqlError;
use super::rows::write::Write;
use super::writer::Ends;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/relational");

/// The relational store. Each commit is synced to the disk before it is acknowledged.
pub struct Relational {
    database: Database,
}

impl Relational {
    /// Opens the file at `path`, makes it if there is none, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, Failure> {
        let ends = Ends {
            written: Point::RelationalWritten,
            committed: Point::RelationalCommitted,
        };
        let full = SqliteSynchronous::Full;
        let database = Database::open(path, ("relational", ends), full, &MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Finishes what waits to be written and closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Carries out a write. It happens even if the caller stops waiting for it.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Done, W::Error> {
        self.database.write(write).await
    }

    /// Carries out a read.
    pub(super) async fn read<T>(
        &self,
        reading: impl Future<Output = Result<T, SqlError>>,
    ) -> Result<T, Failure> {
        Ok(reading.await?)
    }

    /// Connections that see the last commit.
    pub(super) fn readers(&self) -> &SqlitePool {
        self.database.readers()
    }
}
