//! Session partitions: fold the frames log from the newest snapshot on, then go on writing it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use guildhall_model::{Epoch, EventPartition, Position, SessionPartition as Number, Timestamp};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::directory::Partition;
use guildhall_state::relay::SessionRef;
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::{Entry, Frame, FrameRecord, Slot};
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use super::{claim, tail};
use crate::event_log::{READ_BYTES, after};
use crate::node::{Inner, Node};
use crate::relay;
use crate::session::frames;
use crate::session::replay;
use crate::session::ring::Ring;
use crate::session::sequencer::{Condition, QUEUE_MAX, Sequencer, lost, recovering};
use crate::session::sequencer_loop::SequencerLoop;
use crate::session::shared::SessionShared;
use crate::session::snapshots::{Authority, Keeper};

/// A session partition as its log tells it.
pub(crate) struct Folded {
    pub(crate) number: Number,
    pub(crate) epoch: Epoch,
    pub(crate) machine: SessionPartition,
    pub(crate) end: Position,
}

/// Takes over all session partitions, and waits until each of them takes sessions.
pub(super) async fn take_all(node: &Node) -> Result<(), Failure> {
    let inner = &node.inner;
    for number in (0..inner.config.session_partitions).map(Number) {
        let partition = Partition::Session(number);
        let epoch = claim(&inner.stores.directory, partition, inner.config.node).await?;
        let folded = fold(inner, number, epoch).await?;
        start(node, folded).await?;
    }
    for (_, sequencer) in inner.sequencers.all().iter() {
        sequencer.until_working().await?;
    }
    Ok(())
}

/// Takes one partition over that the directory has given to this node. It takes sessions a little
/// later.
pub(crate) async fn take_one(node: &Node, number: Number, epoch: Epoch) -> Result<(), Failure> {
    let folded = fold(&node.inner, number, epoch).await?;
    start(node, folded).await
}

/// Takes the sessions of a partition out of everything: it belongs to another node from now on.
/// Their sockets are asked to come back.
pub(crate) async fn forget(node: &Node, number: Number) {
    let inner = &node.inner;
    let parted = inner.registry.part_with(number);
    for (user, shared) in parted {
        let shown = shared.status();
        shared.move_away();
        if let Some(shown) = shown {
            node.part_with(user, shown);
        }
    }
    for relay in inner.relays() {
        let _ = relay.send(relay::Input::ForgetPartition(number)).await;
    }
}

/// Takes a partition over from this node itself, whose log has refused a frame: late appends of
/// the former epoch count for nothing. `Stale` when somebody else has taken it over. The epoch is
/// raised by every attempt.
pub(crate) async fn take_again(
    inner: &Inner,
    number: Number,
    epoch: &mut Epoch,
) -> Result<Folded, Failure> {
    let (partition, node) = (Partition::Session(number), inner.config.node);
    let directory = &inner.stores.directory;
    *epoch = directory.claim(partition, node, Some(*epoch)).await?;
    fold(inner, number, *epoch).await
}

async fn fold(inner: &Inner, number: Number, epoch: Epoch) -> Result<Folded, Failure> {
    let stores = &inner.stores;
    let node = inner.config.node;
    crash::pass(Point::SessionsClaimed);
    let take = encode(&FrameRecord::Take { node });
    let taken = stores.frames.append(number.0, epoch, vec![take]).await?;
    let taken = *taken.last().ok_or(Failure::Closing)?;
    crash::pass(Point::SessionsTaken);
    let (mut machine, mut next) = newest_snapshot(inner, number).await?;
    let snapshot = next;
    let mut records = 0;
    while next <= taken {
        let slice = stores.frames.read(number.0, next, READ_BYTES).await?;
        for record in &slice.records {
            machine.fold(record.epoch, &replay::decode(record)?);
            records += 1;
        }
        if slice.records.is_empty() {
            break;
        }
        next = slice.next;
    }
    if machine.epoch() != epoch {
        // Somebody else was given it later and has written earlier.
        return Err(lost());
    }
    let sessions = machine.sessions().count();
    debug!(session.partition = number.0, sessions, records, %snapshot, "session partition folded");
    crash::pass(Point::SessionsFolded);
    let end = tidy(inner, number, epoch, &mut machine, after(taken)).await?;
    crash::pass(Point::SessionsTidied);
    Ok(Folded {
        number,
        epoch,
        machine,
        end,
    })
}

