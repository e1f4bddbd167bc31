//! Channels of guilds, and where a channel belongs.

use std::sync::Arc;

use guildhall_host::Refused;
use guildhall_model::channel::{Channel, DirectChannel, Overwrite, OverwriteTarget};
use guildhall_model::command::{ChannelMove, ChannelUpdate, GuildCommand, NewChannel};
use guildhall_model::event::Event;
use guildhall_model::rejection::Noun;
use guildhall_model::user::User;
use guildhall_model::{ChannelId, GuildId, Rejection};
use guildhall_ports::guilds::Home;

use crate::guilds::within;
use crate::{App, Context};

/// The use cases around channels.
#[derive(Clone, Copy, Debug)]
pub struct Channels<'a> {
    pub(crate) app: &'a App,
}

/// A channel of either kind, with what its readers are shown.
#[derive(Clone, Debug)]
pub enum AnyChannel {
    /// Of a guild.
    Guild(Arc<Channel>),
    /// Of two users, who come with it.
    Direct(DirectChannel, Vec<User>),
}

impl App {
    /// The use cases around channels.
    pub const fn channels(&self) -> Channels<'_> {
        Channels { app: self }
    }
}

impl Channels<'_> {
    /// The channels of a guild that the caller can see, by position.
    pub async fn list(&self, ctx: &Context, guild: GuildId) -> Result<Vec<Arc<Channel>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        Ok(view.read(|state| {
            let visible = state.visible_channels(ctx.user_id());
            visible.into_iter().map(Arc::clone).collect()
        }))
    }

    /// A channel that the caller can see.
    pub async fn get(&self, ctx: &Context, id: ChannelId) -> Result<AnyChannel, Refused> {
        let user = ctx.user_id();
        match self.app.node().home_of(id).await? {
            Some(Home::Guild(guild)) => {
                let view = self
                    .app
                    .guild_of_member(guild, user)
                    .await
                    .map_err(hide())?;
                let channel = view.read(|state| {
                    let channel = state.channel(id);
                    channel
                        .filter(|channel| state.can_view(user, channel))
                        .map(Arc::clone)
                });
                Ok(AnyChannel::Guild(channel.ok_or_else(unknown)?))
            }
            Some(Home::Direct(direct)) if direct.users.contains(&user) => {
                let mut users = self.app.accounts_store().users(&direct.users).await?;
                users.sort_unstable_by_key(|user| user.id);
                Ok(AnyChannel::Direct(direct, users))
            }
            _ => Err(unknown()),
        }
    }

    /// Makes a channel.
    pub async fn create(
        &self,
        ctx: &Context,
        guild: GuildId,
        new: NewChannel,
    ) -> Result<Channel, Refused> {
        let command = GuildCommand::CreateChannel(new);
        let done = self.app.command(ctx, guild, command).await?;
        let made = done.events.into_iter().find_map(|event| match event {
            Event::ChannelCreated(channel) => Some(channel),
            _ => None,
        });
        Ok(made.expect("making a channel makes one"))
    }

    /// Changes a channel of a guild.
    pub async fn update(
        &self,
        ctx: &Context,
        id: ChannelId,
        update: ChannelUpdate,
    ) -> Result<Arc<Channel>, Refused> {
        let guild = self.guild_of(ctx, id).await?;
        let command = GuildCommand::UpdateChannel(id, update);
        let done = self
            .app
            .command(ctx, guild, command)
            .await
            .map_err(hide())?;
        done.view
            .read(|state| state.channel(id).map(Arc::clone))
            .ok_or_else(unknown)
    }

    /// Puts channels of a guild at new places, all or none.
    pub async fn arrange(
        &self,
        ctx: &Context,
        guild: GuildId,
        places: Vec<ChannelMove>,
    ) -> Result<(), Refused> {
        let command = GuildCommand::MoveChannels(places);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }

    /// Gives a channel of a guild one overwrite and leaves the others.
    pub async fn set_overwrite(
        &self,
        ctx: &Context,
        id: ChannelId,
        overwrite: Overwrite,
    ) -> Result<(), Refused> {
        let guild = self.guild_of(ctx, id).await?;
        let command = GuildCommand::SetOverwrite(id, overwrite);
        let done = self.app.command(ctx, guild, command).await;
        done.map_err(hide())?;
        Ok(())
    }

    /// Takes from a channel of a guild the overwrite that binds one of these.
    pub async fn remove_overwrite(
        &self,
        ctx: &Context,
        id: ChannelId,
        targets: [OverwriteTarget; 2],
    ) -> Result<(), Refused> {
        let guild = self.guild_of(ctx, id).await?;
        let command = GuildCommand::RemoveOverwrite(id, targets);
        let done = self.app.command(ctx, guild, command).await;
        done.map_err(hide())?;
        Ok(())
    }

    /// Ends a channel of a guild.
    pub async fn delete(&self, ctx: &Context, id: ChannelId) -> Result<(), Refused> {
        let guild = self.guild_of(ctx, id).await?;
        let command = GuildCommand::DeleteChannel(id);
        self.app
            .command(ctx, guild, command)
            .await
            .map_err(hide())?;
        Ok(())
    }

    /// The guild of a channel that is to be changed.
    pub(crate) async fn guild_of(&self, ctx: &Context, id: ChannelId) -> Result<GuildId, Refused> {
        match self.app.node().home_of(id).await? {
            Some(Home::Guild(guild)) => Ok(guild),
            Some(Home::Direct(direct)) if direct.users.contains(&ctx.user_id()) => {
                Err(Rejection::Conflict("a direct-message channel stays as it is").into())
            }
            _ => Err(unknown()),
        }
    }
}

fn hide() -> impl FnOnce(Refused) -> Refused {
    within(Noun::Channel)
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Channel).into()
}
