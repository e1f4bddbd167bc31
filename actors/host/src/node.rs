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
    ChannelId, EventPartition as EventPartitionNumber, Id, MessageId, NodeRole, Timestamp, limits,
};
use guildhall_ports::guilds::Home;
use guildhall_ports::{
    Accounts, ApplicationCommands, Directory, Env, Failure, Guilds, Log, Messages, Snapshots,
    Standing,
};
use guildhall_state::Mint;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::cluster::appearances::Appearances;
use crate::cluster::company::Company;
use crate::cluster::{self, Joining};
use crate::config::HostConfig;
use crate::copies::Copies;
use crate::heard::Heard;
use crate::observe::NodeState;
use crate::partition::{EventPartition, EventPartitions};
use crate::recovery;
use crate::relay;
use crate::session::registry::Registry;
use crate::session::sequencer::Sequencers;
use crate::session::shared::Ending;

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
    /// Whether accounts, guilds and commands can be asked for.
    pub relational: Standing,
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// The relay of every event partition, whoever owns it.
    relays: OnceLock<Vec<mpsc::Sender<relay::Input>>>,
    pub(crate) events: EventPartitions,
    pub(crate) sequencers: Sequencers,
    pub(crate) copies: Copies,
    /// By event partition.
    heard: Vec<Arc<Heard>>,
    /// The other nodes, if there may be any.
    pub(crate) company: Option<Arc<Company>>,
    pub(crate) appearances: Appearances,
    /// Another process has this node's number.
    superseded: watch::Sender<bool>,
    ids: Mutex<Generator>,
    homes: Mutex<FxHashMap<ChannelId, Home>>,
    outbox: mpsc::Sender<(Source, u64)>,
}

impl Node {
    /// Takes over all partitions, recovers what a former owner left, and begins to serve. Nobody
    /// else may be on the same stores.
    pub async fn start(config: HostConfig, env: Env, stores: Stores) -> Result<Self, Failure> {
        let (node, cleared) = Self::new(config, env, stores, None);
        recovery::recover(&node).await?;
        node.keep_up(cleared);
        Ok(node)
    }

    /// Joins other nodes on the same stores. It owns partitions when the coordinator says so, and
    /// serves what others own through them.
    pub async fn join(
        config: HostConfig,
        env: Env,
        stores: Stores,
        joining: Joining,
    ) -> Result<Self, Failure> {
        let company = joining.company(config.node);
        let (node, cleared) = Self::new(config, env, stores, Some(Arc::new(company)));
        cluster::join(&node, joining).await?;
        node.keep_up(cleared);
        Ok(node)
    }

    fn new(
        config: HostConfig,
        env: Env,
        stores: Stores,
        company: Option<Arc<Company>>,
    ) -> (Self, mpsc::Receiver<(Source, u64)>) {
        let (outbox, cleared) = mpsc::channel(OUTBOX_MAX);
        let ids = Mutex::new(Generator::new(config.node.0, 0));
        let heard = (0..config.event_partitions).map(|_| Arc::default());
        let inner = Arc::new(Inner {
            config,
            env,
            registry: Arc::new(Registry::default()),
            replays: Semaphore::new(REPLAYS_MAX),
            relays: OnceLock::new(),
            events: EventPartitions::default(),
            sequencers: Sequencers::default(),
            copies: Copies::default(),
            heard: heard.collect(),
            company,
            appearances: Appearances::default(),
            superseded: watch::Sender::new(false),
            ids,
            homes: Mutex::default(),
            outbox,
            stores,
        });
        (Self { inner }, cleared)
    }

    /// Starts what must be done from time to time as long as the node lives.
    fn keep_up(&self, cleared: mpsc::Receiver<(Source, u64)>) {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(recovery::clear_outbox(inner.clone(), cleared));
        tokio::spawn(recovery::release_logs(inner));
    }