async fn newest_snapshot(
    inner: &Inner,
    number: Number,
) -> Result<(SessionPartition, Position), Failure> {
    let snapshots = &inner.stores.snapshots;
    for upto in snapshots.list(number).await?.into_iter().rev() {
        let Some(bytes) = snapshots.get(number, upto).await? else {
            continue;
        };
        match SessionPartition::from_snapshot(&bytes) {
            Ok(machine) => return Ok((machine, upto)),
            Err(error) => warn!(session.partition = number.0, %error, "a snapshot is skipped"),
        }
    }
    Ok((SessionPartition::default(), Position::START))
}

/// Sessions that broke off during their start cannot be resumed, and no relay knows the sets of
/// sessions that a former owner has numbered: both end with the first frame of the new epoch.
async fn tidy(
    inner: &Inner,
    number: Number,
    epoch: Epoch,
    machine: &mut SessionPartition,
    end: Position,
) -> Result<Position, Failure> {
    let unsettled = machine
        .sessions()
        .filter(|(_, session)| session.settled_at.is_none());
    let mut entries: Vec<Entry> = unsettled.map(|(slot, _)| Entry::Close { slot }).collect();
    entries.extend(machine.audience_ids().map(|id| Entry::AudienceEnd { id }));
    if entries.is_empty() {
        return Ok(end);
    }
    let record = FrameRecord::Frame(Frame {
        entries,
        heard: Vec::new(),
    });
    let log = &*inner.stores.frames;
    let end = frames::append(log, (number, epoch), end, encode(&record)).await?;
    machine.fold(epoch, &record);
    Ok(end)
}

fn encode(record: &FrameRecord) -> Bytes {
    rmp_serde::to_vec(record)
        .expect("plain data in memory always encodes")
        .into()
}

/// Registers the sessions that were found and starts the sequencer. It takes sessions once every
/// relay has begun to tell what they have missed.
async fn start(node: &Node, folded: Folded) -> Result<(), Failure> {
    let inner = &node.inner;
    let number = folded.number;
    let missed = tail::missed(inner, number, folded.epoch, &folded.machine);
    let (sequencer, started, inbox) = prepare(node, folded).await?;
    inner.sequencers.insert(number, sequencer);
    tokio::spawn(started.run(inbox));
    tail::ask_for(inner, missed);
    Ok(())
}

/// Lets the sessions be found by their users, without sockets.
fn register(inner: &Inner, folded: &Folded, now: Timestamp) -> FxHashMap<Slot, Arc<SessionShared>> {
    let mut shared = FxHashMap::default();
    for (slot, session) in folded.machine.sessions() {
        let doorbell = Arc::new(SessionShared::new(now));
        let session_ref = SessionRef {
            partition: folded.number,
            slot,
        };
        let opening = &session.opening;
        let known = Arc::clone(&doorbell);
        inner.registry.insert(
            session_ref,
            opening.viewer,
            opening.shard,
            opening.login,
            known,
        );
        shared.insert(slot, doorbell);
    }
    shared
}

async fn prepare(
    node: &Node,
    folded: Folded,
) -> Result<
    (
        Sequencer,
        SequencerLoop,
        mpsc::Receiver<crate::session::sequencer::Input>,
    ),
    Failure,
> {
    let inner = &node.inner;
    let config = &inner.config;
    let now = inner.env.steady();
    let shared = register(inner, &folded, now);
    let mut keeper = Keeper::new(
        folded.number,
        Arc::clone(&inner.stores.snapshots),
        Arc::clone(&inner.stores.frames),
        Authority {
            directory: Arc::clone(&inner.stores.directory),
            node: config.node,
        },
        (config.snapshot_interval_ms, config.frames_retention_ms),
        config.event_partitions,
    );
    keeper.adopt(now).await?;
    let ring = Arc::new(Ring::new(config.ring_entries_max, config.ring_bytes_max));
    let load = Arc::new(AtomicUsize::new(shared.len()));
    let (queue, inbox) = mpsc::channel(QUEUE_MAX);
    let (condition, watched) = watch::channel(Condition::Recovering(recovering()));
    let sequencer = Sequencer {
        queue,
        condition: watched,
        ring: Arc::clone(&ring),
        load: Arc::clone(&load),
        floors: keeper.floors(),
        taken: folded.epoch,
    };
    let started = SequencerLoop {
        number: folded.number,
        epoch: folded.epoch,
        log: Arc::clone(&inner.stores.frames),
        next_slot: folded.machine.next_slot(),
        next_audience: folded.machine.next_audience(),
        machine: folded.machine,
        shared,
        ring,
        load,
        registry: Arc::clone(&inner.registry),
        keeper,
        config: config.clone(),
        env: inner.env.clone(),
        end: folded.end,
        audiences: FxHashMap::default(),
        node: Arc::downgrade(inner),
        condition,
        deaf_to: (0..config.event_partitions).map(EventPartition).collect(),
    };
    Ok((sequencer, started, inbox))
}
