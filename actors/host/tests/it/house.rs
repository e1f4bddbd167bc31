//! Stores that outlive the nodes on them, and nodes that can be killed at any await.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use guildhall_cluster::link::Secret;
use guildhall_embedded::log::SegmentLog;
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::observe::NodeState;
use guildhall_host::{HostConfig, Joining, Node, Stores};
use guildhall_model::event::Record;
use guildhall_model::{NodeId, NodeRole, NodeRoles, Timestamp};
use guildhall_ports::directory::{Ownership, Partition};
use guildhall_ports::fake::{
    FakeClock, FakeDirectory, FakeLog, FakeMembership, FakeSnapshots, FakeWay, Fate,
};
use guildhall_ports::membership::Member;
use guildhall_ports::{Directory as _, Failure, Membership as _};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::late::LateMessages;

/// How many partitions of either kind there are for one node.
const PARTITIONS: u16 = 2;
/// And for several.
const PARTITIONS_OF_MANY: u16 = 8;

/// How long people are shown whose node is gone; a node may be silent for longer.
pub(crate) const LINGER_MS: u64 = 2_000;

/// Far beyond what anything takes here: only a hanging test meets it.
const HANGS: Duration = Duration::from_secs(30);
/// Longer than a test takes.
const LEASE_MS: u32 = 60_000;

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
    /// The nodes' way to it.
    pub(crate) way: FakeWay<Relational>,
    pub(crate) messages: Arc<LateMessages>,
    pub(crate) events: FakeLog,
    pub(crate) frames: FakeLog,
    pub(crate) snapshots: FakeSnapshots,
    directory: FakeDirectory,
    pub(crate) clock: FakeClock,
    /// Another frames log than the fake one.
    frames_on_disk: Option<Arc<SegmentLog>>,
    partitions: u16,
    membership: FakeMembership,
    starts: u64,
    _files: TempDir,
}