    /// Waits until another process has this node's number: this one must end then.
    pub async fn until_superseded(&self) {
        let mut superseded = self.inner.superseded.subscribe();
        // The sender lives as long as the node.
        let _ = superseded.wait_for(|superseded| *superseded).await;
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
        let events = self.inner.events.all();
        let events = events
            .iter()
            .filter(|partition| !partition.writer().is_working())
            .map(|partition| format!("event partition {} is recovering", partition.number.0));
        let sessions = self.inner.sequencers.all();
        let sessions = sessions.iter().filter_map(|(number, sequencer)| {
            let failure = sequencer.epoch().err()?;
            Some(format!("session partition {}: {failure}", number.0))
        });
        let company = self.inner.company.as_ref();
        let cluster = company.and_then(|company| {
            let idle = || "it has not got its share of the partitions yet".to_owned();
            company
                .trouble()
                .or_else(|| self.is_idle(company).then(idle))
        });
        let waiting: Vec<String> = events.chain(sessions).chain(cluster).collect();
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(waiting.join("; "))
        }
    }

    /// Whether it waits for partitions of a kind that it takes. Sessions cannot be opened without one;
    /// a worker that is to have none is as good as any other.
    fn is_idle(&self, company: &Company) -> bool {
        let inner = &self.inner;
        let own = company.own.lock();
        let takes = |role| own.weight_as(role) > 0 && !own.is_draining;
        takes(NodeRole::Gateway) && inner.sequencers.is_empty()
            || takes(NodeRole::Worker) && inner.events.all().is_empty() && company.is_owed_events()
    }

    /// Roles that no living node of the cluster has, by what this node knows.
    pub fn missing_roles(&self) -> Vec<NodeRole> {
        let company = self.inner.company.as_ref();
        company.map(|it| it.missing_roles()).unwrap_or_default()
    }

    /// What the partitions say of themselves.
    pub fn observe(&self) -> NodeState {
        let sessions = self.inner.sequencers.all();
        let events = self.inner.events.all();
        NodeState {
            event_partitions: events.iter().map(|partition| partition.observe()).collect(),
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

    /// Another process has this node's number.
    pub(crate) fn be_superseded(&self) {
        self.superseded.send_replace(true);
        self.registry.for_each(|shared| shared.end(Ending::Failed));
    }

    /// Ids are minted above this floor from now on.
    pub(crate) fn raise_id_floor(&self, floor: u64) {
        let mut ids = self.ids.lock();
        *ids = Generator::new(self.config.node.0, floor.max(ids.last()));
    }

    /// The partition that holds a source's stream.
    pub(crate) fn number_of(&self, source: Source) -> EventPartitionNumber {
        event_partition_of(source, self.config.event_partitions)
    }

    /// The partition that holds a source's stream, if this node owns it.
    pub(crate) fn owned(&self, source: Source) -> Option<Arc<EventPartition>> {
        self.events.get(self.number_of(source))
    }

    /// The relays of all event partitions, by number.
    pub(crate) fn relays(&self) -> &[mpsc::Sender<relay::Input>] {
        self.relays
            .get()
            .expect("relays are set before anybody can ask")
    }

    /// The relay that hears a source's stream.
    pub(crate) fn relay_of(&self, source: Source) -> &mpsc::Sender<relay::Input> {
        &self.relays()[usize::from(self.number_of(source).0)]
    }

    pub(crate) fn set_relays(&self, relays: Vec<mpsc::Sender<relay::Input>>) {
        assert!(self.relays.set(relays).is_ok(), "a node starts once");
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
        for event in events {
            match event {
                Event::ChannelDeleted(channel) => {
                    self.homes.lock().remove(&channel.id);
                }
                Event::GuildDeleted => self.homes.lock().clear(),
                _ => {}
            }
        }
    }

    /// Notes that a source's events up to this place are in the events log.
    pub(crate) fn outbox_done(&self, source: Source, upto: u64) {
        // Whatever does not fit is found to be in the log at the next start.
        let _ = self.outbox.try_send((source, upto));
    }

    /// What this node has heard of an event partition.
    pub(crate) fn heard(&self, of: guildhall_model::EventPartition) -> &Arc<Heard> {
        &self.heard[usize::from(of.0)]
    }

    /// The oldest message whose nonce still counts.
    pub(crate) fn oldest_nonce_message(&self) -> MessageId {
        let age = i64::try_from(limits::NONCE_AGE_MS).unwrap_or(i64::MAX);
        let since = self.env.now().plus_ms(-age);
        Generator::new(0, 0).mint(since)
    }
}
