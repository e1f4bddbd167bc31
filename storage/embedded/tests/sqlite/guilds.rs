//! The relational store as an adapter of `Guilds`: rows and what finds them.

use std::sync::Arc;

use guildhall_embedded::sqlite::Relational;
use guildhall_ports::conformance::guilds::Stores;
use tempfile::TempDir;

guildhall_ports::guilds_promises!(fresh);

pub(crate) async fn fresh() -> (Stores, TempDir) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = Relational::open(&directory.path().join("guildhall.db")).await;
    let store = Arc::new(store.expect("a new database opens"));
    let stores = Stores {
        accounts: Arc::clone(&store) as _,
        guilds: Arc::clone(&store) as _,
        commands: store,
    };
    (stores, directory)
}
