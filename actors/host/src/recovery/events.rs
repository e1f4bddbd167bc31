//! Event partitions: bring projection and outbox up to date, then accept what is new.

use std::sync::Arc;

use guildhall_model::event::{Record, Source};
use guildhall_model::{Epoch, EventPartition as Number};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::directory::Partition;
use guildhall_ports::guilds::FencingToken;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::claim;
use crate::cluster::follower::Follower;
use crate::event_log::{self, Stable, after};
use crate::node::{Inner, Node};
use crate::partition::EventPartition;
use crate::projection::Projection;
use crate::relay::{self, RelayTask};
use crate::writer::{Outlets, Settling, Writer};
use guildhall_model::limits;

/// Events that are applied to the projection in one transaction at most.
const APPLY_MAX: usize = 2_000;

/// Takes over all event partitions and starts their relays, which nobody listens to yet.
pub(super) async fn take_all(node: &Node) -> Result<(), Failure> {
    let inner = &node.inner;
    let mut tokens = Vec::new();
    for number in 0..inner.config.event_partitions {
        tokens.push(claim_and_fence(inner, Number(number)).await?);
    }
    // What a killed owner was writing is either refused from here on or seen here.
    let mut outbox = outbox_by_partition(inner).await?;
    inner.raise_id_floor(inner.stores.guilds.highest_id().await?);
    let (relays, inboxes) = relays(inner.config.event_partitions);
    inner.set_relays(relays);
    for (token, inbox) in tokens.into_iter().zip(inboxes) {
        let held = outbox.remove(&token.partition).unwrap_or_default();
        let partition = take(inner, token, held).await?;
        let end = partition.writer().progress().borrow().end;
        let relay = RelayTask::new(inner, token.partition, end);
        inner.events.insert(Arc::new(partition));
        tokio::spawn(relay.run(Arc::downgrade(inner), inbox));
    }
    // Whatever a killed owner's last writes brought into this store later is in a tail.
    inner.raise_id_floor(inner.stores.messages.highest_id().await?);
    Ok(())
}

/// Takes one partition over that the directory has given to this node.
pub(crate) async fn take_one(inner: &Inner, number: Number, epoch: Epoch) -> Result<(), Failure> {
    crash::pass(Point::EventsClaimed);
    let token = FencingToken {
        partition: number,
        epoch,
    };
    inner.stores.guilds.fence(token).await?;
    // What its former owner was writing is either refused from here on or seen here.
    let held = outbox_by_partition(inner).await?.remove(&number);
    inner.raise_id_floor(inner.stores.guilds.highest_id().await?);
    let partition = take(inner, token, held.unwrap_or_default()).await?;
    inner.raise_id_floor(inner.stores.messages.highest_id().await?);
    inner.events.insert(Arc::new(partition));
    Ok(())
}

/// Starts a relay for every partition at the present end of what counts in the log, which is
/// followed from there.
pub(crate) async fn follow_all(inner: &Arc<Inner>) -> Result<(), Failure> {
    let (relays, inboxes) = relays(inner.config.event_partitions);
    inner.set_relays(relays);
    let owners: FxHashMap<_, _> = inner.stores.directory.owners().await?.into_iter().collect();
    let log = &*inner.stores.events;
    for (number, inbox) in (0..).map(Number).zip(inboxes) {
        let owner = owners.get(&Partition::Event(number));
        let newest = owner.map(|owner| owner.epoch).unwrap_or_default();
        let (place, epoch) = event_log::last_counting(log, number, newest).await?;
        let relay = RelayTask::new(inner, number, place);
        tokio::spawn(relay.run(Arc::downgrade(inner), inbox));
        inner.heard(number).begin(place, inner.env.now());
        let follower = Follower::new(number, place, epoch);
        tokio::spawn(follower.run(Arc::downgrade(inner)));
    }
    Ok(())
}

/// The ways to the relays of so many partitions, and where they listen.
fn relays(
    count: u16,
) -> (
    Vec<mpsc::Sender<relay::Input>>,
    Vec<mpsc::Receiver<relay::Input>>,
) {
    (0..count)
        .map(|_| mpsc::channel(limits::RELAY_QUEUE_MAX))
        .unzip()
}

/// Takes a partition over in the directory and shuts its former owner out of the relational store.
async fn claim_and_fence(inner: &Inner, number: Number) -> Result<FencingToken, Failure> {
    let (directory, node) = (&inner.stores.directory, inner.config.node);
    let epoch = claim(directory, Partition::Event(number), node).await?;
    crash::pass(Point::EventsClaimed);
    let token = FencingToken {
        partition: number,
        epoch,
    };
    inner.stores.guilds.fence(token).await?;
    Ok(token)
}

