//! Event partitions: bring projection and outbox up to date, then let the relays hear the tail.

use std::sync::Arc;

use guildhall_model::event::{Record, Source};
use guildhall_model::{Epoch, EventPartition as Number, GuildId, Position, SessionPartition};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::directory::Partition;
use guildhall_ports::guilds::FencingToken;
use guildhall_state::relay::{Relay, Subscriber};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::claim;
use super::sessions::Folded;
use super::tail;
use crate::event_log::{self, Stable, after};
use crate::guild_at;
use crate::node::{Inner, Node};
use crate::partition::EventPartition;
use crate::projection::Projection;
use crate::relay::{self, RelayTask};
use crate::writer::{Outlets, Writer};
use guildhall_model::limits;

/// Events that are applied to the projection in one transaction at most.
const APPLY_MAX: usize = 2_000;

/// A relay that is still to be started, with the tail that it has to hear again.
pub(crate) struct Pending {
    number: Number,
    tail: Vec<Stable>,
    end: Position,
    /// Each session of a former owner, by guild, with the place after which it hears.
    subscribers: FxHashMap<GuildId, Vec<(Subscriber, u64)>>,
    /// How far each session partition has heard.
    heard: FxHashMap<SessionPartition, Position>,
    inbox: mpsc::Receiver<relay::Input>,
}

/// Takes over all event partitions. Their relays wait for the sequencers.
pub(super) async fn take_all(node: &Node, folded: &[Folded]) -> Result<(), Failure> {
    let inner = &node.inner;
    let mut tokens = Vec::new();
    for number in 0..inner.config.event_partitions {
        tokens.push(claim_and_fence(inner, Number(number)).await?);
    }
    // What a killed owner was writing is either refused from here on or seen here.
    let mut outbox = outbox_by_partition(inner).await?;
    inner.raise_id_floor(inner.stores.guilds.highest_id().await?);
    let mut partitions = Vec::new();
    let mut pending = Vec::new();
    for token in tokens {
        let held = outbox.remove(&token.partition).unwrap_or_default();
        let (partition, relay) = take(inner, token, folded, held).await?;
        partitions.push(Arc::new(partition));
        pending.push(relay);
    }
    // Whatever a killed owner's last writes brought into this store later is in a tail.
    inner.raise_id_floor(inner.stores.messages.highest_id().await?);
    inner.set_event_partitions(partitions);
    *inner.pending_relays.lock() = pending;
    Ok(())
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
    folded: &[Folded],
    outbox: Vec<Record>,
) -> Result<(EventPartition, Pending), Failure> {
    let stores = &inner.stores;
    let (number, epoch) = (token.partition, token.epoch);
    let take = event_log::encode_take(inner.config.node);
    let taken = stores.events.append(number.0, epoch, vec![take]).await?;
    let taken = taken.last().copied().ok_or(Failure::Closing)?;
    crash::pass(Point::EventsTaken);
    let applied = stores.messages.applied(number).await?;
    let heard: FxHashMap<SessionPartition, Position> = folded
        .iter()
        .map(|folded| (folded.number, folded.machine.heard(number)))
        .collect();
    // A session partition without sessions has missed nothing, however long ago it last heard.
    let listens = |folded: &&Folded| folded.machine.sessions().next().is_some();
    let least = folded
        .iter()
        .filter(listens)
        .map(|folded| folded.machine.heard(number))
        .min();
    let from = applied.min(least.unwrap_or(applied));
    let (mut tail, _) = event_log::read_all(&*stores.events, number, from).await?;
    project(inner, number, &tail, applied).await?;
    crash::pass(Point::TailProjected);
    if append_outbox(inner, number, epoch, outbox).await? {
        (tail, _) = event_log::read_all(&*stores.events, number, from).await?;
        project(inner, number, &tail, applied).await?;
    }
    let end = tail.last().map_or(taken, |last| last.position.max(taken));
    let end = after(end);
    inner.raise_id_floor(highest_id(&tail));
    debug!(
        partition = number.0,
        tail = tail.len(),
        "event partition taken over"
    );
    let (relay, inbox) = mpsc::channel(limits::RELAY_QUEUE_MAX);
    let (projected, events) = mpsc::channel(limits::RELAY_QUEUE_MAX);
    let messages = Arc::clone(&stores.messages);
    let projection = Projection::start(number, messages, end, events);
    let outlets = Outlets {
        relay: relay.clone(),
        projection: projected.clone(),
    };
    let writer = Writer::start(Arc::clone(&stores.events), number, epoch, end, outlets);
    let partition = EventPartition::new(token, writer, (projection, projected), relay);
    let subscribers = subscribers_of(inner, number, folded);
    Ok((
        partition,
        Pending {
            number,
            tail,
            end,
            subscribers,
            heard,
            inbox,
        },
    ))
}

/// Applies what the projection has not seen yet.
async fn project(
    inner: &Inner,
    number: Number,
    tail: &[Stable],
    applied: Position,
) -> Result<(), Failure> {
    let fresh: Vec<&Stable> = tail
        .iter()
        .filter(|stable| stable.position >= applied)
        .collect();
    for batch in fresh.chunks(APPLY_MAX) {
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

fn subscribers_of(
    inner: &Inner,
    number: Number,
    folded: &[Folded],
) -> FxHashMap<GuildId, Vec<(Subscriber, u64)>> {
    let mut by_guild: FxHashMap<GuildId, Vec<(Subscriber, u64)>> = FxHashMap::default();
    for folded in folded {
        for (guild, subscriber, gseq) in tail::subscribers(folded.number, &folded.machine) {
            if inner.number_of(Source::Guild(guild)) == number {
                by_guild.entry(guild).or_default().push((subscriber, gseq));
            }
        }
    }
    by_guild
}

/// Starts the relays: each hears the tail again, and what a session partition had heard before is
/// not told twice.
pub(super) async fn start_relays(node: &Node) -> Result<(), Failure> {
    let pending = std::mem::take(&mut *node.inner.pending_relays.lock());
    for pending in pending {
        start_relay(node, pending).await?;
    }
    Ok(())
}

async fn start_relay(node: &Node, pending: Pending) -> Result<(), Failure> {
    let inner = &node.inner;
    let mut relay = Relay::default();
    for (guild_id, subscribers) in pending.subscribers {
        let state = guild_at::load_before(&inner.stores, guild_id, &pending.tail).await?;
        let Some(state) = state else { continue };
        relay.follow(state);
        for (subscriber, gseq) in subscribers {
            relay.resubscribe(guild_id, subscriber, gseq);
        }
    }
    let mut task = RelayTask {
        partition: pending.number,
        relay,
        heard: Position::START,
        registry: Arc::clone(&inner.registry),
        sequencers: inner.sequencers().clone(),
        retold: FxHashMap::default(),
    };
    tail::hear(node, &mut task, &pending.tail, &pending.heard, None).await;
    task.heard = pending.end;
    task.sequencers
        .tell_heard(pending.number, pending.end)
        .await;
    tokio::spawn(task.run(Arc::downgrade(inner), pending.inbox));
    Ok(())
}

/// Relays between take-over and start.
pub(crate) type PendingRelays = Mutex<Vec<Pending>>;
