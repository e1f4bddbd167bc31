//! Messages, reactions and audit logs in one SQLite file, projected from the events log.
//!
//! The file may lose its last moments in a power cut: its cursor goes back together with its
//! rows, and the records behind the cursor are applied again.

mod apply;
mod audit;
mod message;
mod messages;
mod nonce;
mod reaction;

use std::path::Path;

use guildhall_ports::Failure;
use guildhall_ports::crash::Point;
use sqlx::Sqlite;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteSynchronous;

use super::database::Database;
use super::rows::error::SqlError;
use super::writer::Ends;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/messages");

/// The projection of messages.
pub struct Projection {
    pub(super) database: Database,
}

impl Projection {
    /// Opens the file at `path`, makes it if there is none, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, Failure> {
        let ends = Ends {
            written: Point::MessagesWritten,
            committed: Point::MessagesCommitted,
        };
        let normal = SqliteSynchronous::Normal;
        let database = Database::open(path, ("messages", ends), normal, &MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Finishes what waits to be written and closes the file.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// A connection that sees the last commit.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>, SqlError> {
        Ok(self.database.readers().acquire().await?)
    }
}
