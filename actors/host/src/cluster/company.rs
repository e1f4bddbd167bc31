//! A node's place among the others: whom it knows, and who owns which partition by what it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_cluster::link::{ByteStream, Lane, LinkError, LinkState, Links, Secret, Tls};
use guildhall_model::{NodeId, NodeRole, NodeRoles};
use guildhall_ports::Membership;
use guildhall_ports::directory::{Ownership, Partition};
use guildhall_ports::membership::Member;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use super::requests::Told;
use crate::calls::wire::encode;

/// What a node needs to be one of several.
pub struct Joining {
    /// The list of nodes.
    pub membership: Arc<dyn Membership>,
    /// What all nodes of the cluster know and nobody else.
    pub secret: Secret,
    /// What this node shows to others in TLS, and whom it believes; without it the link is plain.
    pub tls: Option<Tls>,
    /// Which of the node's successive processes this is; rises with every start.
    pub incarnation: u64,
    /// Where other nodes connect to.
    pub listener: TcpListener,
    /// How they reach it: `host:port`.
    pub address: String,
    /// How much this node takes beside the others; 0 owns no partitions.
    pub weight: u32,
    /// What this node does. It owns only partitions that it has the role for.
    pub roles: NodeRoles,
}

impl Joining {
    /// The node's place among the others, before it has met them.
    pub(crate) fn company(&self, node: NodeId) -> Company {
        let own = Member {
            node,
            incarnation: self.incarnation,
            address: self.address.clone(),
            weight: self.weight,
            roles: self.roles,
            is_draining: false,
        };
        Company::new(Arc::clone(&self.membership), own)
    }
}

/// The owners that the directory told last, or an owner itself.
pub(crate) type Owners = BTreeMap<Partition, Ownership>;

/// What one of several nodes knows of the others.
pub(crate) struct Company {
    pub(crate) membership: Arc<dyn Membership>,
    pub(crate) own: Mutex<Member>,
    pub(crate) owners: watch::Sender<Owners>,
    /// Other nodes that have not left.
    pub(crate) others: Mutex<BTreeSet<NodeId>>,
    /// Partitions that are being taken over or handed over.
    busy: Mutex<BTreeSet<Partition>>,
    /// The last look at the list of nodes; none before the first.
    seen: Mutex<Option<Seen>>,
    has_left: AtomicBool,
    trouble: Mutex<Option<String>>,
    /// When that was last so.
    failed: Mutex<Option<Instant>>,
    links: OnceLock<Links>,
    sockets: OnceLock<Arc<dyn Sockets>>,
}

/// What a look at the list of nodes has shown.
pub(crate) struct Seen {
    /// Roles whose partitions some other node takes over, if there are any.
    pub(crate) takers: BTreeSet<NodeRole>,
    /// Roles that no living node has.
    pub(crate) missing: Vec<NodeRole>,
    /// This node has no event partition, and is going to have some.
    pub(crate) is_owed_events: bool,
}

/// Attends to sockets of sessions that this node owns and that clients have opened at another node.
#[async_trait]
pub trait Sockets: Send + Sync {
    /// Goes on with a socket; `preface` is what the other node's [`Sockets`] says of it.
    async fn attend(&self, preface: Bytes, stream: ByteStream);
}

/// A partition that nobody else takes over or hands over as long as this is held.
pub(crate) struct Busy<'a> {
    company: &'a Company,
    partition: Partition,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.company.busy.lock().remove(&self.partition);
    }
}

impl Company {
    pub(crate) fn new(membership: Arc<dyn Membership>, own: Member) -> Self {
        Self {
            membership,
            own: Mutex::new(own),
            owners: watch::Sender::new(Owners::new()),
            others: Mutex::default(),
            busy: Mutex::default(),
            seen: Mutex::default(),
            has_left: AtomicBool::new(false),
            trouble: Mutex::default(),
            failed: Mutex::default(),
            links: OnceLock::new(),
            sockets: OnceLock::new(),
        }
    }

    pub(crate) fn set_links(&self, links: Links) {
        assert!(self.links.set(links).is_ok(), "a node joins once");
    }

    pub(crate) fn links(&self) -> &Links {
        self.links
            .get()
            .expect("links are set before anybody can ask")
    }

    /// Why the list of nodes and owners could not be read last; `None` if it could.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    /// For how long the list could be read: for ever, unless it failed before.
    pub(crate) fn readable_for(&self) -> Duration {
        let failed = *self.failed.lock();
        failed.map_or(Duration::MAX, |failed| failed.elapsed())
    }

    /// Notes how it went, and says whether it went differently before.
    pub(crate) fn note_trouble(&self, trouble: Option<&str>) -> bool {
        if trouble.is_some() {
            *self.failed.lock() = Some(Instant::now());
        }
        let mut last = self.trouble.lock();
        let is_news = last.as_deref() != trouble;
        *last = trouble.map(str::to_owned);
        is_news
    }

