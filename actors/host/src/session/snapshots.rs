//! Keeps snapshots of a session partition: they bound its restart and index its log.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::{EventPartition, NodeId, Position, SessionPartition as Number, Timestamp};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::directory::Partition;
use guildhall_ports::{Directory, Failure, Log, Snapshots};
use guildhall_state::session_partition::SessionPartition;
use parking_lot::Mutex;
use tracing::warn;

/// Up to where each event partition must be kept for this session partition's replays.
pub(crate) type Floors = Arc<Mutex<Vec<Position>>>;

/// The snapshots of one session partition.
pub(crate) struct Keeper {
    number: Number,
    store: Arc<dyn Snapshots>,
    log: Arc<dyn Log>,
    authority: Authority,
    interval_ms: u64,
    retention_ms: u64,
    kept: VecDeque<Kept>,
    last: Option<Timestamp>,
    floors: Floors,
}

/// Who is asked whether the owner's frames count.
pub(crate) struct Authority {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) node: NodeId,
}

struct Kept {
    upto: Position,
    at: Timestamp,
    heard: Vec<Position>,
}

impl Keeper {
    pub(crate) fn new(
        number: Number,
        store: Arc<dyn Snapshots>,
        log: Arc<dyn Log>,
        authority: Authority,
        (interval_ms, retention_ms): (u64, u64),
        event_partitions: u16,
    ) -> Self {
        let floors = vec![Position::START; usize::from(event_partitions)];
        Self {
            number,
            store,
            log,
            authority,
            interval_ms,
            retention_ms,
            kept: VecDeque::new(),
            last: None,
            floors: Arc::new(Mutex::new(floors)),
        }
    }

    /// What the events log must keep for this partition.
    pub(crate) fn floors(&self) -> Floors {
        Arc::clone(&self.floors)
    }

    /// Notes the snapshots that a former owner left. Their age is not known: they count as new.
    /// Only the oldest is read, and the events log is kept for all as for that one: whoever takes
    /// over has clients waiting.
    pub(crate) async fn adopt(&mut self, now: Timestamp) -> Result<(), Failure> {
        let mut oldest: Option<Vec<Position>> = None;
        for upto in self.store.list(self.number).await? {
            if oldest.is_none() {
                let bytes = self.store.get(self.number, upto).await?;
                let machine = bytes.and_then(|it| SessionPartition::from_snapshot(&it).ok());
                oldest = machine.map(|machine| self.heard(&machine));
            }
            self.kept.extend(oldest.clone().map(|heard| Kept {
                upto,
                at: now,
                heard,
            }));
        }
        self.set_floors();
        Ok(())
    }

    fn heard(&self, machine: &SessionPartition) -> Vec<Position> {
        let n = u16::try_from(self.floors.lock().len()).unwrap_or(u16::MAX);
        (0..n)
            .map(|partition| machine.heard(EventPartition(partition)))
            .collect()
    }

    /// A new snapshot is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.last
            .is_none_or(|last| now.ms_since(last) >= self.interval_ms)
    }

    /// Keeps a snapshot that holds everything before `upto`, and lets go of what is too old.
    pub(crate) async fn keep(
        &mut self,
        machine: &SessionPartition,
        upto: Position,
        now: Timestamp,
    ) {
        self.last = Some(now);
        let heard = self.heard(machine);
        // A quiet partition still hears: what it has heard bounds what a restart must read.
        let is_kept = self
            .kept
            .back()
            .is_some_and(|last| last.upto == upto && last.heard == heard);
        if !is_kept {
            self.put(machine, upto, now, heard).await;
        } else if !self.has_outlived(now) {
            return;
        }
        // Also in silence, or a last burst before it would keep its space for ever.
        if let Err(failure) = self.let_go(now).await {
            warn!(session.partition = self.number.0, %failure, "old snapshots were not dropped");
        }
    }

    async fn put(
        &mut self,
        machine: &SessionPartition,
        upto: Position,
        now: Timestamp,
        heard: Vec<Position>,
    ) {
        let bytes = Bytes::from(machine.to_snapshot());
        crash::pass(Point::SnapshotDue);
        // Its last frame is stable. If it was taken over before that, a successor would begin with
        // frames that are void.
        let partition = Partition::Session(self.number);
        let Authority { directory, node } = &self.authority;
        match directory.confirm(partition, *node, machine.epoch()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(failure) => {
                warn!(session.partition = self.number.0, %failure, "a snapshot is put off");
                return;
            }
        }
        if let Err(failure) = self.store.put(self.number, upto, bytes).await {
            warn!(session.partition = self.number.0, %failure, "a snapshot was not kept");
            return;
        }
        crash::pass(Point::SnapshotKept);
        self.kept.push_back(Kept {
            upto,
            at: now,
            heard,
        });
    }

    /// The second oldest is old enough: the oldest, which indexes the frames up to it, may go.
    fn has_outlived(&self, now: Timestamp) -> bool {
        let second = self.kept.get(1);
        second.is_some_and(|second| now.ms_since(second.at) > self.retention_ms)
    }

    async fn let_go(&mut self, now: Timestamp) -> Result<(), Failure> {
        while self.has_outlived(now) {
            self.kept.pop_front();
        }
        self.set_floors();
        let Some(oldest) = self.kept.front() else {
            return Ok(());
        };
        self.store.drop_before(self.number, oldest.upto).await?;
        crash::pass(Point::SnapshotDropped);
        self.log.release(self.number.0, oldest.upto).await
    }

    fn set_floors(&self) {
        if let Some(oldest) = self.kept.front() {
            self.floors.lock().clone_from(&oldest.heard);
        }
    }
}