/// A node that serves. It does something only while a test waits for it.
pub(crate) struct Serving {
    runtime: Runtime,
    roles: NodeRoles,
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
        let clock = FakeClock::at(Timestamp(1_700_000_000_000));
        Self {
            storage,
            way: FakeWay::to(Arc::clone(&relational)),
            relational,
            messages,
            events: FakeLog::new(),
            frames: FakeLog::new(),
            snapshots: FakeSnapshots::new(),
            directory: FakeDirectory::new(),
            frames_on_disk: None,
            partitions: PARTITIONS,
            membership: FakeMembership::new(clock.clone()),
            clock,
            starts: 0,
            _files: files,
        }
    }

    /// A house for several nodes at a time.
    pub(crate) fn of_many() -> Self {
        Self {
            partitions: PARTITIONS_OF_MANY,
            ..Self::new()
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
        let (config, stores) = (self.config(1), self.stores());
        let env = self.clock.env(self.starts);
        let node = runtime.block_on(async {
            let starts = std::pin::pin!(Node::start(config, env, stores));
            match select(starts, std::pin::pin!(beside)).await {
                Either::Left((node, _)) => node.unwrap(),
                Either::Right(_) => panic!("what is done beside does not end"),
            }
        });
        Serving {
            runtime,
            roles: NodeRoles::ALL,
            node,
        }
    }

    /// Starts a node that joins the others. It works on although no test waits for it.
    pub(crate) fn join(&mut self, number: u16) -> Serving {
        self.join_as(number, NodeRoles::ALL)
    }

    /// The same, with these roles.
    pub(crate) fn join_as(&mut self, number: u16, roles: NodeRoles) -> Serving {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        self.starts += 1;
        let (config, stores) = (self.config(number), self.stores());
        let env = self.clock.env(self.starts);
        let (membership, incarnation) = (Arc::new(self.membership.clone()), self.starts);
        let node = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let joining = Joining {
                membership,
                secret: Secret::new(&[7; 32]).unwrap(),
                tls: None,
                incarnation,
                address: listener.local_addr().unwrap().to_string(),
                listener,
                weight: 1,
                roles,
            };
            Node::join(config, env, stores, joining).await.unwrap()
        });
        Serving {
            runtime,
            roles,
            node,
        }
    }

    fn config(&self, number: u16) -> HostConfig {
        HostConfig {
            node: NodeId(number),
            event_partitions: self.partitions,
            session_partitions: self.partitions,
            snapshot_interval_ms: 2_000,
            linger_ms: LINGER_MS,
            ..HostConfig::default()
        }
    }

    fn stores(&self) -> Stores {
        Stores {
            accounts: Arc::new(self.way.clone()),
            guilds: Arc::new(self.way.clone()),
            commands: Arc::clone(&self.relational) as _,
            messages: Arc::clone(&self.messages) as _,
            events: Arc::new(self.events.clone()),
            frames: match &self.frames_on_disk {
                Some(log) => Arc::clone(log) as _,
                None => Arc::new(self.frames.clone()),
            },
            snapshots: Arc::new(self.snapshots.clone()),
            directory: Arc::new(self.directory.clone()),
            relational: self.way.standing(),
        }
    }

    /// Has the list of nodes and the directory fail, or work again.
    pub(crate) fn fail_lists(&self, failure: Option<Failure>) {
        self.membership.fail(failure.clone());
        self.directory.fail(failure);
    }

    /// Who owns what, by the directory.
    pub(crate) fn owners(&self) -> Vec<(Partition, Ownership)> {
        self.wait(self.directory.owners()).unwrap()
    }

    /// Adds a node to the list that lives by what the list says, and is deaf.
    pub(crate) fn list_deaf(&self, number: u16) -> std::net::TcpListener {
        // The system takes connections, and nobody reads what comes.
        let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let member = Member {
            node: NodeId(number),
            incarnation: 1,
            address: deaf.local_addr().unwrap().to_string(),
            weight: 1,
            roles: NodeRoles::ALL,
            is_draining: false,
        };
        self.wait(self.membership.beat(&member)).unwrap();
        deaf
    }

    /// Waits until the nodes have looked at the list so many times.
    pub(crate) fn until_looked(&self, nodes: &[&Serving], times: u64) {
        let (began, before) = (Instant::now(), self.membership.beats());
        while self.membership.beats() < before + times {
            turn_all(nodes, began);
        }
    }

    /// The coordinator, whose lease goes on with the question. Nodes are numbered as they came.
    pub(crate) fn leader(&self) -> NodeId {
        let leads = |number: &u64| {
            let node = NodeId((*number).try_into().unwrap());
            self.wait(self.membership.lead(node, *number, LEASE_MS))
                .unwrap()
        };
        let number = (1..=self.starts).find(leads).expect("somebody leads");
        NodeId(number.try_into().unwrap())
    }

    /// Waits until these nodes own all partitions that any of them has the role for, each some of
    /// every kind that it has the role for and none of the others, and work.
    pub(crate) fn until_settled(&self, nodes: &[&Serving]) {
        let began = Instant::now();
        // Leases end by the clock, which goes as fast as the nodes do.
        let mut passed = 0;
        while !self.is_settled(nodes) {
            let ms = i64::try_from(began.elapsed().as_millis()).unwrap();
            self.clock.advance_ms(ms - passed);
            passed = ms;
            turn_all(nodes, began);
        }
    }

    /// The same, where no time passes by the clock.
    pub(crate) fn until_settled_at_once(&self, nodes: &[&Serving]) {
        let began = Instant::now();
        while !self.is_settled(nodes) {
            turn_all(nodes, began);
        }
    }

    fn is_settled(&self, nodes: &[&Serving]) -> bool {
        let states: Vec<NodeState> = nodes.iter().map(|it| it.node.observe()).collect();
        let events = states.iter().map(|state| state.event_partitions.len());
        let sessions = states.iter().map(|state| state.session_partitions.len());
        self.is_shared(nodes, NodeRole::Worker, &events.collect::<Vec<_>>())
            && self.is_shared(nodes, NodeRole::Gateway, &sessions.collect::<Vec<_>>())
            && nodes.iter().all(|it| it.node.check().is_ok())
    }

    fn is_shared(&self, nodes: &[&Serving], role: NodeRole, owned: &[usize]) -> bool {
        let takes = || nodes.iter().map(|it| it.roles.contains(role));
        let all = usize::from(self.partitions) * usize::from(takes().any(|takes| takes));
        let mut shares = takes().zip(owned);
        owned.iter().sum::<usize>() == all && shares.all(|(takes, owned)| takes == (*owned > 0))
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
        let partitions = (0..self.partitions).flat_map(|partition| self.events.records(partition));
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

fn turn_all(nodes: &[&Serving], began: Instant) {
    assert!(began.elapsed() < HANGS, "the nodes settle in time");
    for at in nodes {
        at.turn(10);
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

    /// Everything that goes on by itself stands still until the answer is dropped.
    pub(crate) fn pause(&self) -> mpsc::Sender<()> {
        let (end, ended) = mpsc::channel();
        // The only thread that works there.
        self.runtime.spawn(async move {
            let _ = ended.recv();
        });
        end
    }

    /// The process is gone, in the middle of whatever it was doing.
    pub(crate) fn kill(self) {
        let Self { runtime, node, .. } = self;
        let guard = runtime.enter();
        drop(node);
        drop(guard);
        drop(runtime);
    }
}
