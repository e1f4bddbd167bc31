//! The writer of one partition of the events log: the append is the commit.

mod unread;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use guildhall_model::event::Record;
use guildhall_model::{Epoch, EventPartition, Position, Rejection, limits};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Failure, Log};
use tokio::sync::{mpsc, watch};
use tracing::error;

use crate::error::Refused;
use crate::event_log::{self, Stable, after};
use crate::heard::Heard;
use crate::observe::Fill;
use unread::Unread;

/// Submissions that one append carries at most.
const BATCH_MAX: usize = 1_024;

/// What is told to the submitter once its records are stable, or will not be.
pub(crate) type OnStable = Box<dyn FnOnce(Result<(), Failure>) + Send>;

struct Submission {
    records: Vec<Record>,
    on_stable: OnStable,
}

/// The way into the log.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Submission>,
    submitted: Arc<AtomicU64>,
    progress: watch::Receiver<Progress>,
    unread: Arc<Unread>,
}

/// How far the log has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// Submissions that are settled.
    pub(crate) settled: u64,
    /// Everything before this position is stable and was passed on.
    pub(crate) end: Position,
    /// The log refused an append: the partition must be recovered.
    pub(crate) is_broken: bool,
}

/// A place in the queue, taken before anything is decided.
pub(crate) struct Place<'a> {
    permit: mpsc::Permit<'a, Submission>,
    submitted: &'a AtomicU64,
}

/// When an append that the log has taken counts.
pub(crate) enum Settling {
    /// At once: nobody else can have taken the partition over. Stable events go on from here.
    AtOnce(Outlets),
    /// Once it was read back, and no later epoch before it.
    OnceRead,
}

/// Where stable events go.
pub(crate) struct Outlets {
    pub(crate) relay: mpsc::Sender<crate::relay::Input>,
    pub(crate) projection: mpsc::Sender<Vec<Stable>>,
    pub(crate) heard: Arc<Heard>,
}

impl Writer {
    /// Starts the writer of a partition whose log ends at `end`.
    pub(crate) fn start(
        log: Arc<dyn Log>,
        partition: EventPartition,
        epoch: Epoch,
        end: Position,
        settling: Settling,
    ) -> Self {
        let (queue, inbox) = mpsc::channel(limits::APPEND_QUEUE_MAX);
        let (tell, progress) = watch::channel(Progress {
            settled: 0,
            end,
            is_broken: false,
        });
        let unread = Arc::new(Unread::new(tell));
        tokio::spawn(
            Appender {
                log,
                partition,
                epoch,
                settling,
                unread: Arc::clone(&unread),
            }
            .run(inbox),
        );
        Self {
            queue,
            submitted: Arc::new(AtomicU64::new(0)),
            progress,
            unread,
        }
    }

    /// The log was read up to here and names no later epoch: what was appended before counts.
    pub(crate) fn was_read(&self, upto: Position) {
        self.unread.was_read(upto);
    }

    /// The log names a later epoch here: what was appended behind it is void.
    pub(crate) fn was_superseded(&self, at: Position) {
        self.unread.was_superseded(at);
    }

    /// Takes a place in the queue, or refuses at once when it is full.
    pub(crate) fn place(&self) -> Result<Place<'_>, Refused> {
        if self.progress.borrow().is_broken {
            return Err(broken().into());
        }
        match self.queue.try_reserve() {
            Ok(permit) => Ok(Place {
                permit,
                submitted: &self.submitted,
            }),
            Err(mpsc::error::TrySendError::Full(())) => Err(Rejection::Overloaded.into()),
            Err(mpsc::error::TrySendError::Closed(())) => Err(Failure::Closing.into()),
        }
    }

    /// Waits until everything that was submitted before is stable; says where the log ends then.
    pub(crate) async fn barrier(&self) -> Result<Position, Failure> {
        let target = self.submitted.load(Ordering::Acquire);
        let mut progress = self.progress.clone();
        let reached = progress
            .wait_for(|p| p.settled >= target || p.is_broken)
            .await;
        let progress = *reached.map_err(|_| Failure::Closing)?;
        if progress.settled < target {
            Err(broken())
        } else {
            Ok(progress.end)
        }
    }

    /// As [`Self::barrier`], for readers: what a broken log has not taken is not waited for.
    pub(crate) async fn readable(&self) -> Result<Position, Failure> {
        let target = self.submitted.load(Ordering::Acquire);
        let mut progress = self.progress.clone();
        let reached = progress
            .wait_for(|p| p.settled >= target || p.is_broken)
            .await;
        Ok(reached.map_err(|_| Failure::Closing)?.end)
    }

    /// Both are the same way into the log.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.submitted, &other.submitted)
    }

    /// Nothing waits to become stable.
    pub(crate) fn is_idle(&self) -> bool {
        self.progress.borrow().settled >= self.submitted.load(Ordering::Acquire)
    }

    /// Appends are accepted.
    pub(crate) fn is_working(&self) -> bool {
        !self.progress.borrow().is_broken
    }

    /// How many submissions wait.
    pub(crate) fn fill(&self) -> Fill {
        Fill::of(&self.queue)
    }

    /// How far the log has come, to be watched.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }
}

