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
        let before = self.appearance(user);
        if self.inner.registry.show(user, session, status).is_some() {
            self.reappear(user, before);
        }
    }

    /// A user's session, which showed this, is another node's from now on. The client will be back
    /// there in a moment, and is shown until then as it was.
    pub(crate) fn part_with(&self, user: UserId, shown: Status) {
        let shown = Appearance::from(shown);
        let here = self.inner.registry.appearance(user);
        if here == Appearance::Offline && shown != here {
            let now = self.env().steady();
            self.inner.appearances.lose_session(user, shown, now);
        } else if here.or(shown) != here {
            self.reappear(user, here.or(shown));
        }
    }

    /// A user may appear differently by its sessions here than before.
    fn reappear(&self, user: UserId, before: Appearance) {
        let here = self.inner.registry.appearance(user);
        if here != Appearance::Offline {
            self.inner.appearances.come_back(user);
        }
        self.tell_appearance(user, here);
        let appearance = self.inner.appearances.with(user, here);
        if before != appearance {
            self.announce(user, appearance);
        }
    }

    /// Tells the other nodes how a user appears here.
    fn tell_appearance(&self, user: UserId, here: Appearance) {
        if let Some(company) = &self.inner.company {
            company.tell_all(Lane::Bulk, &Told::Appear(vec![(user, here)]));
        }
    }

    /// A user appears like this on another node.
    pub(crate) fn note_elsewhere(&self, node: NodeId, user: UserId, appearance: Appearance) {
        let before = self.appearance(user);
        if self.inner.appearances.note(node, user, appearance) {
            self.tell_appearance(user, self.inner.registry.appearance(user));
        }
        let now = self.appearance(user);
        if before != now {
            self.announce(user, now);
        }
    }

    /// A node is gone. Most of those who were connected there will be back on others in a moment, and
    /// are shown until then as they were.
    pub(crate) fn forget_elsewhere(&self, node: NodeId) {
        let now = self.env().steady();
        let here = |user| self.inner.registry.appearance(user);
        for (user, appearance) in self.inner.appearances.lose_node(node, now, here) {
            self.announce(user, appearance);
        }
    }

    /// Those who were lost with their node and have not come back are shown as they are.
    pub(crate) fn end_lingering(&self) {
        let (now, after_ms) = (self.env().steady(), self.inner.config.linger_ms);
        for (user, before) in self.inner.appearances.over(now, after_ms) {
            self.reappear(user, before);
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

    /// Tells the user's guilds, in the background. Presence is volatile: a guild whose relay is busy
    /// is not told.
    fn announce(&self, user_id: UserId, appearance: Appearance) {
        let node = self.clone();
        tokio::spawn(async move {
            let Ok(guilds) = node.guilds_of(user_id).await else {
                return;
            };
            for guild_id in guilds {
                let relay = node.inner.relay_of(Source::Guild(guild_id));
                let input = relay::Input::Presence {
                    guild_id,
                    user_id,
                    appearance,
                };
                let _ = relay.try_send(input);
            }
        });
    }

    /// How a user appears to others.
    pub fn appearance(&self, user: UserId) -> Appearance {
        let here = self.inner.registry.appearance(user);
        self.inner.appearances.with(user, here)
    }
}
