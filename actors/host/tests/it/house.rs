//! Stores that outlive the nodes on them, and nodes that can be killed at any await.

use std::sync::Arc;

use futures_util::future::{Either, select};
use guildhall_embedded::log::SegmentLog;
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::{HostConfig, Node, Stores};
use guildhall_model::event::Record;
use guildhall_model::{NodeId, Timestamp};
use guildhall_ports::fake::{FakeClock, FakeDirectory, FakeLog, FakeSnapshots, Fate};
use guildhall_ports::{Accounts, Failure};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::late::LateMessages;

/// How many partitions of either kind there are.
const PARTITIONS: u16 = 2;

/// A record of the events log.
#[derive(Deserialize)]
enum Logged {
    Take(#[expect(dead_code, reason = "nobody asks who took over")] NodeId),
    Event(Box<Record>),
}

/// Everything that is durable.
pub(crate) struct House {
    /// Databases are served by others than the nodes: a killed node's last write may happen.
    storage: Runtime,
    pub(crate) relational: Arc<Relational>,
    pub(crate) messages: Arc<LateMessages>,
    pub(crate) events: FakeLog,
    pub(crate) frames: FakeLog,
    pub(crate) snapshots: FakeSnapshots,
    directory: FakeDirectory,
    pub(crate) clock: FakeClock,
    /// Another frames log than the fake one.
    frames_on_disk: Option<Arc<SegmentLog>>,
    starts: u64,
    _files: TempDir,
}

/// A node that serves. It does something only while a test waits for it.
pub(crate) struct Serving {
    runtime: Runtime,
    pub(crate) node: Node,
}

impl House {
    pub(crate) fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let storage = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (relational, messages) = storage.block_on(async {
            let relational = Relational::open(&files.path().join("guildhall.db")).await;
            let projection = Projection::open(&files.path().join("messages.db")).await;
            let messages = LateMessages::new(projection.unwrap());
            (Arc::new(relational.unwrap()), Arc::new(messages))
        });
        Self {
            storage,
            relational,
            messages,
            events: FakeLog::new(),
            frames: FakeLog::new(),
            snapshots: FakeSnapshots::new(),
            directory: FakeDirectory::new(),
            clock: FakeClock::at(Timestamp(1_700_000_000_000)),
            frames_on_disk: None,
            starts: 0,
            _files: files,
        }
    }

    /// A house whose frames log lies on this machine's disk.
    pub(crate) fn with_frames_on_disk(log: SegmentLog) -> Self {
        Self {
            frames_on_disk: Some(Arc::new(log)),
            ..Self::new()
        }
    }

    /// Starts a node on these stores, whoever else is on them.
    pub(crate) fn start(&mut self) -> Serving {
        self.start_beside(std::future::pending())
    }

    /// Starts a node, for which something else is done that does not end.
    pub(crate) fn start_beside(&mut self, beside: impl Future<Output = ()>) -> Serving {
        self.starts += 1;
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let config = HostConfig {
            node: NodeId(1),
            event_partitions: PARTITIONS,
            session_partitions: PARTITIONS,
            snapshot_interval_ms: 2_000,
            ..HostConfig::default()
        };
        let stores = Stores {
            accounts: Arc::clone(&self.relational) as Arc<dyn Accounts>,
            guilds: Arc::clone(&self.relational) as _,
            commands: Arc::clone(&self.relational) as _,
            messages: Arc::clone(&self.messages) as _,
            events: Arc::new(self.events.clone()),
            frames: match &self.frames_on_disk {
                Some(log) => Arc::clone(log) as _,
                None => Arc::new(self.frames.clone()),
            },
            snapshots: Arc::new(self.snapshots.clone()),
            directory: Arc::new(self.directory.clone()),
        };
        let env = self.clock.env(self.starts);
        let node = runtime.block_on(async {
            let starts = std::pin::pin!(Node::start(config, env, stores));
            match select(starts, std::pin::pin!(beside)).await {
                Either::Left((node, _)) => node.unwrap(),
                Either::Right(_) => panic!("what is done beside does not end"),
            }
        });
        Serving { runtime, node }
    }

    /// Decides about the appends that waited when their node was killed: of each log so many
    /// become stable after all, and then it flows again.
    pub(crate) fn settle(&self, events: usize, frames: usize) {
        for (log, stable) in [(&self.events, events), (&self.frames, frames)] {
            for (n, waiting) in log.waiting().into_iter().enumerate() {
                let fate = if n < stable {
                    Fate::Applied
                } else {
                    Fate::Refused(Failure::Closing)
                };
                log.settle(waiting.ticket, fate);
            }
            log.flow();
        }
    }

    /// What the events log holds of the one guild, in order.
    pub(crate) fn stream_of_guild(&self) -> Vec<Record> {
        let partitions = (0..PARTITIONS).flat_map(|partition| self.events.records(partition));
        let decoded = partitions.map(|record| rmp_serde::from_slice(&record.payload).unwrap());
        let of_guild = decoded.filter_map(|logged| match logged {
            Logged::Event(record) if record.source.guild_id().is_some() => Some(*record),
            _ => None,
        });
        of_guild.collect()
    }

    /// Waits for something that only the stores do.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.storage.block_on(work)
    }
}

impl Serving {
    /// Lets the node work until this is done.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Where its tasks run.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// Starts something whose end nobody waits for.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Lets everything that can go on take some steps.
    pub(crate) fn turn(&self, steps: usize) {
        self.run(async {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
        });
    }

    /// The process is gone, in the middle of whatever it was doing.
    pub(crate) fn kill(self) {
        let Self { runtime, node } = self;
        let guard = runtime.enter();
        drop(node);
        drop(guard);
        drop(runtime);
    }
}
