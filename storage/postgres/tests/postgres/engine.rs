//! The engine that the tests use, and a database of its own for each of them.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use guildhall_postgres::{Config, PostgresStore, migrations};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Where the engine is: what `deploy/engines/postgres start DIR` prints.
const ENGINE: &str = "GUILDHALL_TEST_POSTGRES";
/// Whether tests without an engine fail.
const ENGINES: &str = "GUILDHALL_TEST_ENGINES";

/// An empty database, which goes with this.
pub(crate) struct Database {
    engine: String,
    name: String,
}

impl Database {
    /// One without tables, in the engine that the environment names.
    pub(crate) async fn bare() -> Self {
        Self::bare_in(&engine()).await
    }

    /// One without tables, in this engine.
    pub(crate) async fn bare_in(engine: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("guildhall_{}_{number}", std::process::id());
        let mut admin = PgConnection::connect(engine).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        admin.execute(AssertSqlSafe(create)).await.unwrap();
        Self {
            engine: engine.to_owned(),
            name,
        }
    }

    /// One with tables and nothing in them.
    pub(crate) async fn fresh() -> Self {
        let database = Self::bare().await;
        migrations::apply(&database.config()).await.unwrap();
        database
    }

    pub(crate) fn url(&self) -> String {
        let (engine, _) = self.engine.rsplit_once('/').unwrap();
        format!("{engine}/{}", self.name)
    }

    /// Fewer connections than usual: many tests run at once, and unoptimized programs take long to
    /// log in.
    pub(crate) fn config(&self) -> Config {
        Config {
            connections: 6,
            ..Config::new(self.url())
        }
    }

    /// A node's store.
    pub(crate) async fn node(&self) -> PostgresStore {
        PostgresStore::open(&self.config()).await.unwrap()
    }

    /// An operator's own connection.
    pub(crate) async fn shell(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }
}

impl Drop for Database {
    /// Databases would fill an engine that serves many runs.
    fn drop(&mut self) {
        let (engine, name) = (self.engine.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                // The engine may be gone with its test.
                if let Ok(mut admin) = PgConnection::connect(&engine).await {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    let _ = admin.execute(AssertSqlSafe(drop)).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// The address of the engine. Without one the program ends here, well or badly.
pub(crate) fn engine() -> String {
    if let Some(url) = std::env::var_os(ENGINE) {
        return url.into_string().unwrap();
    }
    let how = format!("{ENGINE} names no engine (deploy/engines/postgres start DIR)");
    assert!(
        std::env::var_os(ENGINES).is_none_or(|wanted| wanted != "required"),
        "{how}"
    );
    // Past the harness, which would keep it to itself.
    let _ = writeln!(
        std::io::stderr().lock(),
        "NOT RUN: guildhall-postgres, {how}"
    );
    std::process::exit(0)
}
