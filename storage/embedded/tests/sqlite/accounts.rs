//! The relational store as an adapter of `Accounts`.

use std::sync::Arc;

use guildhall_embedded::sqlite::Relational;
use guildhall_ports::Accounts;
use tempfile::TempDir;

guildhall_ports::accounts_promises!(fresh);

async fn fresh() -> (Arc<dyn Accounts>, TempDir) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = Relational::open(&directory.path().join("guildhall.db")).await;
    (Arc::new(store.expect("a new database opens")), directory)
}
