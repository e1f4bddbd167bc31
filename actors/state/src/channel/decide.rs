//! What is decided about messages: by whom, and into which events it leads.

use guildhall_model::command::{AllowedMentions, Draft, Edit, Given};
use guildhall_model::event::{Event, Reaction};
use guildhall_model::member::Member;
use guildhall_model::message::{
    Authorship, Emoji, Message, MessageFlags, MessageKind, Place, Rich,
};
use guildhall_model::rejection::Noun;
use guildhall_model::snowflake::Generator;
use guildhall_model::user::User;
use guildhall_model::{MessageId, Permissions, Rejection, RoleId, Timestamp, UserId, limits};

use super::{ChannelState, Writer};
use crate::Mint;

/// The outcome of a post.
#[derive(Debug)]
pub enum Posted {
    /// A new message is to be committed.
    New(Box<Message>),
    /// The author has used the nonce before, for this message.
    Repeat(MessageId),
}

impl ChannelState {
    /// Decides a post.
    pub fn post(
        &self,
        writer: &Writer,
        draft: Draft,
        mint: &mut Mint<'_>,
    ) -> Result<Posted, Rejection> {
        writer.require(Permissions::SEND_MESSAGES)?;
        require_parts(writer, &draft.rich)?;
        if let Some(nonce) = &draft.nonce
            && let Some(first) = self.by_nonce(writer.user_id, nonce)
        {
            return Ok(Posted::Repeat(first));
        }
        let content = draft.content.map(String::from).unwrap_or_default();
        if !draft.rich.flags.contains(MessageFlags::LOADING) {
            require_something(&content, &draft.rich)?;
        }
        let mentioned = Mentioned::by(writer, &content, &draft.allowed_mentions);
        Ok(Posted::New(Box::new(Message {
            id: mint.id(),
            channel_id: self.id,
            place: self.place_of(writer),
            author: draft.author,
            edited_at: None,
            nonce: draft.nonce,
            reply_to: draft.reply_to,
            mentions: draft.mentions,
            mention_roles: mentioned.roles,
            mention_everyone: mentioned.everyone,
            content,
            reactions: Vec::new(),
            pinned_at: None,
            rich: draft.rich.kept(),
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

    /// Decides an edit, with the users that the new content mentions. `None` means that the message
    /// says so already.
    pub fn edit(
        message: &Message,
        writer: &Writer,
        edit: Edit,
        mentions: Vec<User>,
        mint: &Mint<'_>,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::empty())?;
        if message.author.id != writer.user_id {
            if edit.is_the_authors() {
                return Err(Rejection::NotTheAuthor);
            }
            writer.require(Permissions::MANAGE_MESSAGES)?;
        }
        let is_announced = edit.is_the_authors() && message.flags().contains(MessageFlags::LOADING);
        let mut after = message.clone();
        let mut rich = after.rich.take().map_or_else(Rich::default, |rich| *rich);
        rich.flags.set(
            MessageFlags::LOADING,
            !is_announced && message.flags().contains(MessageFlags::LOADING),
        );
        if let Some(embeds) = edit.embeds {
            let needed = Permissions::EMBED_LINKS;
            writer.require(if embeds.is_empty() {
                Permissions::empty()
            } else {
                needed
            })?;
            rich.embeds = embeds;
        }
        if let Some(attachments) = edit.attachments {
            let is_new = |file| !message.attachments().contains(file);
            if attachments.iter().any(is_new) {
                writer.require(Permissions::ATTACH_FILES)?;
            }
            rich.attachments = attachments;
        }
        if let Some(components) = edit.components {
            rich.components = components;
        }
        if let Some(suppress) = edit.suppress_embeds {
            rich.flags.set(MessageFlags::SUPPRESS_EMBEDS, suppress);
        }
        if let Some(content) = edit.content {
            after.content = content.map(String::from).unwrap_or_default();
        }
        let shows = require_something(&after.content, &rich);
        after.rich = rich.kept();
        if after.content != message.content {
            let mentioned = Mentioned::by(writer, &after.content, &edit.allowed_mentions);
            after.mention_roles = mentioned.roles;
            after.mentions = mentions;
        }
        if after == *message {
            return Ok(None);
        }
        shows?;
        // What was announced is said for the first time.
        after.edited_at = (!is_announced).then_some(mint.now).or(after.edited_at);
        Ok(Some(Event::MessageUpdated(Box::new(after))))
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
            only_for: message.only_for(),
        })
    }

    /// Decides a deletion of those of these messages that exist, which the caller has found out.
    /// `None` means that there is none.
    pub fn delete_many(
        &self,
        mut ids: Vec<MessageId>,
        writer: &Writer,
        now: Timestamp,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::MANAGE_MESSAGES)?;
        let age = i64::try_from(limits::BULK_DELETE_AGE_MS).unwrap_or(i64::MAX);
        let oldest: MessageId = Generator::new(0, 0).mint(now.plus_ms(-age));
        if ids.iter().any(|id| *id < oldest) {
            return Err(Rejection::TooOld);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok((!ids.is_empty()).then(|| Event::MessagesDeleted {
            ids,
            channel_id: self.id,
            place: self.place.clone(),
        }))
    }

    /// Decides a reaction. `has_it` says that the user gave this emoji before.
    pub fn react(
        &self,
        message: &Message,
        writer: &Writer,
        given: Given,
        has_it: bool,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::READ_MESSAGE_HISTORY)?;
        if has_it {
            return Ok(None);
        }
        let Given { emoji, is_external } = given;
        if !message.reactions.iter().any(|count| count.emoji == emoji) {
            let mut needed = Permissions::ADD_REACTIONS;
            needed.set(Permissions::USE_EXTERNAL_EMOJIS, is_external);
            writer.require(needed)?;
            if message.reactions.len() >= limits::REACTIONS_MAX {
                let limit = limits::REACTIONS_MAX;
                return Err(Rejection::LimitReached {
                    what: "reactions",
                    limit,
                });
            }
        }
        let user = writer.user_id;
        let reaction = self.reaction(message, writer, user, emoji);
        Ok(Some(Event::ReactionAdded(reaction)))
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

    /// Decides that all reactions of a message go, or all of one emoji. `None` means that there
    /// are none.
    pub fn clear_reactions(
        &self,
        message: &Message,
        writer: &Writer,
        emoji: Option<Emoji>,
    ) -> Result<Option<Event>, Rejection> {
        writer.require(Permissions::MANAGE_MESSAGES)?;
        let is_there = match &emoji {
            None => !message.reactions.is_empty(),
            Some(emoji) => message.reactions.iter().any(|count| count.emoji == *emoji),
        };
        Ok(is_there.then(|| Event::ReactionsCleared {
            message_id: message.id,
            channel_id: self.id,
            place: self.place.clone(),
            emoji: emoji.map(|emoji| as_given(message, emoji)),
        }))
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
            emoji: as_given(message, emoji),
        })
    }

    /// Decides a pin, in a channel that has `pins` already: the message, the word to clients that
    /// keep a list, and a notice that `by` signs. Nothing, if it is pinned.
    pub fn pin(
        &self,
        message: &Message,
        writer: &Writer,
        by: User,
        pins: usize,
        mint: &mut Mint<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        writer.require(Permissions::PIN_MESSAGES)?;
        if message.pinned_at.is_some() {
            return Ok(Vec::new());
        }
        let limit = limits::PINS_MAX;
        if limit <= pins {
            return Err(Rejection::LimitReached {
                what: "pins",
                limit,
            });
        }
        let notice = Message {
            id: mint.id(),
            channel_id: self.id,
            place: self.place_of(writer),
            author: by,
            content: String::new(),
            edited_at: None,
            nonce: None,
            reply_to: Some(message.id),
            mentions: Vec::new(),
            mention_roles: Vec::new(),
            mention_everyone: false,
            reactions: Vec::new(),
            pinned_at: None,
            rich: Rich {
                kind: MessageKind::Pinned,
                ..Rich::default()
            }
            .kept(),
        };
        let [pinned, changed] = self.pin_change(message, Some(mint.now), Some(mint.now));
        Ok(vec![
            pinned,
            changed,
            Event::MessageCreated(Box::new(notice)),
        ])
    }

    /// Decides that a pin is taken away; the newest one that is left was set at `last_pin`.
    /// Nothing, if the message is not pinned.
    pub fn unpin(
        &self,
        message: &Message,
        writer: &Writer,
        last_pin: Option<Timestamp>,
    ) -> Result<Vec<Event>, Rejection> {
        writer.require(Permissions::PIN_MESSAGES)?;
        if message.pinned_at.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.pin_change(message, None, last_pin).into())
    }

