//! Taking partitions over, handing them over, and letting go of what belongs to others.

use std::sync::Arc;
use std::time::Duration;

use guildhall_cluster::coordinator::Order;
use guildhall_cluster::link::Lane;
use guildhall_model::{Epoch, EventPartition, NodeId, SessionPartition};
use guildhall_ports::Failure;
use guildhall_ports::directory::{Ownership, Partition};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::company::{Company, Owners};
use super::requests::{Request, Told};
use crate::calls::wire::encode;
use crate::node::Node;
use crate::partition::EventPartition as Owned;
use crate::recovery::{events, sessions};
use crate::session::sequencer::Sequencer;

/// How long the actors of a partition that is handed over may take to finish what they have begun.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How long the next owner may take.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// After so long somebody who looks for the reason should hear of it.
const LONG: Duration = Duration::from_secs(10);
/// How long a node may take to hear that a partition is its own.
const ORDER_WITHIN: Duration = Duration::from_secs(2);

/// Carries out an order that names this node, in the background.
pub(super) fn carry_out(node: &Node, order: Order) {
    let partition = order.partition();
    alone(node, partition, move |node, company| async move {
        match order {
            // The coordinator knows a former life of this node's.
            Order::TakeOver { .. } if !company.takes(partition) => {
                warn!(
                    ?partition,
                    "this node has no role for the partition, and does not take it"
                );
                Ok(())
            }
            // An order that was given before the last one was carried out.
            Order::TakeOver { .. } if holds(&node, partition) => Ok(()),
            Order::TakeOver { replaces, .. } => take(&node, &company, partition, replaces).await,
            Order::HandOver { to, replaces, .. } => {
                hand_over(&node, &company, (partition, replaces), to).await
            }
        }
    });
}

/// Does something with a partition in the background, unless something is being done with it.
fn alone<F, W>(node: &Node, partition: Partition, work: F)
where
    F: FnOnce(Node, Arc<Company>) -> W + Send + 'static,
    W: Future<Output = Result<(), Failure>> + Send,
{
    let node = node.clone();
    tokio::spawn(async move {
        let Some(company) = node.inner.company.clone() else {
            return;
        };
        let Some(_busy) = company.busy(partition) else {
            return;
        };
        let mut working = std::pin::pin!(work(node, Arc::clone(&company)));
        let outcome = loop {
            if let Ok(outcome) = tokio::time::timeout(LONG, &mut working).await {
                break outcome;
            }
            warn!(?partition, "a partition takes long to be moved");
        };
        if let Err(failure) = outcome {
            warn!(?partition, %failure, "a partition was not moved; there will be another order");
        }
    });
}

/// This node has the partition at work, or is starting it.
pub(super) fn holds(node: &Node, partition: Partition) -> bool {
    match partition {
        Partition::Event(number) => node.inner.events.present(number).is_some(),
        Partition::Session(number) => node.inner.sequencers.get(number).is_some(),
    }
}

/// Takes a partition over, provided that its epoch is still this one.
async fn take(
    node: &Node,
    company: &Company,
    partition: Partition,
    replaces: Option<Epoch>,
) -> Result<(), Failure> {
    let inner = &node.inner;
    let me = inner.config.node;
    let began = Instant::now();
    let epoch = inner
        .stores
        .directory
        .claim(partition, me, replaces)
        .await?;
    let kind = match partition {
        Partition::Event(number) => {
            events::take_one(inner, number, epoch).await?;
            let owned = inner.events.get(number);
            owned.inspect(|owned| watch(node, owned));
            "event"
        }
        Partition::Session(number) => {
            sessions::take_one(node, number, epoch).await?;
            "session"
        }
    };
    metrics::histogram!("guildhall_takeover_seconds", "kind" => kind).record(began.elapsed());
    let owner = Ownership { node: me, epoch };
    company.note_owner(partition, owner);
    let owns = Told::Owns {
        partition,
        node: me,
        epoch,
    };
    company.tell_all(Lane::Control, &owns);
    info!(?partition, epoch = epoch.0, "partition taken over");
    Ok(())
}

/// Lets go of a partition as soon as its log takes nothing from this node any more. What the
/// directory still calls this node's own is taken over anew.
fn watch(node: &Node, owned: &Arc<Owned>) {
    let mut progress = owned.writer().progress();
    let (node, owned) = (Arc::downgrade(&node.inner), Arc::clone(owned));
    tokio::spawn(async move {
        let broken = progress.wait_for(|progress| progress.is_broken);
        let is_broken = broken.await.is_ok();
        if is_broken && let Some(inner) = node.upgrade() {
            inner.events.remove(&owned);
            owned.stop_actors("the events log takes nothing more").await;
        }
    });
}

