//! A node: the partitions that it owns, and what the rest of the server asks of them.

mod channels;
mod guilds;
mod sessions;

use std::sync::{Arc, OnceLock};

use guildhall_cluster::partition::event_partition_of;
use guildhall_model::event::{Event, Source};
use guildhall_model::message::Message;
use guildhall_model::snowflake::Generator;
use guildhall_model::{
    ChannelId, EventPartition as EventPartitionNumber, Id, MessageId, Timestamp, limits,
};
use guildhall_ports::guilds::Home;
use guildhall_ports::{
    Accounts, ApplicationCommands, Directory, Env, Failure, Guilds, Log, Messages, Snapshots,
};
use guildhall_state::Mint;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::{Semaphore, mpsc};

use crate::config::HostConfig;
use crate::observe::NodeState;
use crate::partition::EventPartition;
use crate::recovery;
use crate::session::registry::Registry;
use crate::session::sequencer::Sequencers;

pub use guilds::{GuildDone, GuildView, NewGuild};
pub use sessions::{OpenRequest, ResumeError, SessionDescription};

/// Channels whose homes are remembered.
const HOMES_MAX: usize = 100_000;
/// Replays that read the logs at a time.
const REPLAYS_MAX: usize = 8;
/// Outbox entries that wait to be cleared; one more is cleared at the next start.
const OUTBOX_MAX: usize = 16_384;

/// The engines that a node stands on.
#[derive(Clone)]
pub struct Stores {
    /// Accounts and credentials.
    pub accounts: Arc<dyn Accounts>,
    /// Guilds, direct channels, profiles.
    pub guilds: Arc<dyn Guilds>,
    /// The commands of applications.
    pub commands: Arc<dyn ApplicationCommands>,
    /// The projection of messages.
    pub messages: Arc<dyn Messages>,
    /// The events log.
    pub events: Arc<dyn Log>,
    /// The frames log.
    pub frames: Arc<dyn Log>,
    /// Snapshots of session partitions.
    pub snapshots: Arc<dyn Snapshots>,
    /// The authority on ownership.
    pub directory: Arc<dyn Directory>,
}

/// A node that has recovered and is serving. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("node", &self.inner.config.node)
            .finish_non_exhaustive()
    }
}

/// What was written into a channel.
#[derive(Clone, Debug)]
pub enum Written {
    /// The message as it is now.
    Message(Arc<Message>),
    /// The nonce was used before, for this message.
    Repeated(Arc<Message>),
    /// It is done, or was so already.
    Done,
}

pub(crate) struct Inner {
    pub(crate) config: HostConfig,
    pub(crate) env: Env,
    pub(crate) stores: Stores,
    pub(crate) registry: Arc<Registry>,
    pub(crate) replays: Semaphore,
    event_partitions: OnceLock<Vec<Arc<EventPartition>>>,
    pub(crate) sequencers: Sequencers,
    ids: Mutex<Generator>,
    homes: Mutex<FxHashMap<ChannelId, Home>>,
    outbox: mpsc::Sender<(Source, u64)>,
}

impl Node {
    /// Takes over all partitions, recovers what a former owner left, and begins to serve.
    pub async fn start(config: HostConfig, env: Env, stores: Stores) -> Result<Self, Failure> {
        let (outbox, cleared) = mpsc::channel(OUTBOX_MAX);
        let ids = Mutex::new(Generator::new(config.node.0, 0));
        let inner = Arc::new(Inner {
            config,
            env,
            registry: Arc::new(Registry::default()),
            replays: Semaphore::new(REPLAYS_MAX),
            event_partitions: OnceLock::new(),
            sequencers: Sequencers::default(),
            ids,
            homes: Mutex::default(),
            outbox,
            stores,
        });
        let node = Self { inner };
        recovery::recover(&node).await?;
        tokio::spawn(recovery::clear_outbox(Arc::downgrade(&node.inner), cleared));
        tokio::spawn(recovery::release_logs(Arc::downgrade(&node.inner)));
        Ok(node)
    }

    /// The world outside.
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// The stores, for use cases that need no actor.
    pub fn stores(&self) -> &Stores {
        &self.inner.stores
    }

