//! A channel's messages: who may write what, which nonces were used, and the newest messages.

mod decide;
mod respond;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;

use guildhall_model::event::Event;
use guildhall_model::member::Member;
use guildhall_model::message::{Nonce, Place};
use guildhall_model::rejection::Noun;
use guildhall_model::{
    ChannelId, MessageId, Permissions, Rejection, RoleId, UserId, WebhookId, limits,
};

pub use decide::Posted;
pub use respond::Answered;
pub use window::Window;

/// A channel with its newest messages and the nonces of the last minutes.
#[derive(Debug)]
pub struct ChannelState {
    id: ChannelId,
    place: Place,
    window: Window,
    nonces: VecDeque<(UserId, Nonce, MessageId)>,
}

/// That a nonce was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Where.
    pub channel_id: ChannelId,
    /// By whom.
    pub author: UserId,
    /// Which one.
    pub nonce: Nonce,
    /// For what.
    pub message: MessageId,
}

impl Spent {
    /// The nonce that an event uses up, if there is one.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::MessageCreated(message) => Some(Self {
                channel_id: message.channel_id,
                author: message.author.id,
                nonce: message.nonce.clone()?,
                message: message.id,
            }),
            Event::InteractionAcknowledged {
                id,
                application_id,
                channel_id,
                ..
            } => Some(Self {
                channel_id: *channel_id,
                author: application_id.bot_user(),
                nonce: Nonce::Interaction(*id),
                message: MessageId::new(id.get())?,
            }),
            _ => None,
        }
    }
}

/// Who writes into a channel, as the guild's state says at this moment.
#[derive(Debug)]
pub struct Writer {
    /// Who it is: a user, or the author of what a webhook posts.
    pub user_id: UserId,
    /// What it may do in this channel.
    pub access: Permissions,
    /// Its membership; `None` in direct messages and for webhooks.
    pub member: Option<Arc<Member>>,
    /// Roles of the guild that anybody may mention, and all roles for who may mention everyone.
    pub mentionable: Vec<RoleId>,
}

/// What every webhook may do in its channel.
const WEBHOOK: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::SEND_MESSAGES)
    .union(Permissions::SEND_TTS_MESSAGES)
    .union(Permissions::EMBED_LINKS)
    .union(Permissions::ATTACH_FILES)
    .union(Permissions::MENTION_EVERYONE);

impl Writer {
    /// One of the two users of a direct-message channel, who may do all that such channels know.
    pub fn direct(user_id: UserId) -> Self {
        let access = Permissions::DEFAULT | Permissions::PIN_MESSAGES;
        Self {
            user_id,
            access,
            member: None,
            mentionable: Vec::new(),
        }
    }

    /// A webhook of the channel, whose token has been shown: no permission of a member binds it.
    pub fn webhook(id: WebhookId, mentionable: Vec<RoleId>) -> Self {
        Self {
            user_id: id.author(),
            access: WEBHOOK,
            member: None,
            mentionable,
        }
    }

    /// Who may ban deletes what the banned have written, wherever it stands.
    pub fn purging(user_id: UserId, in_guild: Permissions) -> Result<Self, Rejection> {
        if !in_guild.contains(Permissions::BAN_MEMBERS) {
            return Err(Rejection::MissingPermission(Permissions::BAN_MEMBERS));
        }
        Ok(Self {
            user_id,
            access: Permissions::VIEW_CHANNEL | Permissions::MANAGE_MESSAGES,
            member: None,
            mentionable: Vec::new(),
        })
    }

    fn require(&self, needed: Permissions) -> Result<(), Rejection> {
        if !self.access.contains(Permissions::VIEW_CHANNEL) {
            return Err(Rejection::Unknown(Noun::Channel));
        }
        let missing = needed - self.access;
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Rejection::MissingPermission(missing))
        }
    }
}

impl ChannelState {
    /// A channel whose newest messages are in `window`.
    pub fn new(id: ChannelId, place: Place, window: Window) -> Self {
        Self {
            id,
            place,
            window,
            nonces: VecDeque::new(),
        }
    }

    /// The newest messages.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The message that this author posted with this nonce, as far as this state remembers.
    pub fn by_nonce(&self, author: UserId, nonce: &Nonce) -> Option<MessageId> {
        let used = |(user, used, _): &&(UserId, Nonce, _)| *user == author && used == nonce;
        self.nonces
            .iter()
            .rev()
            .find(used)
            .map(|&(_, _, message)| message)
    }

    /// Folds a decided event in.
    pub fn apply(&mut self, event: &Event) {
        if let Some(spent) = Spent::of(event) {
            self.spend(spent);
        }
        self.window.apply(event);
    }

    /// Remembers a nonce that was used here.
    pub fn spend(&mut self, spent: Spent) {
        if self.nonces.len() >= limits::NONCES_MAX {
            self.nonces.pop_front();
        }
        self.nonces
            .push_back((spent.author, spent.nonce, spent.message));
    }
}

/// The users that a text names as `<@id>` or `<@!id>`, each once, at most
/// [`limits::MENTIONS_MAX`].
pub fn mentioned_users(content: &str) -> Vec<UserId> {
    let mut users: Vec<UserId> = content
        .split("<@")
        .skip(1)
        .filter_map(|rest| {
            let number = rest.split_once('>')?.0;
            number
                .strip_prefix('!')
                .unwrap_or(number)
                .parse()
                .ok()
                .and_then(UserId::new)
        })
        .collect();
    users.sort_unstable();
    users.dedup();
    users.truncate(limits::MENTIONS_MAX);
    users
}