async fn outbox_by_partition(inner: &Inner) -> Result<FxHashMap<Number, Vec<Record>>, Failure> {
    let mut by_partition: FxHashMap<Number, Vec<Record>> = FxHashMap::default();
    for record in inner.stores.guilds.outbox().await? {
        by_partition
            .entry(inner.number_of(record.source))
            .or_default()
            .push(record);
    }
    Ok(by_partition)
}

async fn take(
    inner: &Inner,
    token: FencingToken,
    outbox: Vec<Record>,
) -> Result<EventPartition, Failure> {
    let stores = &inner.stores;
    let (number, epoch) = (token.partition, token.epoch);
    let take = event_log::encode_take(inner.config.node);
    let taken = stores.events.append(number.0, epoch, vec![take]).await?;
    let taken = taken.last().copied().ok_or(Failure::Closing)?;
    crash::pass(Point::EventsTaken);
    let applied = stores.messages.applied(number).await?;
    let (mut tail, _) = event_log::read_all(&*stores.events, number, applied).await?;
    project(inner, number, &tail).await?;
    crash::pass(Point::TailProjected);
    if append_outbox(inner, number, epoch, outbox).await? {
        (tail, _) = event_log::read_all(&*stores.events, number, applied).await?;
        project(inner, number, &tail).await?;
    }
    let end = tail.last().map_or(taken, |last| last.position.max(taken));
    let end = after(end);
    inner.raise_id_floor(highest_id(&tail));
    let heard = inner.heard(number);
    heard.hear_tail(applied, &tail, end, inner.env.now());
    debug!(
        partition = number.0,
        tail = tail.len(),
        "event partition taken over"
    );
    let relay = inner.relays()[usize::from(number.0)].clone();
    let (projected, events) = mpsc::channel(limits::RELAY_QUEUE_MAX);
    let messages = Arc::clone(&stores.messages);
    let projection = Projection::start(number, messages, end, events);
    let settling = match inner.company {
        Some(_) => Settling::OnceRead,
        None => Settling::AtOnce(Outlets {
            relay: relay.clone(),
            projection: projected.clone(),
            heard: Arc::clone(heard),
        }),
    };
    let writer = Writer::start(Arc::clone(&stores.events), number, epoch, end, settling);
    Ok(EventPartition::new(
        token,
        writer,
        (projection, projected),
        relay,
    ))
}

/// Applies what the projection has not seen yet.
async fn project(inner: &Inner, number: Number, tail: &[Stable]) -> Result<(), Failure> {
    for batch in tail.chunks(APPLY_MAX) {
        let Some(last) = batch.last() else { continue };
        let records: Vec<Arc<Record>> = batch
            .iter()
            .map(|stable| Arc::clone(&stable.record))
            .collect();
        inner
            .stores
            .messages
            .apply(number, &records, after(last.position))
            .await?;
    }
    Ok(())
}

/// Appends events whose rows were committed but which had not reached the log. Says whether there
/// were any.
pub(super) async fn append_outbox(
    inner: &Inner,
    number: Number,
    epoch: Epoch,
    outbox: Vec<Record>,
) -> Result<bool, Failure> {
    let mut missing = Vec::new();
    let mut newest: FxHashMap<Source, u64> = FxHashMap::default();
    for record in outbox {
        let in_log = inner.stores.messages.last_gseq(record.source).await?;
        newest.insert(record.source, record.gseq);
        if record.gseq > in_log {
            missing.push(event_log::encode_event(&record));
        }
    }
    let any = !missing.is_empty();
    if any {
        warn!(
            partition = number.0,
            events = missing.len(),
            "the outbox is appended"
        );
        inner.stores.events.append(number.0, epoch, missing).await?;
    }
    crash::pass(Point::OutboxAppended);
    for (source, gseq) in newest {
        inner.stores.guilds.outbox_done(source, gseq).await?;
    }
    Ok(any)
}

/// The highest message id of the tail: it may lie above the store's.
fn highest_id(tail: &[Stable]) -> u64 {
    use guildhall_model::event::Event;
    let ids = tail.iter().map(|stable| match &stable.record.event {
        Event::MessageCreated(message) => message.id.get(),
        _ => 0,
    });
    ids.max().unwrap_or(0)
}