    /// Whether all partitions work; if not, which of them wait, and for what.
    pub fn check(&self) -> Result<(), String> {
        let events = self.inner.event_partitions().iter();
        let events = events
            .filter(|partition| !partition.writer().is_working())
            .map(|partition| format!("event partition {} is recovering", partition.number.0));
        let sessions = self.inner.sequencers.all();
        let sessions = sessions.iter().filter_map(|(number, sequencer)| {
            let failure = sequencer.epoch().err()?;
            Some(format!("session partition {}: {failure}", number.0))
        });
        let waiting: Vec<String> = events.chain(sessions).collect();
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(waiting.join("; "))
        }
    }

    /// What the partitions say of themselves.
    pub fn observe(&self) -> NodeState {
        let sessions = self.inner.sequencers.all();
        let events = self.inner.event_partitions().iter();
        NodeState {
            event_partitions: events.map(|partition| partition.observe()).collect(),
            session_partitions: sessions
                .iter()
                .map(|(number, sequencer)| sequencer.observe(*number))
                .collect(),
        }
    }

    /// A new id.
    pub fn mint<K>(&self) -> Id<K> {
        let now = self.inner.env.now();
        self.inner.minting(now, |mint: &mut Mint<'_>| mint.id())
    }
}

impl Inner {
    /// Decides something with new ids. Nothing may wait while the generator is held.
    pub(crate) fn minting<T>(&self, now: Timestamp, decide: impl FnOnce(&mut Mint<'_>) -> T) -> T {
        decide(&mut Mint {
            now,
            ids: &mut self.ids.lock(),
        })
    }

    /// Ids are minted above this floor from now on.
    pub(crate) fn raise_id_floor(&self, floor: u64) {
        let mut ids = self.ids.lock();
        *ids = Generator::new(self.config.node.0, floor.max(ids.last()));
    }

    /// The partition that holds a source's stream.
    pub(crate) fn event_partition(&self, source: Source) -> &Arc<EventPartition> {
        &self.event_partitions()[usize::from(self.number_of(source).0)]
    }

    pub(crate) fn number_of(&self, source: Source) -> EventPartitionNumber {
        event_partition_of(source, self.config.event_partitions)
    }

    pub(crate) fn event_partitions(&self) -> &[Arc<EventPartition>] {
        self.event_partitions
            .get()
            .expect("partitions are set before anybody can ask")
    }

    pub(crate) fn set_event_partitions(&self, partitions: Vec<Arc<EventPartition>>) {
        assert!(
            self.event_partitions.set(partitions).is_ok(),
            "a node recovers once"
        );
    }

    /// Where a channel belongs.
    pub(crate) async fn home_of(&self, channel: ChannelId) -> Result<Option<Home>, Failure> {
        if let Some(home) = self.homes.lock().get(&channel) {
            return Ok(Some(*home));
        }
        let home = self.stores.guilds.home_of(channel).await?;
        if let Some(home) = home {
            let mut homes = self.homes.lock();
            if homes.len() >= HOMES_MAX {
                homes.clear();
            }
            homes.insert(channel, home);
        }
        Ok(home)
    }

    /// Deleted channels have no home any more.
    pub(crate) fn forget_homes(&self, events: &[Event]) {
        let mut homes = self.homes.lock();
        for event in events {
            match event {
                Event::ChannelDeleted(channel) => {
                    homes.remove(&channel.id);
                }
                Event::GuildDeleted => homes.clear(),
                _ => {}
            }
        }
    }

    /// Notes that a source's events up to this place are in the events log.
    pub(crate) fn outbox_done(&self, source: Source, upto: u64) {
        // Whatever does not fit is found to be in the log at the next start.
        let _ = self.outbox.try_send((source, upto));
    }

    /// The oldest message whose nonce still counts.
    pub(crate) fn oldest_nonce_message(&self) -> MessageId {
        let age = i64::try_from(limits::NONCE_AGE_MS).unwrap_or(i64::MAX);
        let since = self.env.now().plus_ms(-age);
        Generator::new(0, 0).mint(since)
    }
}
