//! The engine that the tests use, and a keyspace for each of them that nobody else uses meanwhile.
//!
//! Making tables takes the engine seconds, and emptying them a fraction of one. So most tests hand
//! their keyspace on to the next, which truncates all tables before it begins: rows, and what was
//! deleted, are gone as if they had never been there. Tests that change tables make their own.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;

use guildhall_ports::Messages;
use guildhall_scylla::{Projection, Settings, migrate};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

/// Where the engine is: what `deploy/engines/cassandra start DIR` prints.
const ENGINE: &str = "GUILDHALL_TEST_CQL";
/// Whether tests without an engine fail.
const ENGINES: &str = "GUILDHALL_TEST_ENGINES";
/// What the names of keyspaces begin with, before the process and a number.
const PREFIX: &str = "guildhall_";

/// Keyspaces with tables that no test uses at present.
static IDLE: Mutex<Vec<Settings>> = Mutex::new(Vec::new());

/// A keyspace that one test uses.
pub(crate) struct Keyspace {
    pub(crate) settings: Settings,
    /// Another test may have it afterwards.
    is_handed_on: bool,
}

impl Keyspace {
    /// The name of one that is not there yet, in the engine that the environment names.
    pub(crate) fn bare() -> Self {
        Self::bare_in(&engine())
    }

    /// The name of one that is not there yet, in this engine.
    pub(crate) fn bare_in(engine: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        let mut settings = Settings::new(vec![engine.to_owned()], name);
        settings.replication_factor = 1;
        Self {
            settings,
            is_handed_on: false,
        }
    }

    /// One with tables and nothing in them, whose tables stay as they are.
    pub(crate) async fn fresh() -> Self {
        let idle = IDLE.lock().unwrap().pop();
        let mut keyspace = if let Some(settings) = idle {
            let keyspace = Self {
                settings,
                is_handed_on: false,
            };
            keyspace.empty().await;
            keyspace
        } else {
            let keyspace = Self::bare();
            sweep(&keyspace.settings).await;
            keyspace.migrated().await
        };
        keyspace.is_handed_on = true;
        keyspace
    }

    /// One with tables and nothing in them that nobody has after this test.
    pub(crate) async fn own() -> Self {
        Self::bare().migrated().await
    }

    /// The same with its tables.
    pub(crate) async fn migrated(self) -> Self {
        migrate::apply(&self.settings).await.unwrap();
        self
    }

    /// Takes everything out of the tables.
    async fn empty(&self) {
        let (shell, name) = (self.shell().await, &self.settings.keyspace);
        let tables =
            format!("SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{name}'");
        let tables = names(&shell, &tables).await;
        let tables = tables.iter().filter(|table| *table != "schema_migrations");
        let emptied = tables.map(|table| {
            let truncate = format!("TRUNCATE {name}.{table}");
            shell.query_unpaged(truncate, ())
        });
        assert!(!try_join_all(emptied).await.unwrap().is_empty());
    }

    /// A node's store.
    pub(crate) async fn node(&self) -> Arc<dyn Messages> {
        self.projection().await
    }

    pub(crate) async fn projection(&self) -> Arc<Projection> {
        Arc::new(Projection::open(&self.settings).await.unwrap())
    }

    /// An operator's own connection.
    pub(crate) async fn shell(&self) -> Session {
        shell(&self.settings).await
    }
}

async fn shell(settings: &Settings) -> Session {
    let session = SessionBuilder::new().known_nodes(&settings.nodes);
    session.build().await.unwrap()
}

/// The certificates of an authority: the one that engines of tests have theirs from, or a stranger.
pub(crate) fn authorities(name: &str) -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/engines/certificates"
    );
    let made = Command::new(script).output().unwrap();
    let folder = String::from_utf8(made.stdout).unwrap();
    std::fs::read_to_string(Path::new(folder.trim()).join(name)).unwrap()
}

/// The first column of what a question finds.
async fn names(shell: &Session, question: &str) -> Vec<String> {
    let found = shell.query_unpaged(question, ()).await.unwrap();
    let found = found.into_rows_result().unwrap();
    let rows = found.rows::<(String,)>().unwrap();
    rows.map(|row| row.unwrap().0).collect()
}

/// Drops what former runs have handed on to nobody, once.
async fn sweep(settings: &Settings) {
    static IS_SWEPT: AtomicBool = AtomicBool::new(false);
    if IS_SWEPT.swap(true, Ordering::Relaxed) {
        return;
    }
    let shell = shell(settings).await;
    for name in names(&shell, "SELECT keyspace_name FROM system_schema.keyspaces").await {
        let run = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'));
        let is_over = |(run, _): (&str, &str)| !Path::new("/proc").join(run).exists();
        if run.is_some_and(is_over) {
            let drop = format!("DROP KEYSPACE IF EXISTS {name}");
            shell.query_unpaged(drop, ()).await.unwrap();
        }
    }
}

impl Drop for Keyspace {
    /// Keyspaces would fill an engine that serves many runs.
    fn drop(&mut self) {
        let settings = self.settings.clone();
        // What a test that has failed still does, nobody knows.
        if self.is_handed_on && !std::thread::panicking() {
            IDLE.lock().unwrap().push(settings);
            return;
        }
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                // The engine may be gone with its test.
                let builder = SessionBuilder::new().known_nodes(&settings.nodes);
                if let Ok(session) = builder.build().await {
                    let drop = format!("DROP KEYSPACE IF EXISTS {}", settings.keyspace);
                    let _ = session.query_unpaged(drop, ()).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// An empty store, as the suites want it.
pub(crate) async fn fresh() -> (Arc<dyn Messages>, Keyspace) {
    let keyspace = Keyspace::fresh().await;
    (keyspace.node().await, keyspace)
}

/// The address of the engine. Without one the program ends here, well or badly.
pub(crate) fn engine() -> String {
    if let Some(address) = std::env::var_os(ENGINE) {
        return address.into_string().unwrap();
    }
    let how = format!("{ENGINE} names no engine (deploy/engines/cassandra start DIR)");
    assert!(
        std::env::var_os(ENGINES).is_none_or(|wanted| wanted != "required"),
        "{how}"
    );
    // Past the harness, which would keep it to itself.
    let _ = writeln!(std::io::stderr().lock(), "NOT RUN: guildhall-scylla, {how}");
    std::process::exit(0)
}