    fn pin_change(
        &self,
        message: &Message,
        pinned_at: Option<Timestamp>,
        last_pin: Option<Timestamp>,
    ) -> [Event; 2] {
        let after = Message {
            pinned_at,
            ..message.clone()
        };
        let changed = Event::PinsChanged {
            channel_id: self.id,
            place: self.place.clone(),
            last_pin,
        };
        [Event::MessageUpdated(Box::new(after)), changed]
    }
}

/// The emoji as it was first given to the message: whoever names it again may not know its name.
fn as_given(message: &Message, emoji: Emoji) -> Emoji {
    let counts = message.reactions.iter();
    let mut given = counts.map(|count| &count.emoji);
    given
        .find(|given| **given == emoji)
        .cloned()
        .unwrap_or(emoji)
}

/// What a message carries beside its content is a right of its own.
fn require_parts(writer: &Writer, rich: &Rich) -> Result<(), Rejection> {
    let mut needed = Permissions::empty();
    needed.set(Permissions::EMBED_LINKS, !rich.embeds.is_empty());
    needed.set(Permissions::SEND_TTS_MESSAGES, rich.tts);
    needed.set(Permissions::ATTACH_FILES, !rich.attachments.is_empty());
    writer.require(needed)
}

fn require_something(content: &str, rich: &Rich) -> Result<(), Rejection> {
    let Rich {
        embeds,
        components,
        attachments,
        ..
    } = rich;
    let is_bare = embeds.is_empty() && components.is_empty() && attachments.is_empty();
    if content.is_empty() && is_bare {
        return Err(Rejection::EmptyMessage);
    }
    Ok(())
}

/// Whom a content mentions beside users.
struct Mentioned {
    roles: Vec<RoleId>,
    everyone: bool,
}

impl Mentioned {
    fn by(writer: &Writer, content: &str, allowed: &AllowedMentions) -> Self {
        let mut roles = mentioned_roles(content, &writer.mentionable);
        roles.retain(|role| allowed.roles.includes(role));
        let calls_all = content.contains("@everyone") || content.contains("@here");
        let may_call = writer.access.contains(Permissions::MENTION_EVERYONE);
        Self {
            roles,
            everyone: calls_all && may_call && allowed.everyone,
        }
    }
}

/// The roles that a text names as `<@&id>`, each once, among those that may be named.
pub(super) fn mentioned_roles(content: &str, mentionable: &[RoleId]) -> Vec<RoleId> {
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
