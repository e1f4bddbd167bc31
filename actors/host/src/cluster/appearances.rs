//! How users appear by their sessions on other nodes, as these tell it.

use guildhall_model::user::Appearance;
use guildhall_model::{NodeId, UserId};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// What other nodes have told of the users who are connected to them.
#[derive(Debug, Default)]
pub(crate) struct Appearances(Mutex<FxHashMap<UserId, FxHashMap<NodeId, Appearance>>>);

impl Appearances {
    /// Notes how a user appears on another node.
    pub(crate) fn note(&self, node: NodeId, user: UserId, appearance: Appearance) {
        let mut users = self.0.lock();
        if appearance == Appearance::Offline {
            if let Some(nodes) = users.get_mut(&user) {
                nodes.remove(&node);
                if nodes.is_empty() {
                    users.remove(&user);
                }
            }
        } else {
            users.entry(user).or_default().insert(node, appearance);
        }
    }

    /// Those whom a node has told of; it is gone.
    pub(crate) fn users_on(&self, node: NodeId) -> Vec<UserId> {
        let users = self.0.lock();
        let there = users.iter().filter(|(_, nodes)| nodes.contains_key(&node));
        there.map(|(&user, _)| user).collect()
    }

    /// How a user appears who appears like this here.
    pub(crate) fn with(&self, user: UserId, here: Appearance) -> Appearance {
        let users = self.0.lock();
        let elsewhere = users
            .get(&user)
            .into_iter()
            .flat_map(|nodes| nodes.values());
        elsewhere.fold(here, |shown, &other| shown.or(other))
    }
}
