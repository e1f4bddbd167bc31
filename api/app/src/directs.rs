//! Direct messages between two users.

use guildhall_host::Refused;
use guildhall_model::channel::DirectChannel;
use guildhall_model::message::Anchor;
use guildhall_model::user::User;
use guildhall_model::{Rejection, UserId, limits};

use crate::messages::{NewMessage, Posted, SeenMessage};
use crate::{App, Context};

/// The use cases around direct messages.
#[derive(Clone, Copy, Debug)]
pub struct Directs<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around direct messages.
    pub const fn directs(&self) -> Directs<'_> {
        Directs { app: self }
    }
}

impl Directs<'_> {
    /// A page of the history with another user, newest first. Reading opens no channel.
    pub async fn page(
        &self,
        ctx: &Context,
        other: UserId,
        anchor: Anchor,
        limit: u16,
    ) -> Result<Vec<SeenMessage>, Refused> {
        require_two(ctx, other)?;
        let pair = DirectChannel::pair(ctx.user_id(), other);
        match self.app.guilds_store().direct_of(pair).await? {
            Some(channel) => {
                self.app
                    .messages()
                    .page(ctx, channel.id, anchor, limit)
                    .await
            }
            None => self.app.user(other).await.map(|_| Vec::new()),
        }
    }

    /// Posts to another user, and opens their channel with the first message.
    pub async fn post(
        &self,
        ctx: &Context,
        other: UserId,
        new: NewMessage,
    ) -> Result<Posted, Refused> {
        let (channel, [from, _]) = self.open(ctx, other).await?;
        self.app
            .messages()
            .post_direct(ctx, &channel, from, new)
            .await
    }

    /// The channel with another user, opened if there is none, with the caller and the other. Two
    /// bots have nothing to say to each other, as in Discord.
    pub async fn open(
        &self,
        ctx: &Context,
        other: UserId,
    ) -> Result<(DirectChannel, [User; 2]), Refused> {
        require_two(ctx, other)?;
        let to = self.app.user(other).await?;
        if to.bot {
            ctx.require_person()?;
        }
        let from = self.app.own_account(ctx).await?.user;
        let channel = self
            .app
            .node()
            .direct_with(from.clone(), to.clone())
            .await?;
        Ok((channel, [from, to]))
    }

    /// The caller's channels with the users at their other ends, newest first.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<(DirectChannel, User)>, Refused> {
        let me = ctx.user_id();
        let store = self.app.guilds_store();
        let channels = store.directs_of(me, limits::DIRECTS_LISTED_MAX).await?;
        let others: Vec<UserId> = channels.iter().map(|channel| channel.other(me)).collect();
        let users = self.app.accounts_store().users(&others).await?;
        let with_user = |channel: DirectChannel| {
            let user = users.iter().find(|user| user.id == channel.other(me))?;
            Some((channel, user.clone()))
        };
        Ok(channels.into_iter().filter_map(with_user).collect())
    }
}

fn require_two(ctx: &Context, other: UserId) -> Result<(), Rejection> {
    if other == ctx.user_id() {
        Err(Rejection::Conflict("a direct message needs two users"))
    } else {
        Ok(())
    }
}
