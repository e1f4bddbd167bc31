//! The store as an adapter of `Guilds`: rows and what finds them.

use std::sync::Arc;

use guildhall_ports::conformance::guilds::Stores;

use crate::engine::Database;

guildhall_ports::guilds_promises!(fresh);

pub(crate) async fn fresh() -> (Stores, Database) {
    let database = Database::fresh().await;
    let store = Arc::new(database.node().await);
    let stores = Stores {
        accounts: Arc::clone(&store) as _,
        guilds: Arc::clone(&store) as _,
        commands: store,
    };
    (stores, database)
}
