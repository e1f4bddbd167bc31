//! The only place that names adapters: from a configuration to the engines that a node stands on.

#[cfg(feature = "cluster")]
pub(crate) mod cluster;
mod embedded;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use guildhall_host::{Node, Stores};
use guildhall_model::Timestamp;
use guildhall_ports::{Blobs, Env, Failure, Membership, Quotas, Standing};

use crate::config::Config;
use crate::operator::Readiness;

/// How long partitions may take to work again after an engine was away.
const RECOVERY: Duration = Duration::from_secs(10);

/// What an operator wants to know of the engines of a cluster, or have done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Migration {
    /// How far every engine has come.
    Status,
    /// What [`Self::Apply`] would do.
    Plan,
    /// What is missing is made.
    Apply,
}

/// The engines of a node, opened.
pub(crate) struct Engines {
    /// What the node stands on.
    pub(crate) stores: Stores,
    /// Where files are.
    pub(crate) blobs: Arc<dyn Blobs>,
    /// The list of nodes, where there may be several on these engines.
    pub(crate) membership: Option<Arc<dyn Membership>>,
    /// What counts for the rate limits of all nodes, where there is something that does.
    pub(crate) quotas: Option<Arc<dyn Quotas>>,
    /// What says whether the engines are there that partitions cannot work without.
    needed: Vec<Standing>,
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
        return Box::pin(cluster::open(config, env, readiness)).await;
    }
    embedded::open(config, env, readiness).await
}

/// Has logs give back the space that nobody needs, this often as long as the node lives.
fn keep_trimmed<L, T, F>(
    node: &Node,
    every: Duration,
    logs: [Arc<L>; 2],
    trim: impl Fn(Arc<L>, Timestamp) -> F + Send + Sync + 'static,
) where
    L: Send + Sync + 'static,
    T: Send,
    F: Future<Output = Result<T, Failure>> + Send,
{
    let node = node.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            for log in &logs {
                if let Err(failure) = trim(Arc::clone(log), node.env().now()).await {
                    tracing::warn!(%failure, "a log was not trimmed: {failure}");
                }
            }
        }
    });
}

impl Engines {
    /// Tells whether partitions that do not work may be waiting for an engine. All nodes see that
    /// then, and what serves none of them helps nobody.
    pub(crate) fn excuse(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let needed = self.needed.clone();
        move || needed.iter().any(|it| it.was_away_within(RECOVERY))
    }

    /// Starts what must be done from time to time as long as the node lives.
    pub(crate) fn keep_up(&self, node: &Node) {
        self.kind.keep_up(node);
    }

    /// Writes what is left to write and closes the engines, once the node has stopped.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.kind.close().await
    }
}
