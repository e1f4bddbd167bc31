//! A channel's messages: who may write what, which nonces were used, and the newest messages.

#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;

use guildhall_model::command::Draft;
use guildhall_model::event::{Event, Reaction};
use guildhall_model::member::Member;
use guildhall_model::message::{Authorship, Emoji, Message, Nonce, Place};
use guildhall_model::rejection::Noun;
use guildhall_model::text::Content;
use guildhall_model::user::User;
use guildhall_model::{ChannelId, MessageId, Permissions, Rejection, RoleId, UserId, limits};

use crate::Mint;
pub use window::Window;

/// A channel with its newest messages and the nonces of the last minutes.
#[derive(Debug)]
pub struct ChannelState {
    id: ChannelId,
    place: Place,
    window: Window,
    nonces: VecDeque<(UserId, Nonce, MessageId)>,
}

/// Who writes into a channel, as the guild's state says at this moment.
#[derive(Debug)]
pub struct Writer {
    /// Who it is.
    pub user_id: UserId,
    /// What it may do in this channel.
    pub access: Permissions,
    /// Its membership; `None` in direct messages.
    pub member: Option<Arc<Member>>,
    /// Roles of the guild that anybody may mention, and all roles for who may mention everyone.
    pub mentionable: Vec<RoleId>,
}

impl Writer {
    /// One of the two users of a direct-message channel, who may do all that such channels know.
    pub fn direct(user_id: UserId) -> Self {
        let access = Permissions::DEFAULT;
        Self {
            user_id,
            access,
            member: None,
            mentionable: Vec::new(),
        }
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

/// The outcome of a post.
#[derive(Debug)]
pub enum Posted {
    /// A new message is to be committed.
    New(Box<Message>),
    /// The author has used the nonce before, for this message.
    Repeat(MessageId),
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

    /// Decides a post.
    pub fn post(
        &self,
        writer: &Writer,
        draft: Draft,
        mint: &mut Mint<'_>,
    ) -> Result<Posted, Rejection> {
        writer.require(Permissions::SEND_MESSAGES)?;
        if let Some(nonce) = &draft.nonce
            && let Some(first) = self.by_nonce(writer.user_id, nonce)
        {
            return Ok(Posted::Repeat(first));
        }
        let may_mention_all = writer.access.contains(Permissions::MENTION_EVERYONE);
        let content = draft.content.as_str();
        let calls_all = content.contains("@everyone") || content.contains("@here");
        Ok(Posted::New(Box::new(Message {
            id: mint.id(),
            channel_id: self.id,
            place: self.place_of(writer),
            author: draft.author,
            edited_at: None,
            nonce: draft.nonce,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            mention_roles: mentioned_roles(content, &writer.mentionable),
            mention_everyone: may_mention_all && calls_all,
            content: draft.content.into(),
            reactions: Vec::new(),
        })))
    }

    fn place_of(&self, writer: &Writer) -> Place {
        match (&self.place, &writer.member) {
            (Place::Guild { guild_id, .. }, Some(member)) => Place::Guild {
                guild_id: *guild_id,
                member: Some(Authorship {
                    nick: member.nick.clone(),
                    roles: member.roles.clone(),
                    joined_at: member.joined_at,
                }),
            },
            (place, _) => place.clone(),
        }
    }

    /// Decides an edit. `None` means that the message says so already.
    pub fn edit(
        message: &Message,
        writer: &Writer,
        content: Content,
        mentions: Vec<User>,
        mint: &Mint<'_>,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::empty())?;
        if message.author.id != writer.user_id {
            return Err(Rejection::NotTheAuthor);
        }
        if message.content == content.as_str() {
            return Ok(None);
        }
        let mention_roles = mentioned_roles(content.as_str(), &writer.mentionable);
        Ok(Some(Event::MessageUpdated(Box::new(Message {
            content: content.into(),
            edited_at: Some(mint.now),
            mentions,
            mention_roles,
            ..message.clone()
        }))))
    }

    /// Decides a deletion.
    pub fn delete(&self, message: &Message, writer: &Writer) -> Result<Event, Rejection> {
        writer.require(Permissions::empty())?;
        if message.author.id != writer.user_id {
            writer.require(Permissions::MANAGE_MESSAGES)?;
        }
        let place = self.place.clone();
        Ok(Event::MessageDeleted {
            id: message.id,
            channel_id: self.id,
            place,
        })
    }

    /// Decides a reaction. `has_it` says that the user gave this emoji before.
    pub fn react(
        &self,
        message: &Message,
        writer: &Writer,
        emoji: Emoji,
        has_it: bool,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::READ_MESSAGE_HISTORY)?;
        if has_it {
            return Ok(None);
        }
        if !message.reactions.iter().any(|count| count.emoji == emoji) {
            writer.require(Permissions::ADD_REACTIONS)?;
            if message.reactions.len() >= limits::REACTIONS_MAX {
                let limit = limits::REACTIONS_MAX;
                return Err(Rejection::LimitReached {
                    what: "reactions",
                    limit,
                });
            }
        }
        Ok(Some(Event::ReactionAdded(self.reaction(
            message,
            writer,
            writer.user_id,
            emoji,
        ))))
    }

    /// Decides the removal of `user`'s reaction. `has_it` says that there is one.
    pub fn unreact(
        &self,
        message: &Message,
        writer: &Writer,
        user: UserId,
        emoji: Emoji,
        has_it: bool,
    ) -> Result<Event, Rejection> {
        writer.require(Permissions::empty())?;
        if user != writer.user_id {
            writer.require(Permissions::MANAGE_MESSAGES)?;
        }
        if !has_it {
            return Err(Rejection::Unknown(Noun::Reaction));
        }
        Ok(Event::ReactionRemoved(
            self.reaction(message, writer, user, emoji),
        ))
    }

    fn reaction(
        &self,
        message: &Message,
        writer: &Writer,
        user_id: UserId,
        emoji: Emoji,
    ) -> Box<Reaction> {
        let own = writer.member.as_ref().filter(|_| user_id == writer.user_id);
        Box::new(Reaction {
            message_id: message.id,
            message_author_id: message.author.id,
            channel_id: self.id,
            place: self.place.clone(),
            user_id,
            member: own.map(|member| Member::clone(member)),
            emoji,
        })
    }

    /// Folds a decided event in.
    pub fn apply(&mut self, event: &Event) {
        if let Event::MessageCreated(message) = event
            && let Some(nonce) = &message.nonce
        {
            if self.nonces.len() >= limits::NONCES_MAX {
                self.nonces.pop_front();
            }
            self.nonces
                .push_back((message.author.id, nonce.clone(), message.id));
        }
        self.window.apply(event);
    }

    /// Forgets nonces of messages older than `oldest`.
    pub fn forget_nonces_before(&mut self, oldest: MessageId) {
        while self
            .nonces
            .front()
            .is_some_and(|(_, _, message)| *message < oldest)
        {
            self.nonces.pop_front();
        }
    }
}

/// The roles that a text names as `<@&id>`, each once, among those that may be named.
fn mentioned_roles(content: &str, mentionable: &[RoleId]) -> Vec<RoleId> {
    let mut roles: Vec<RoleId> = content
        .split("<@&")
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.0.parse().ok().and_then(RoleId::new))
        .filter(|role| mentionable.contains(role))
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
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
