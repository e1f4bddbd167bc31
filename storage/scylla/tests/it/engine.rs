//! The engine that the tests use, and a keyspace of its own for each of them.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use guildhall_ports::Messages;
use guildhall_scylla::{Projection, Settings, migrate};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

/// Where the engine is: what `deploy/engines/cassandra start DIR` prints.
const ENGINE: &str = "GUILDHALL_TEST_CQL";
/// Whether tests without an engine fail.
const ENGINES: &str = "GUILDHALL_TEST_ENGINES";

/// A keyspace, which goes with this.
pub(crate) struct Keyspace {
    pub(crate) settings: Settings,
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
        let name = format!("guildhall_{}_{number}", std::process::id());
        let mut settings = Settings::new(vec![engine.to_owned()], name);
        settings.replication_factor = 1;
        Self { settings }
    }

    /// One with tables and nothing in them.
    pub(crate) async fn fresh() -> Self {
        Self::bare().migrated().await
    }

    /// The same with its tables.
    pub(crate) async fn migrated(self) -> Self {
        migrate::apply(&self.settings).await.unwrap();
        self
    }

    /// A node's store.
    pub(crate) async fn node(&self) -> Arc<dyn Messages> {
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

impl Drop for Keyspace {
    /// Keyspaces would fill an engine that serves many runs.
    fn drop(&mut self) {
        let settings = self.settings.clone();
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
