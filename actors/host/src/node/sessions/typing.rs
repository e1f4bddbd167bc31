//! Who writes a message at present: told once, to those who see the channel, and never again.

use std::sync::Arc;

use guildhall_cluster::link::Lane;
use guildhall_model::channel::DirectChannel;
use guildhall_model::dispatch::{Dispatch, Typing};
use guildhall_model::event::Source;
use guildhall_model::intent::Intents;
use guildhall_model::{ChannelId, GuildId, Timestamp, UserId};
use guildhall_state::relay::audience::Reach;
use guildhall_state::relay::{SessionRef, Sessions as _};

use crate::cluster::requests::Told;
use crate::node::Node;
use crate::relay;

impl Node {
    /// A member writes in a channel of a guild. A guild whose relay is busy is not told.
    pub fn tell_typing(
        &self,
        guild_id: GuildId,
        channel_id: ChannelId,
        user_id: UserId,
        since: Timestamp,
    ) {
        if let Some(company) = &self.inner.company {
            let told = Told::Typing {
                guild: guild_id,
                channel: channel_id,
                user: user_id,
                since,
            };
            company.tell_all(Lane::Bulk, &told);
        }
        self.tell_typing_here(guild_id, channel_id, user_id, since);
    }

    /// The same, to this node's sessions.
    pub(crate) fn tell_typing_here(
        &self,
        guild_id: GuildId,
        channel_id: ChannelId,
        user_id: UserId,
        since: Timestamp,
    ) {
        let relay = self.inner.relay_of(Source::Guild(guild_id));
        let _ = relay.try_send(relay::Input::Typing {
            guild_id,
            channel_id,
            user_id,
            since,
        });
    }

    /// One of two users writes in their channel.
    pub async fn tell_typing_directly(
        &self,
        channel: &DirectChannel,
        user_id: UserId,
        since: Timestamp,
    ) {
        if let Some(company) = &self.inner.company {
            let told = Told::TypingDirectly {
                channel: *channel,
                user: user_id,
                since,
            };
            company.tell_all(Lane::Bulk, &told);
        }
        self.tell_typing_directly_here(channel, user_id, since)
            .await;
    }

    /// The same, to this node's sessions.
    pub(crate) async fn tell_typing_directly_here(
        &self,
        channel: &DirectChannel,
        user_id: UserId,
        since: Timestamp,
    ) {
        let wants = Intents::DIRECT_MESSAGE_TYPING;
        let mut sessions: Vec<SessionRef> = channel
            .users
            .iter()
            .flat_map(|&user| self.inner.registry.of(user))
            .filter(|hears| hears.shard.has_directs() && hears.viewer.wants(wants))
            .map(|hears| hears.session)
            .collect();
        sessions.sort_unstable();
        // Both ends of a channel may be the same user.
        sessions.dedup();
        let dispatch = Arc::new(Dispatch::Typing(Box::new(Typing {
            channel_id: channel.id,
            user_id,
            since,
            member: None,
        })));
        let sequencers = &self.inner.sequencers;
        sequencers
            .tell_volatile(&Reach::of(&sessions), &dispatch)
            .await;
    }
}
