//! The store as an adapter of `Accounts`.

use std::sync::Arc;

use guildhall_ports::Accounts;

use crate::engine::Database;

guildhall_ports::accounts_promises!(fresh);

async fn fresh() -> (Arc<dyn Accounts>, Database) {
    let database = Database::fresh().await;
    (Arc::new(database.node().await), database)
}
