//! A node's regular look at the list of nodes and the directory: it says that it lives, learns who
//! owns what, takes over what is its own, and coordinates the others if the lease is its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use guildhall_cluster::coordinator::{Living, Order, is_owed_some, orders};
use guildhall_cluster::link::{Lane, Peer};
use guildhall_cluster::placement::all_partitions;
use guildhall_model::{NodeId, NodeRole};
use guildhall_ports::Failure;
use guildhall_ports::membership::{Heard, Member};
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};

use super::company::{Company, Owners, Seen};
use super::ownership;
use super::requests::Request;
use crate::calls::wire::encode;
use crate::node::{Inner, Node};

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_millis(500);
/// A node that was silent for so long and cannot be reached is taken for dead.
const DEAD_AFTER_MS: u64 = 3_000;
/// One that can be reached, and has trouble with the list of nodes only.
const MUTE_AFTER_MS: u64 = 15_000;
/// How long the lease of the coordinator lasts.
const LEASE_MS: u32 = 3_000;
/// How long a node may take to hear an order.
const ORDER_WITHIN: Duration = Duration::from_secs(2);

/// Runs until the node ends.
pub(super) async fn run(node: Weak<Inner>) {
    let mut tick = tokio::time::interval(BEAT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Some(mut states) = node.upgrade().and_then(|inner| {
        let company = inner.company.as_ref()?;
        Some(company.links().watch())
    }) else {
        return;
    };
    let mut met = BTreeSet::new();
    loop {
        tokio::select! {
            // Cancel-safe: both lose nothing.
            _ = tick.tick() => {}
            // Who is gone is noticed at once.
            changed = states.changed() => if changed.is_err() { return },
        }
        let Some(inner) = node.upgrade() else { return };
        let node = Node { inner };
        let up = states.borrow_and_update().clone();
        let up: BTreeSet<NodeId> = up
            .into_iter()
            .filter(|(_, it)| it.is_up())
            .map(|it| it.0)
            .collect();
        up.difference(&met)
            .for_each(|&new| node.tell_appearances(new));
        met.difference(&up)
            .for_each(|&gone| node.forget_elsewhere(gone));
        met = up;
        node.end_lingering();
        let failure = round(&node).await.err().map(|failure| failure.to_string());
        let company = node.inner.company.as_ref();
        if company.is_some_and(|company| company.note_trouble(failure.as_deref())) {
            if let Some(why) = &failure {
                warn!("the cluster's list of nodes cannot be read: {why}");
            } else {
                info!("the cluster's list of nodes can be read again");
            }
        }
    }
}

async fn round(node: &Node) -> Result<(), Failure> {
    let inner = &node.inner;
    let Some(company) = &inner.company else {
        return Ok(());
    };
    if company.has_left() {
        return Ok(());
    }
    let own = company.own.lock().clone();
    match company.membership.beat(&own).await {
        Err(failure @ Failure::Stale { .. }) => {
            error!("another process has the number of this node, which therefore stops");
            inner.be_superseded();
            return Err(failure);
        }
        outcome => outcome?,
    }
    let members = company.membership.members().await?;
    let owners: Owners = inner.stores.directory.owners().await?.into_iter().collect();
    meet(company, &members);
    let living = living(company, &members);
    company.note_seen(look(node, &own, &members, &living));
    for (&partition, &owner) in &owners {
        company.note_owner(partition, owner);
    }
    ownership::drop_lost(node, &owners);
    take_own(node, company, &owners);
    if lead(company, &own, &members).await? {
        coordinate(node, company, &living, &owners);
    }
    Ok(())
}

/// Whether this node is the coordinator. The lease of one whose process is gone would last for
/// seconds more, in which nobody takes its partitions over.
async fn lead(company: &Company, own: &Member, members: &[Heard]) -> Result<bool, Failure> {
    let membership = &company.membership;
    let take = || membership.lead(own.node, own.incarnation, LEASE_MS);
    if take().await? {
        return Ok(true);
    }
    let states = company.links().states();
    let is_gone = |heard: &&Heard| {
        let state = states.get(&heard.member.node);
        // Who was silent for longer has no lease.
        heard.silent_ms <= LEASE_MS.into() && state.is_some_and(|state| state.is_refused())
    };
    let gone: Vec<&Heard> = members.iter().filter(is_gone).collect();
    if gone.is_empty() {
        return Ok(false);
    }
    // Which of them leads is not known; of the others nothing ends.
    for Heard { member, .. } in gone {
        membership.resign(member.node, member.incarnation).await?;
    }
    take().await
}

/// Connects to those who are new, and gives those up who have left.
fn meet(company: &Company, members: &[Heard]) {
    let own = company.own.lock().node;
    let others = members.iter().filter(|heard| heard.member.node != own);
    let peers: Vec<Peer> = others
        .map(|heard| Peer {
            node: heard.member.node,
            incarnation: heard.member.incarnation,
            address: heard.member.address.clone(),
        })
        .collect();
    let others: BTreeSet<NodeId> = peers.iter().map(|peer| peer.node).collect();
    company.links().set_peers(peers);
    *company.others.lock() = others;
}

/// What the list of nodes shows.
fn look(node: &Node, own: &Member, members: &[Heard], living: &[Living]) -> Seen {
    let config = &node.inner.config;
    let kinds = [NodeRole::Gateway, NodeRole::Worker];
    let takes = |role: NodeRole| {
        let mut others = members.iter().filter(|it| it.member.node != own.node);
        others.any(|Heard { member, silent_ms }| {
            member.weight_as(role) > 0 && !member.is_draining && *silent_ms < DEAD_AFTER_MS
        })
    };
    // Who owns nothing is of no use as a gateway or worker.
    let is_had = |role: NodeRole| {
        let mut having = living.iter().filter(|it| it.roles.contains(role));
        having.any(|it| it.weight > 0 || role == NodeRole::Api)
    };
    let events = all_partitions(config.event_partitions, 0);
    let has_none = node.inner.events.all().is_empty();
    Seen {
        takers: kinds.into_iter().filter(|role| takes(*role)).collect(),
        missing: NodeRole::ALL
            .into_iter()
            .filter(|it| !is_had(*it))
            .collect(),
        is_owed_events: has_none && is_owed_some(own.node, &events, living),
    }
}

/// What the directory calls this node's own and this node does not hold: it has restarted, or an
/// order was interrupted. What it has no role for any more is left to others.
fn take_own(node: &Node, company: &Company, owners: &Owners) {
    let inner = &node.inner;
    let me = inner.config.node;
    if company.own.lock().is_draining {
        return;
    }
    for (&partition, owner) in owners.iter().filter(|(_, owner)| owner.node == me) {
        if company.takes(partition) && !ownership::holds(node, partition) {
            let order = Order::TakeOver {
                partition,
                to: me,
                replaces: Some(owner.epoch),
            };
            ownership::carry_out(node, order);
        }
    }
}

fn coordinate(node: &Node, company: &Arc<Company>, living: &[Living], owners: &Owners) {
    let config = &node.inner.config;
    let all = all_partitions(config.event_partitions, config.session_partitions);
    let owned: BTreeMap<_, _> = all
        .into_iter()
        .map(|partition| (partition, owners.get(&partition).copied()))
        .collect();
    for order in orders(&owned, living) {
        let to = order.executor();
        if to == config.node {
            ownership::carry_out(node, order);
            continue;
        }
        let company = Arc::clone(company);
        tokio::spawn(async move {
            let body = encode(&Request::Order(order));
            // The next round gives it again.
            let _ = company.call(to, Lane::Control, body, ORDER_WITHIN).await;
        });
    }
}

fn living(company: &Company, members: &[Heard]) -> Vec<Living> {
    let living = members.iter().filter(|heard| lives(company, heard));
    living
        .map(|Heard { member, .. }| Living {
            node: member.node,
            weight: member.weight,
            roles: member.roles,
            is_draining: member.is_draining,
        })
        .collect()
}

fn lives(company: &Company, heard: &Heard) -> bool {
    let state = company.links().states().get(&heard.member.node).copied();
    let bound = match state {
        Some(state) if state.is_refused() => 0,
        Some(state) if state.is_up() => MUTE_AFTER_MS,
        _ => DEAD_AFTER_MS,
    };
    // Who could say that it lives only since then was not silent for longer.
    let could_speak = company.readable_for().as_millis();
    u128::from(heard.silent_ms).min(could_speak) < u128::from(bound)
}
