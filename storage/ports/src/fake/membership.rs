//! A list of nodes in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use guildhall_model::{NodeId, Timestamp};
use parking_lot::Mutex;

use super::{FakeClock, Outage};
use crate::env::Clock;
use crate::error::Failure;
use crate::membership::{ADDRESS_BYTES_MAX, Heard, Member, Membership};

/// A list of nodes that can be made unreachable. Clones are the same list.
#[derive(Clone)]
pub struct FakeMembership {
    clock: FakeClock,
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    beats: AtomicU64,
    members: Mutex<BTreeMap<NodeId, (Member, Timestamp)>>,
    lease: Mutex<Option<(NodeId, u64, Timestamp)>>,
}

impl FakeMembership {
    /// An empty list whose times are those of this clock.
    pub fn new(clock: FakeClock) -> Self {
        Self {
            clock,
            store: Arc::default(),
        }
    }

    /// Every call fails like this from now on; `None` ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
    }

    /// How often a node has said that it lives, all nodes together.
    pub fn beats(&self) -> u64 {
        self.store.beats.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Membership for FakeMembership {
    async fn beat(&self, member: &Member) -> Result<(), Failure> {
        self.store.outage.check()?;
        if member.address.len() > ADDRESS_BYTES_MAX {
            return Err(Failure::unavailable("the node", "its address is too long"));
        }
        let mut members = self.store.members.lock();
        let known = members.get(&member.node);
        if known.is_some_and(|(known, _)| known.incarnation > member.incarnation) {
            return Err(Failure::Stale { what: "the node" });
        }
        members.insert(member.node, (member.clone(), self.clock.now()));
        self.store.beats.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn leave(&self, node: NodeId, incarnation: u64) -> Result<(), Failure> {
        self.store.outage.check()?;
        let mut members = self.store.members.lock();
        members.retain(|_, (member, _)| member.node != node || member.incarnation > incarnation);
        Ok(())
    }

    async fn members(&self) -> Result<Vec<Heard>, Failure> {
        self.store.outage.check()?;
        let now = self.clock.now();
        let members = self.store.members.lock();
        let heard = members.values().map(|(member, at)| Heard {
            member: member.clone(),
            silent_ms: now.ms_since(*at),
        });
        Ok(heard.collect())
    }

    async fn lead(&self, node: NodeId, incarnation: u64, ms: u32) -> Result<bool, Failure> {
        self.store.outage.check()?;
        let now = self.clock.now();
        let mut lease = self.store.lease.lock();
        let is_held = lease.is_some_and(|(holder, process, until)| {
            (holder, process) != (node, incarnation) && now < until
        });
        if !is_held {
            *lease = Some((node, incarnation, now.plus_ms(ms.into())));
        }
        Ok(!is_held)
    }

    async fn resign(&self, node: NodeId, incarnation: u64) -> Result<(), Failure> {
        self.store.outage.check()?;
        let mut lease = self.store.lease.lock();
        *lease = lease.filter(|(holder, process, _)| (*holder, *process) != (node, incarnation));
        Ok(())
    }
}
