//! The projection as an adapter of `Messages`: messages and their pages.

use std::sync::Arc;

use guildhall_embedded::sqlite::Projection;
use guildhall_ports::Messages;
use tempfile::TempDir;

guildhall_ports::messages_promises!(fresh);

pub(crate) async fn fresh() -> (Arc<dyn Messages>, TempDir) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = Projection::open(&directory.path().join("messages.db")).await;
    (Arc::new(store.expect("a new database opens")), directory)
}
