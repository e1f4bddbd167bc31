//! The store as an adapter of `Directory`.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_model::{EventPartition, NodeId};
use guildhall_ports::conformance::directory::Fixture;
use guildhall_ports::directory::Partition;
use guildhall_ports::{Directory, Failure};
use guildhall_postgres::PostgresStore;

use crate::engine::Database;

guildhall_ports::directory_promises!(fresh);

struct Node {
    config: guildhall_postgres::Config,
    store: PostgresStore,
}

#[async_trait]
impl Fixture for Node {
    fn directory(&self) -> Arc<dyn Directory> {
        Arc::new(self.store.clone())
    }

    async fn restart(&mut self) {
        self.store.close().await;
        self.store = PostgresStore::open(&self.config).await.unwrap();
    }
}

async fn fresh() -> (Node, Database) {
    let database = Database::fresh().await;
    let node = Node {
        config: database.config(),
        store: database.node().await,
    };
    (node, database)
}

/// And both nodes agree who it is.
#[tokio::test(flavor = "multi_thread")]
async fn of_nodes_that_claim_a_partition_at_once_one_is_its_owner() {
    let database = Database::fresh().await;
    let nodes = [database.node().await, database.node().await];
    let partition = Partition::Event(EventPartition(7));
    let mut expected = None;
    for _ in 0..30 {
        let claims = (0..8_u16).map(|claimant| {
            let node = nodes[usize::from(claimant % 2)].clone();
            tokio::spawn(async move { node.claim(partition, NodeId(claimant), expected).await })
        });
        let mut owner = None;
        for (claimant, claim) in (0..).zip(claims.collect::<Vec<_>>()) {
            match claim.await.unwrap() {
                Ok(epoch) => {
                    assert_eq!(owner, None, "a partition has one owner");
                    owner = Some((NodeId(claimant), epoch));
                }
                Err(failure) => assert!(matches!(failure, Failure::Stale { .. }), "{failure}"),
            }
        }
        let (owner, epoch) = owner.expect("one of them is served");
        for node in &nodes {
            assert!(node.confirm(partition, owner, epoch).await.unwrap());
        }
        expected = Some(epoch);
    }
}