/// The epoch under which this node has a partition, or had it last by what the directory says.
fn epoch_here(node: &Node, company: &Company, partition: Partition) -> Option<Epoch> {
    let inner = &node.inner;
    let held = match partition {
        Partition::Event(number) => inner.events.present(number).map(|it| it.token.epoch),
        Partition::Session(number) => {
            let sequencer = inner.sequencers.get(number);
            sequencer.map(|it| it.epoch().unwrap_or_default().max(it.taken))
        }
    };
    held.or_else(|| {
        let owner = company.owner(partition);
        let owner = owner.filter(|owner| owner.node == inner.config.node);
        owner.map(|owner| owner.epoch)
    })
}

/// Lets go of a partition in good order, and tells its next owner.
async fn hand_over(
    node: &Node,
    company: &Company,
    (partition, epoch): (Partition, Epoch),
    to: NodeId,
) -> Result<(), Failure> {
    // An order from before the last move.
    if epoch_here(node, company, partition) != Some(epoch) {
        return Ok(());
    }
    // A node that has just come is known before it can be called. Whoever has a session here would be
    // sent away and, as nobody takes the partition, find it here again.
    if !company.reaches(to) {
        debug!(?partition, %to, "the partition stays, its next owner cannot be reached");
        return Ok(());
    }
    match partition {
        Partition::Event(number) => let_event_go(node, number).await,
        Partition::Session(number) => let_session_go(node, number).await,
    }
    let order = Order::TakeOver {
        partition,
        to,
        replaces: Some(epoch),
    };
    let body = encode(&Request::Order(order));
    let told = company.call(to, Lane::Control, body, ORDER_WITHIN).await;
    told.map_err(|error| Failure::unavailable("the next owner", error))?;
    // Until then nobody else moves it.
    let mut owners = company.owners.subscribe();
    let me = node.inner.config.node;
    let is_taken = |owners: &Owners| owners.get(&partition).is_some_and(|it| it.node != me);
    let taken = tokio::time::timeout(TAKEN_WITHIN, owners.wait_for(is_taken)).await;
    taken
        .map(drop)
        .map_err(|_| Failure::unavailable("the next owner", "it has not taken over"))
}

async fn let_event_go(node: &Node, number: EventPartition) {
    let Some(owned) = node.inner.events.get(number) else {
        return;
    };
    // Nobody is sent here any more; what has come already is finished.
    owned.close();
    let _ = tokio::time::timeout(FINISH_WITHIN, owned.finish()).await;
    owned.stop_actors("the partition was handed over").await;
    node.inner.events.remove(&owned);
}

/// The sockets of its sessions are asked to come back, and find the next owner.
async fn let_session_go(node: &Node, number: SessionPartition) {
    if let Some(sequencer) = node.inner.sequencers.remove(number) {
        sequencer.stop().await;
        sessions::forget(node, number).await;
    }
}

/// Lets go of what belongs to somebody else by now, in the background: nothing that is written
/// there counts. What is lost and still this node's own by the directory is taken over anew then.
pub(super) fn drop_lost(node: &Node, owners: &Owners) {
    let inner = &node.inner;
    for owned in inner.events.all().iter().cloned() {
        let partition = Partition::Event(owned.number);
        let owner = owners.get(&partition);
        if owner.is_some_and(|owner| owned.token.epoch < owner.epoch) {
            alone(node, partition, move |node, _| async move {
                drop_event(&node, &owned).await;
                Ok(())
            });
        }
    }
    for (number, sequencer) in inner.sequencers.all().iter().cloned() {
        let partition = Partition::Session(number);
        if is_lost(&sequencer, owners.get(&partition), inner.config.node) {
            alone(node, partition, move |node, company| async move {
                // What was moved meanwhile is another one.
                let present = node.inner.sequencers.get(number);
                let (owner, me) = (company.owner(partition), node.inner.config.node);
                if let Some(present) = present.filter(|it| is_lost(it, owner.as_ref(), me)) {
                    drop_session(&node, number, &present).await;
                }
                Ok(())
            });
        }
    }
}

/// Whether a session partition is somebody else's by now, or has found out itself that it was.
fn is_lost(sequencer: &Sequencer, owner: Option<&Ownership>, me: NodeId) -> bool {
    let epoch = sequencer.epoch().unwrap_or_default().max(sequencer.taken);
    let is_elsewhere = owner.is_some_and(|owner| owner.node != me && epoch < owner.epoch);
    is_elsewhere || sequencer.is_lost()
}

async fn drop_event(node: &Node, owned: &Arc<Owned>) {
    let partition = owned.number.0;
    warn!(partition, "somebody else owns the event partition");
    node.inner.events.remove(owned);
    owned.stop_actors("somebody else owns the partition").await;
}

async fn drop_session(node: &Node, number: SessionPartition, sequencer: &Sequencer) {
    node.inner.sequencers.remove(number);
    sequencer.lose().await;
    sessions::forget(node, number).await;
}
