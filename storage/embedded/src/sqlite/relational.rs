//! Accounts and guilds in one SQLite file: what was committed survives a power cut.

mod accounts;
mod application_commands;
mod applications;
mod channel;
mod commit;
mod direct;
mod emoji;
mod fence;
mod guild;
mod guilds;
mod invite;
mod logins;
mod member;
mod outbox;
mod role;
mod user;
mod webhook;

use std::path::Path;

use guildhall_ports::Failure;
use guildhall_ports::crash::Point;
use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteSynchronous;

use super::database::Database;
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

    fn readers(&self) -> &SqlitePool {
        self.database.readers()
    }
}