    /// Notes what the list of nodes has shown.
    pub(crate) fn note_seen(&self, seen: Seen) {
        *self.seen.lock() = Some(seen);
    }

    /// Some other node takes over partitions that are owned by nodes with this role.
    pub(crate) fn has_takers(&self, role: NodeRole) -> bool {
        let seen = self.seen.lock();
        seen.as_ref()
            .is_some_and(|seen| seen.takers.contains(&role))
    }

    /// Roles that no living node has, by what this node knows.
    pub(crate) fn missing_roles(&self) -> Vec<NodeRole> {
        let seen = self.seen.lock();
        seen.as_ref()
            .map(|it| it.missing.clone())
            .unwrap_or_default()
    }

    /// Whether this node, which has no event partition, is to have some.
    pub(crate) fn is_owed_events(&self) -> bool {
        let seen = self.seen.lock();
        seen.as_ref().is_none_or(|seen| seen.is_owed_events)
    }

    /// Whether this node owns partitions of this one's kind.
    pub(crate) fn takes(&self, partition: Partition) -> bool {
        self.own.lock().weight_as(partition.role()) > 0
    }

    /// The node says no more that it lives.
    pub(crate) fn note_left(&self) {
        self.has_left.store(true, Ordering::Release);
    }

    /// Whether it has said so.
    pub(crate) fn has_left(&self) -> bool {
        self.has_left.load(Ordering::Acquire)
    }

    /// Who owns a partition, by what this node knows.
    pub(crate) fn owner(&self, partition: Partition) -> Option<Ownership> {
        self.owners.borrow().get(&partition).copied()
    }

    /// Whether a node can be called at this moment.
    pub(crate) fn reaches(&self, node: NodeId) -> bool {
        let states = self.links().states();
        states.get(&node).copied().is_some_and(LinkState::is_up)
    }

    /// Notes an owner that is known before the directory was asked again.
    pub(crate) fn note_owner(&self, partition: Partition, owner: Ownership) {
        self.owners.send_if_modified(|owners| {
            let known = owners.get(&partition).map(|known| known.epoch);
            let is_news = known < Some(owner.epoch);
            if is_news {
                owners.insert(partition, owner);
            }
            is_news
        });
    }

    /// Begins to move a partition, unless it is being moved.
    pub(crate) fn busy(&self, partition: Partition) -> Option<Busy<'_>> {
        let company = self;
        let begins = self.busy.lock().insert(partition);
        // Not `then_some`: a second one that is made and dropped would end the first.
        begins.then(|| Busy { company, partition })
    }

    pub(crate) async fn call(
        &self,
        node: NodeId,
        lane: Lane,
        body: Bytes,
        within: Duration,
    ) -> Result<Bytes, LinkError> {
        self.links().call(node, lane, body, within).await
    }

    /// Tells one node something that may be lost.
    pub(crate) fn tell(&self, node: NodeId, lane: Lane, told: &Told) {
        // Who is not reached learns of it otherwise, or need not.
        let _ = self.links().tell(node, lane, encode(told));
    }

    /// Tells all others something that may be lost.
    pub(crate) fn tell_all(&self, lane: Lane, told: &Told) {
        let body = encode(told);
        for &node in &*self.others.lock() {
            let _ = self.links().tell(node, lane, body.clone());
        }
    }

    /// Who attends to sockets that another node hands over.
    pub(crate) fn sockets(&self) -> Option<Arc<dyn Sockets>> {
        self.sockets.get().cloned()
    }

    pub(crate) fn set_sockets(&self, sockets: Arc<dyn Sockets>) {
        assert!(self.sockets.set(sockets).is_ok(), "a node has one listener");
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{EventPartition, SessionPartition, Timestamp};
    use guildhall_ports::fake::{FakeClock, FakeMembership};

    use super::*;

    #[test]
    fn a_partition_is_moved_by_one_at_a_time() {
        let own = Member {
            node: NodeId(1),
            incarnation: 1,
            address: String::new(),
            weight: 1,
            roles: NodeRoles::ALL,
            is_draining: false,
        };
        let company = Company::new(
            Arc::new(FakeMembership::new(FakeClock::at(Timestamp(0)))),
            own,
        );
        let (one, other) = (
            Partition::Event(EventPartition(1)),
            Partition::Session(SessionPartition(1)),
        );
        let moving = company.busy(one).unwrap();
        for _ in 0..3 {
            assert!(company.busy(one).is_none());
        }
        assert!(company.busy(other).is_some());
        drop(moving);
        assert!(company.busy(one).is_some());
    }
}
