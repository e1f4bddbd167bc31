//! How users appear, by what their sessions show, here and on other nodes.

use guildhall_cluster::link::Lane;
use guildhall_model::event::Source;
use guildhall_model::user::{Appearance, Status};
use guildhall_model::{NodeId, UserId};
use guildhall_state::relay::SessionRef;

use crate::cluster::requests::Told;
use crate::node::Node;
use crate::relay;

/// Users that are told of in one message between nodes.
const TOLD_MAX: usize = 10_000;

impl Node {
    /// Shows a user differently in one session; `None` when its socket is gone.
    pub(crate) fn show(&self, user: UserId, session: SessionRef, status: Option<Status>) {
        if self.inner.registry.show(user, session, status).is_some() {
            self.reappear(user);
        }
    }

    /// A user may appear differently by its sessions here.
    pub(crate) fn reappear(&self, user: UserId) {
        let here = self.inner.registry.appearance(user);
        if let Some(company) = &self.inner.company {
            company.tell_all(Lane::Bulk, &Told::Appear(vec![(user, here)]));
        }
        let appearance = self.inner.appearances.with(user, here);
        let node = self.clone();
        tokio::spawn(async move { node.announce(user, appearance).await });
    }

    /// A user appears like this on another node.
    pub(crate) fn note_elsewhere(&self, node: NodeId, user: UserId, appearance: Appearance) {
        let before = self.appearance(user);
        self.inner.appearances.note(node, user, appearance);
        let now = self.appearance(user);
        if before != now {
            let node = self.clone();
            tokio::spawn(async move { node.announce(user, now).await });
        }
    }

    /// A node is gone, and nobody appears there any more.
    pub(crate) fn forget_elsewhere(&self, node: NodeId) {
        for user in self.inner.appearances.users_on(node) {
            self.note_elsewhere(node, user, Appearance::Offline);
        }
    }

    /// Tells a node that has come how all users appear here.
    pub(crate) fn tell_appearances(&self, to: NodeId) {
        let Some(company) = &self.inner.company else {
            return;
        };
        for users in self.inner.registry.appearances().chunks(TOLD_MAX) {
            company.tell(to, Lane::Bulk, &Told::Appear(users.to_vec()));
        }
    }

    /// Presence is volatile: a guild whose relay is busy is not told.
    async fn announce(&self, user_id: UserId, appearance: Appearance) {
        let Ok(guilds) = self.guilds_of(user_id).await else {
            return;
        };
        for guild_id in guilds {
            let relay = self.inner.relay_of(Source::Guild(guild_id));
            let input = relay::Input::Presence {
                guild_id,
                user_id,
                appearance,
            };
            let _ = relay.try_send(input);
        }
    }

    /// How a user appears to others.
    pub fn appearance(&self, user: UserId) -> Appearance {
        let here = self.inner.registry.appearance(user);
        self.inner.appearances.with(user, here)
    }
}
