//! Several nodes on the same stores: who owns what, and how they reach each other.
//!
//! The directory says who owns a partition, and the logs say who wrote while owning it; everything
//! here may be late or wrong without harm. Every node reads all of the events log: so each of them
//! knows what counts without asking, and who reads its own append back may answer it.

pub(crate) mod appearances;
pub(crate) mod company;
mod desk;
pub(crate) mod follower;
mod ownership;
pub(crate) mod requests;
mod socket;
mod steward;

use std::sync::Arc;

use guildhall_cluster::link::{Identity, Links};
use guildhall_ports::Failure;

use crate::node::Node;
use crate::recovery::events;

pub use company::{Joining, Sockets};

/// Begins to follow the log, to answer other nodes, and to look after what is this node's own.
pub(crate) async fn join(node: &Node, joining: Joining) -> Result<(), Failure> {
    let inner = &node.inner;
    let Some(company) = &inner.company else {
        return Err(Failure::Closing);
    };
    // Ids of a former process of this node are below.
    inner.raise_id_floor(inner.stores.guilds.highest_id().await?);
    inner.raise_id_floor(inner.stores.messages.highest_id().await?);
    events::follow_all(inner).await?;
    let identity = Identity {
        node: inner.config.node,
        incarnation: joining.incarnation,
        secret: joining.secret,
        tls: joining.tls,
    };
    let desk = desk::Desk(Arc::downgrade(inner));
    company.set_links(Links::start(identity, joining.listener, Arc::new(desk)));
    tokio::spawn(steward::run(Arc::downgrade(inner)));
    Ok(())
}
