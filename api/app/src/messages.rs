//! Messages: pages of history, posting, editing, deleting.

use std::sync::Arc;

use guildhall_host::{GuildView, Refused, Written};
use guildhall_model::channel::DirectChannel;
use guildhall_model::command::{AllowedMentions, ChannelCommand, Draft, Edit};
use guildhall_model::message::{Anchor, Emoji, Message, Nonce, Rich};
use guildhall_model::rejection::Noun;
use guildhall_model::text::Content;
use guildhall_model::user::User;
use guildhall_model::{ChannelId, GuildId, MessageId, Rejection, UserId};
use guildhall_ports::Failure;
use guildhall_ports::guilds::Home;
use guildhall_state::channel::mentioned_users;

use crate::{App, Context};

/// The use cases around messages.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    app: &'a App,
}

/// A message as its author sends it.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    /// What is said; there may be something else to show.
    pub content: Option<Content>,
    /// The author's own mark; a second post with the same one makes no second message.
    pub nonce: Option<Nonce>,
    /// The message of the same channel that it answers.
    pub reply_to: Option<MessageId>,
    /// Whom it may mention.
    pub allowed_mentions: AllowedMentions,
    /// What else belongs to it.
    pub rich: Rich,
}

/// What became of a post.
#[derive(Clone, Debug)]
pub enum Posted {
    /// A message was made.
    New(Arc<Message>),
    /// The author had posted this message with the same nonce before.
    Repeat(SeenMessage),
}

/// A message with the emoji that its reader gave to it.
#[derive(Clone, Debug)]
pub struct SeenMessage {
    /// The message.
    pub message: Arc<Message>,
    /// The reader's own reactions.
    pub mine: Vec<Emoji>,
}

impl NewMessage {
    /// The users that it names and may mention.
    pub(crate) fn named(&self) -> Vec<UserId> {
        let content = self.content.as_ref().map_or("", Content::as_str);
        let mut named = mentioned_users(content);
        named.retain(|user| self.allowed_mentions.users.includes(user));
        named
    }
}

impl App {
    /// The use cases around messages.
    pub const fn messages(&self) -> Messages<'_> {
        Messages { app: self }
    }
}

