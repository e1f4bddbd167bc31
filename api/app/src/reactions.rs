//! Reactions: giving an emoji to a message, taking it back, and who gave it.

use guildhall_host::Refused;
use guildhall_model::command::{ChannelCommand, Given};
use guildhall_model::message::{Emoji, Message};
use guildhall_model::rejection::Noun;
use guildhall_model::user::User;
use guildhall_model::{MessageId, Rejection, UserId};

use crate::guilds::within;
use crate::messages::SeenMessage;
use crate::{App, Context};

/// The use cases around reactions.
#[derive(Clone, Copy, Debug)]
pub struct Reactions<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around reactions.
    pub const fn reactions(&self) -> Reactions<'_> {
        Reactions { app: self }
    }
}

impl Reactions<'_> {
    /// Gives an emoji to a message and answers with the message as it is then. Giving it twice is
    /// the same as once.
    pub async fn add(
        &self,
        ctx: &Context,
        id: MessageId,
        emoji: Emoji,
    ) -> Result<SeenMessage, Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        let command = ChannelCommand::React(id, self.given(ctx, &message, emoji).await?);
        self.app
            .node()
            .write(message.channel_id, ctx.by(), command)
            .await?;
        self.app.messages().get(ctx, id).await
    }

    /// What a guild's own emoji is called and whether the caller may use it. One that the message
    /// has already may be given by everybody, even if it has ended since.
    async fn given(
        &self,
        ctx: &Context,
        message: &Message,
        emoji: Emoji,
    ) -> Result<Given, Refused> {
        let Emoji::Custom(custom) = &emoji else {
            let is_external = false;
            return Ok(Given { emoji, is_external });
        };
        let is_there = message.reactions.iter().any(|count| count.emoji == emoji);
        if is_there {
            let is_external = true;
            return Ok(Given { emoji, is_external });
        }
        let unknown = || Refused::from(Rejection::Unknown(Noun::Emoji));
        let home = self.app.guilds_store().guild_of_emoji(custom.id).await?;
        let home = home.ok_or_else(unknown)?;
        let view = self.app.guild_of_member(home, ctx.user_id()).await;
        let view = view.map_err(within(Noun::Emoji))?;
        let found = view.read(|state| {
            let member = state.member(ctx.user_id())?;
            let emoji = state.emoji(custom.id)?;
            let is_open =
                emoji.is_open_to(&member.roles) || emoji.roles.contains(&home.everyone_role());
            is_open.then(|| emoji.given())
        });
        Ok(Given {
            emoji: Emoji::Custom(found.ok_or_else(unknown)?),
            is_external: message.guild_id() != Some(home),
        })
    }

    /// Takes `user`'s emoji back; another user's needs a permission.
    pub async fn remove(
        &self,
        ctx: &Context,
        id: MessageId,
        emoji: Emoji,
        user: UserId,
    ) -> Result<(), Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        let command = ChannelCommand::Unreact(id, emoji, user);
        self.app
            .node()
            .write(message.channel_id, ctx.by(), command)
            .await?;
        Ok(())
    }

    /// Takes all reactions of a message away, or all of one emoji.
    pub async fn clear(
        &self,
        ctx: &Context,
        id: MessageId,
        emoji: Option<Emoji>,
    ) -> Result<(), Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        let command = ChannelCommand::ClearReactions(id, emoji);
        self.app
            .node()
            .write(message.channel_id, ctx.by(), command)
            .await?;
        Ok(())
    }

    /// At most `limit` users who gave an emoji, by id, above `after`.
    pub async fn users(
        &self,
        ctx: &Context,
        id: MessageId,
        emoji: &Emoji,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<User>, Refused> {
        let ids = self
            .app
            .node()
            .reactors(id, ctx.user_id(), emoji, after, limit)
            .await?;
        let mut users = self.app.accounts_store().users(&ids).await?;
        users.sort_unstable_by_key(|user| user.id);
        Ok(users)
    }
}
