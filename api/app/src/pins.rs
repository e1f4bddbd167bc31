//! Pinned messages: listing, pinning, taking pins away.

use guildhall_host::Refused;
use guildhall_model::command::ChannelCommand;
use guildhall_model::{ChannelId, MessageId, Timestamp};

use crate::messages::SeenMessage;
use crate::{App, Context};

/// The use cases around pins.
#[derive(Clone, Copy, Debug)]
pub struct Pins<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around pins.
    pub const fn pins(&self) -> Pins<'_> {
        Pins { app: self }
    }
}

impl Pins<'_> {
    /// What is pinned in a channel, the last one first: at most `limit`, from what was pinned
    /// before this time. Empty for readers without READ_MESSAGE_HISTORY.
    pub async fn list(
        &self,
        ctx: &Context,
        channel: ChannelId,
        before: Timestamp,
        limit: u16,
    ) -> Result<Vec<SeenMessage>, Refused> {
        let node = self.app.node();
        let pins = node.pins(channel, ctx.user_id(), before, limit).await?;
        Ok(self.app.messages().with_own_reactions(ctx, pins).await?)
    }

    /// Pins a message; pinning it twice is the same as once.
    pub async fn pin(&self, ctx: &Context, id: MessageId) -> Result<(), Refused> {
        let by = self.app.own_account(ctx).await?.user;
        self.write(ctx, id, ChannelCommand::Pin(id, Box::new(by)))
            .await
    }

    /// Takes a pin away.
    pub async fn unpin(&self, ctx: &Context, id: MessageId) -> Result<(), Refused> {
        self.write(ctx, id, ChannelCommand::Unpin(id)).await
    }

    async fn write(
        &self,
        ctx: &Context,
        id: MessageId,
        command: ChannelCommand,
    ) -> Result<(), Refused> {
        let message = self.app.node().message(id, ctx.user_id()).await?;
        self.app
            .node()
            .write(message.channel_id, ctx.by(), command)
            .await?;
        Ok(())
    }
}