impl Messages<'_> {
    /// A page of a channel, newest first. Empty for readers without READ_MESSAGE_HISTORY.
    pub async fn page(
        &self,
        ctx: &Context,
        channel: ChannelId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<SeenMessage>, Refused> {
        let page = self
            .app
            .node()
            .page(channel, ctx.user_id(), anchor, limit)
            .await?;
        Ok(self.with_own_reactions(ctx, page).await?)
    }

    /// One message.
    pub async fn get(&self, ctx: &Context, id: MessageId) -> Result<SeenMessage, Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        Ok(self.seen(ctx, message).await?)
    }

    /// Refuses a message that does not stand in this channel, for paths that name both.
    pub async fn require_in(
        &self,
        ctx: &Context,
        channel: ChannelId,
        id: MessageId,
    ) -> Result<(), Refused> {
        self.app.channels().get(ctx, channel).await?;
        let message = self.app.node().message(id, ctx.user_id()).await?;
        if message.channel_id == channel {
            Ok(())
        } else {
            Err(Rejection::Unknown(Noun::Message).into())
        }
    }

    /// Posts into a channel of either kind.
    pub async fn post(
        &self,
        ctx: &Context,
        channel: ChannelId,
        new: NewMessage,
    ) -> Result<Posted, Refused> {
        let draft = self.draft(ctx, channel, new).await?;
        self.commit(ctx, channel, draft).await
    }

    /// The message with its author and the users that it names.
    pub(crate) async fn draft(
        &self,
        ctx: &Context,
        channel: ChannelId,
        new: NewMessage,
    ) -> Result<Draft, Refused> {
        let (author, mentions) = match self.app.node().home_of(channel).await? {
            Some(Home::Guild(guild)) => self.people_of(ctx, guild, &new).await?,
            Some(Home::Direct(direct)) if direct.users.contains(&ctx.user_id()) => {
                let author = self.app.author(ctx).await?;
                (author, self.app.people(&new.named()).await?)
            }
            _ => return Err(Rejection::Unknown(Noun::Channel).into()),
        };
        self.drafted(ctx, channel, new, author, mentions).await
    }

    /// Posts into a channel of two users, of whom `author` is one.
    pub(crate) async fn post_direct(
        &self,
        ctx: &Context,
        channel: &DirectChannel,
        author: User,
        new: NewMessage,
    ) -> Result<Posted, Refused> {
        let mentions = self.app.people(&new.named()).await?;
        let draft = self.drafted(ctx, channel.id, new, author, mentions).await?;
        self.commit(ctx, channel.id, draft).await
    }

    /// Changes the caller's own message; of others' only whether their embeds are hidden.
    pub async fn edit(
        &self,
        ctx: &Context,
        id: MessageId,
        edit: Edit,
    ) -> Result<SeenMessage, Refused> {
        let before = self.app.node().message(id, ctx.user_id()).await?;
        let command = ChannelCommand::Edit(id, Box::new(edit));
        let written = self
            .app
            .node()
            .write(before.channel_id, ctx.by(), command)
            .await?;
        let after = match written {
            Written::Message(message) => message,
            Written::Repeated(_) | Written::Done => before,
        };
        Ok(self.seen(ctx, after).await?)
    }

    /// Deletes a message.
    pub async fn delete(&self, ctx: &Context, id: MessageId) -> Result<(), Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        let command = ChannelCommand::Delete(id);
        self.app
            .node()
            .write(message.channel_id, ctx.by(), command)
            .await?;
        self.app.uploads().discard(message.attachments()).await;
        Ok(())
    }

    /// Deletes several messages of a channel at once; those that do not exist are passed over.
    pub async fn delete_many(
        &self,
        ctx: &Context,
        channel: ChannelId,
        ids: Vec<MessageId>,
    ) -> Result<(), Refused> {
        let node = self.app.node();
        let mut files = Vec::new();
        for id in &ids {
            match node.message(*id, ctx.user_id()).await {
                Ok(message) if message.channel_id == channel => {
                    files.extend_from_slice(message.attachments());
                }
                Ok(_) | Err(Refused::Rejection(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        let command = ChannelCommand::DeleteMany(ids);
        node.write(channel, ctx.by(), command).await?;
        self.app.uploads().discard(&files).await;
        Ok(())
    }

    /// Deletes messages of somebody who has been banned; those that are gone are passed over.
    pub(crate) async fn purge(
        &self,
        ctx: &Context,
        channel: ChannelId,
        ids: &[MessageId],
    ) -> Result<(), Refused> {
        let mut files = Vec::new();
        for id in ids {
            if let Some(message) = self.app.node().stores().messages.get(*id).await? {
                files.extend_from_slice(message.attachments());
            }
        }
        let command = ChannelCommand::Purge(ids.to_vec());
        self.app.node().write(channel, ctx.by(), command).await?;
        self.app.uploads().discard(&files).await;
        Ok(())
    }

    async fn drafted(
        &self,
        ctx: &Context,
        channel: ChannelId,
        new: NewMessage,
        author: User,
        mut mentions: Vec<User>,
    ) -> Result<Draft, Refused> {
        if let Some(answered) = new.reply_to {
            let answered = self.answerable(ctx, channel, answered).await?;
            let is_new = mentions.iter().all(|user| user.id != answered.author.id);
            // There is nobody to be told behind a webhook.
            let is_user = answered.webhook_id().is_none();
            if new.allowed_mentions.replied_user && is_new && is_user {
                mentions.push(answered.author.clone());
            }
        }
        Ok(Draft {
            author,
            content: new.content,
            nonce: new.nonce,
            reply_to: new.reply_to,
            mentions,
            allowed_mentions: new.allowed_mentions,
            rich: new.rich,
        })
    }

    async fn commit(
        &self,
        ctx: &Context,
        channel: ChannelId,
        draft: Draft,
    ) -> Result<Posted, Refused> {
        let command = ChannelCommand::Post(Box::new(draft));
        match self.app.node().write(channel, ctx.by(), command).await? {
            Written::Message(message) => Ok(Posted::New(message)),
            Written::Repeated(message) => Ok(Posted::Repeat(self.seen(ctx, message).await?)),
            Written::Done => {
                let why = "a post was answered without its message";
                Err(Failure::damaged("channel", why).into())
            }
        }
    }

    /// A reply names a message of its own channel that its author can see.
    async fn answerable(
        &self,
        ctx: &Context,
        channel: ChannelId,
        answered: MessageId,
    ) -> Result<Arc<Message>, Refused> {
        match self.app.node().message(answered, ctx.user_id()).await {
            Ok(message) if message.channel_id == channel => return Ok(message),
            Ok(_) | Err(Refused::Rejection(_)) => {}
            Err(failure) => return Err(failure),
        }
        let why = "must be a message of this channel";
        Err(Rejection::field("reply_to", "unknown_message", why).into())
    }

    /// The author and the users that a message names.
    async fn people_of(
        &self,
        ctx: &Context,
        guild: GuildId,
        new: &NewMessage,
    ) -> Result<(User, Vec<User>), Refused> {
        let unknown = Refused::from(Rejection::Unknown(Noun::Channel));
        let Some(view) = self.app.node().guild(guild).await? else {
            return Err(unknown);
        };
        let author = view.read(|state| {
            let member = state.member(ctx.user_id());
            member.map(|member| member.user.clone())
        });
        let mentions = self.mentioned_in(&view, new.named()).await?;
        Ok((author.ok_or(unknown)?, mentions))
    }

    /// The users among these that exist, by id. Members come from memory, so that a post into a
    /// guild rarely asks the store.
    pub(crate) async fn mentioned_in(
        &self,
        view: &GuildView,
        named: Vec<UserId>,
    ) -> Result<Vec<User>, Failure> {
        let mut mentions: Vec<User> = view.read(|state| {
            let members = named.iter().filter_map(|&id| state.member(id));
            members.map(|member| member.user.clone()).collect()
        });
        let is_member = |id: &UserId| mentions.iter().any(|user| user.id == *id);
        let others: Vec<UserId> = named.into_iter().filter(|id| !is_member(id)).collect();
        mentions.extend(self.app.people(&others).await?);
        mentions.sort_unstable_by_key(|user| user.id);
        Ok(mentions)
    }

    async fn seen(&self, ctx: &Context, message: Arc<Message>) -> Result<SeenMessage, Failure> {
        let mut seen = self.with_own_reactions(ctx, vec![message]).await?;
        Ok(seen.pop().expect("as many come out as go in"))
    }

    pub(crate) async fn with_own_reactions(
        &self,
        ctx: &Context,
        messages: Vec<Arc<Message>>,
    ) -> Result<Vec<SeenMessage>, Failure> {
        let node = self.app.node();
        let mut mine = node.own_reactions(ctx.user_id(), &messages).await?;
        let seen = |message: Arc<Message>| {
            let own = mine.extract_if(.., |(id, _)| *id == message.id);
            SeenMessage {
                mine: own.map(|(_, emoji)| emoji).collect(),
                message,
            }
        };
        Ok(messages.into_iter().map(seen).collect())
    }
}
