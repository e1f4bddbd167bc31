//! The only place that names adapters: from a configuration to the engines that a node stands on.

#[cfg(feature = "cluster")]
pub(crate) mod cluster;
mod embedded;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use guildhall_host::{Node, Stores};
use guildhall_ports::{Blobs, Env};

use crate::config::Config;
use crate::operator::Readiness;

/// The engines of a node, opened.
pub(crate) struct Engines {
    /// What the node stands on.
    pub(crate) stores: Stores,
    /// Where files are.
    pub(crate) blobs: Arc<dyn Blobs>,
    kind: Box<dyn Kind>,
}

/// What engines of one kind need beside their ports.
trait Kind: Send + Sync {
    /// Starts what must be done from time to time as long as the node lives.
    fn keep_up(&self, node: &Node);

    /// Writes what is left to write, and closes.
    fn close(self: Box<Self>) -> BoxFuture<'static, anyhow::Result<()>>;
}

/// Opens the engines that the configuration names.
pub(crate) async fn open(
    config: &Config,
    env: &Env,
    readiness: &Readiness,
) -> anyhow::Result<Engines> {
    #[cfg(feature = "cluster")]
    if config.cluster.is_set() {
        return Box::pin(cluster::open(config)).await;
    }
    embedded::open(config, env, readiness).await
}

impl Engines {
    /// Starts what must be done from time to time as long as the node lives.
    pub(crate) fn keep_up(&self, node: &Node) {
        self.kind.keep_up(node);
    }

    /// Writes what is left to write and closes the engines, once the node has stopped.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.kind.close().await
    }
}
