//! The store as an adapter of `Blobs`.

use std::sync::Arc;

use async_trait::async_trait;
use guildhall_ports::Blobs;
use guildhall_ports::conformance::blobs::Fixture;
use guildhall_s3::S3Blobs;

use crate::engine::{self, Bucket};

guildhall_ports::blobs_promises!(fresh);

struct Node {
    url: String,
    blobs: Arc<S3Blobs>,
}

#[async_trait]
impl Fixture for Node {
    fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::clone(&self.blobs) as Arc<dyn Blobs>
    }

    async fn restart(&mut self) {
        self.blobs = engine::open(&self.url).await;
    }
}

async fn fresh() -> (Node, Bucket) {
    let bucket = Bucket::fresh().await;
    let node = Node {
        url: bucket.url().to_owned(),
        blobs: bucket.node().await,
    };
    (node, bucket)
}
