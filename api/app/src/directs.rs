//! Direct messages between two users.

use guildhall_host::Refused;
use guildhall_model::channel::DirectChannel;
use guildhall_model::message::Anchor;
use guildhall_model::{Rejection, UserId};

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

    /// Posts to another user, and opens their channel with the first message. Two bots have
    /// nothing to say to each other, as in Discord.
    pub async fn post(
        &self,
        ctx: &Context,
        other: UserId,
        new: NewMessage,
    ) -> Result<Posted, Refused> {
        require_two(ctx, other)?;
        let to = self.app.user(other).await?;
        if to.bot {
            ctx.require_person()?;
        }
        let from = self.app.own_account(ctx).await?.user;
        let channel = self.app.node().direct_with(from.clone(), to).await?;
        self.app
            .messages()
            .post_direct(ctx, &channel, from, new)
            .await
    }
}

fn require_two(ctx: &Context, other: UserId) -> Result<(), Rejection> {
    if other == ctx.user_id() {
        Err(Rejection::Conflict("a direct message needs two users"))
    } else {
        Ok(())
    }
}