impl Place<'_> {
    /// Submits records, which take effect in the order of the calls.
    pub(crate) fn submit(self, records: Vec<Record>, on_stable: OnStable) {
        self.submitted.fetch_add(1, Ordering::AcqRel);
        self.permit.send(Submission { records, on_stable });
    }
}

fn broken() -> Failure {
    Failure::unavailable(
        "events log",
        "an append was refused; the partition is recovering",
    )
}

struct Appender {
    log: Arc<dyn Log>,
    partition: EventPartition,
    epoch: Epoch,
    settling: Settling,
    unread: Arc<Unread>,
}

impl Appender {
    async fn run(self, mut inbox: mpsc::Receiver<Submission>) {
        let mut batch = Vec::new();
        while inbox.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let submissions = std::mem::take(&mut batch);
            if let Err(failure) = self.append(submissions).await {
                error!(partition = self.partition.0, %failure, "the events log refuses appends");
                self.unread.is_broken();
                inbox.close();
                while let Some(submission) = inbox.recv().await {
                    (submission.on_stable)(Err(broken()));
                }
                return;
            }
        }
    }

    async fn append(&self, submissions: Vec<Submission>) -> Result<(), Failure> {
        let mut records = Vec::new();
        let mut done = Vec::with_capacity(submissions.len());
        for submission in submissions {
            records.extend(submission.records.into_iter().map(Arc::new));
            done.push(submission.on_stable);
        }
        let payloads: Vec<Bytes> = records
            .iter()
            .map(|record| event_log::encode_event(record))
            .collect();
        let sizes: Vec<usize> = payloads.iter().map(Bytes::len).collect();
        crash::pass(Point::EventsCollected);
        let appended = self
            .log
            .append(self.partition.0, self.epoch, payloads)
            .await;
        let positions = match appended {
            Ok(positions) => positions,
            Err(failure) => {
                for tell in done {
                    tell(Err(failure.clone()));
                }
                return Err(failure);
            }
        };
        crash::pass(Point::EventsStable);
        metrics::counter!("guildhall_events_committed_total").increment(records.len() as u64);
        let placed = positions.into_iter().zip(records).zip(sizes);
        let stable: Vec<Stable> = placed
            .map(|((position, record), bytes)| Stable {
                position,
                record,
                bytes,
            })
            .collect();
        let end = stable.last().map(|last| after(last.position));
        match &self.settling {
            Settling::AtOnce(outlets) => self.pass_on(outlets, stable, end, done).await,
            Settling::OnceRead => self.unread.appended(end, done),
        }
        Ok(())
    }

    /// A slow relay or projection slows the writer, and through its queue the senders, instead of
    /// growing memory.
    async fn pass_on(
        &self,
        outlets: &Outlets,
        stable: Vec<Stable>,
        end: Option<Position>,
        done: Vec<OnStable>,
    ) {
        let settled = done.len();
        // The relay first: a session that starts after the answer must not be shown what was so
        // before it. Both end only with the node.
        if !stable.is_empty() {
            let heard = crate::relay::Input::Heard(stable.clone());
            let _ = outlets.relay.send(heard).await;
        }
        crash::pass(Point::EventsPassedOn);
        for tell in done {
            tell(Ok(()));
        }
        crash::pass(Point::EventsAnswered);
        if let (Some(end), Some(last)) = (end, stable.last()) {
            outlets.heard.hear(&stable, end, last.record.at);
        }
        if !stable.is_empty() {
            let _ = outlets.projection.send(stable).await;
        }
        self.unread.settled(settled, end);
    }
}
