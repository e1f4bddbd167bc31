//! How users appear, by what their sessions show.

use guildhall_model::UserId;
use guildhall_model::event::Source;
use guildhall_model::user::{Appearance, Status};
use guildhall_state::relay::SessionRef;

use crate::node::Node;
use crate::relay;

impl Node {
    /// Shows a user differently in one session; `None` when its socket is gone.
    pub(crate) fn show(&self, user: UserId, session: SessionRef, status: Option<Status>) {
        let Some(appearance) = self.inner.registry.show(user, session, status) else {
            return;
        };
        let node = self.clone();
        tokio::spawn(async move { node.announce(user, appearance).await });
    }

    /// Presence is volatile: a guild whose relay is busy is not told.
    async fn announce(&self, user_id: UserId, appearance: Appearance) {
        let Ok(guilds) = self.guilds_of(user_id).await else {
            return;
        };
        for guild_id in guilds {
            let partition = self.inner.event_partition(Source::Guild(guild_id));
            let input = relay::Input::Presence {
                guild_id,
                user_id,
                appearance,
            };
            let _ = partition.relay.try_send(input);
        }
    }

    /// How a user appears to others.
    pub fn appearance(&self, user: UserId) -> Appearance {
        self.inner.registry.appearance(user)
    }
}
