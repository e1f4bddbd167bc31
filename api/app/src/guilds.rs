//! Guilds: listing, making, changing, ending, entering and leaving them.

use std::sync::Arc;

use guildhall_host::{GuildDone, GuildView, NewGuild, Refused};
use guildhall_model::command::{GuildCommand, GuildUpdate};
use guildhall_model::guild::Guild;
use guildhall_model::rejection::Noun;
use guildhall_model::{GuildId, Rejection, UserId, limits};

use crate::{App, Context};

/// The use cases around whole guilds.
#[derive(Clone, Copy, Debug)]
pub struct Guilds<'a> {
    app: &'a App,
}

/// A guild as lists show it.
#[derive(Clone, Debug)]
pub struct GuildSummary {
    /// The guild itself.
    pub guild: Arc<Guild>,
    /// How many members it has.
    pub member_count: u32,
}

impl GuildSummary {
    fn of(view: &GuildView) -> Self {
        view.read(|state| Self {
            guild: Arc::clone(state.guild()),
            member_count: state.member_count(),
        })
    }
}

impl App {
    /// The use cases around whole guilds.
    pub const fn guilds(&self) -> Guilds<'_> {
        Guilds { app: self }
    }
}

impl Guilds<'_> {
    /// The guilds that the caller is a member of, oldest first.
    pub async fn list(&self, ctx: &Context) -> Result<Vec<GuildSummary>, Refused> {
        let ids = self.app.node().guilds_of(ctx.user_id()).await?;
        let mut guilds = Vec::with_capacity(ids.len());
        for id in ids {
            // One that ended since is left out, and one that the caller left since, too.
            match self.app.guild_of_member(id, ctx.user_id()).await {
                Ok(view) => guilds.push(GuildSummary::of(&view)),
                Err(Refused::Rejection(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(guilds)
    }

    /// A guild that the caller is a member of, or a public one that it is not banned from.
    pub async fn get(&self, ctx: &Context, id: GuildId) -> Result<GuildSummary, Refused> {
        let view = self.app.node().guild(id).await?.ok_or_else(unknown_guild)?;
        let user = ctx.user_id();
        let may_look = view.read(|state| {
            let may_enter = state.guild().is_public && state.ban(user).is_none();
            state.member(user).is_some() || may_enter
        });
        if may_look {
            Ok(GuildSummary::of(&view))
        } else {
            Err(unknown_guild())
        }
    }

    /// Makes a guild that the caller owns. Bots own none.
    pub async fn create(&self, ctx: &Context, new: NewGuild) -> Result<GuildSummary, Refused> {
        ctx.require_person()?;
        self.require_room(ctx).await?;
        let owner = self.app.own_account(ctx).await?.user;
        let view = self.app.node().create_guild(owner, new).await?;
        Ok(GuildSummary::of(&view))
    }

    /// Changes a guild.
    pub async fn update(
        &self,
        ctx: &Context,
        id: GuildId,
        update: GuildUpdate,
    ) -> Result<GuildSummary, Refused> {
        let command = GuildCommand::UpdateGuild(update);
        let done = self.app.command(ctx, id, command).await?;
        Ok(GuildSummary::of(&done.view))
    }

    /// Ends a guild.
    pub async fn delete(&self, ctx: &Context, id: GuildId) -> Result<(), Refused> {
        self.app.command(ctx, id, GuildCommand::DeleteGuild).await?;
        Ok(())
    }

    /// Lets a person into a guild. A member who joins again changes nothing.
    pub async fn join(
        &self,
        ctx: &Context,
        id: GuildId,
        code: Option<String>,
    ) -> Result<GuildSummary, Refused> {
        ctx.require_person()?;
        self.require_room(ctx).await?;
        let user = Box::new(self.app.own_account(ctx).await?.user);
        let command = GuildCommand::Join { user, code };
        let done = self.app.command(ctx, id, command).await?;
        Ok(GuildSummary::of(&done.view))
    }

    /// Ends the caller's membership.
    pub async fn leave(&self, ctx: &Context, id: GuildId) -> Result<(), Refused> {
        self.app.command(ctx, id, GuildCommand::Leave).await?;
        Ok(())
    }

    /// Of requests that race, a few may pass the bound: it protects lists, not rights.
    async fn require_room(&self, ctx: &Context) -> Result<(), Refused> {
        let limit = limits::GUILDS_MAX;
        if self.app.node().guilds_of(ctx.user_id()).await?.len() < limit {
            return Ok(());
        }
        Err(Rejection::LimitReached {
            what: "servers",
            limit,
        }
        .into())
    }
}

impl App {
    /// Has a command of the caller decided and carried out.
    pub(crate) async fn command(
        &self,
        ctx: &Context,
        guild: GuildId,
        command: GuildCommand,
    ) -> Result<GuildDone, Refused> {
        self.node().command(guild, ctx.user_id(), command).await
    }

    /// The guild as its members see it; strangers must not learn that it exists.
    pub(crate) async fn guild_of_member(
        &self,
        id: GuildId,
        user: UserId,
    ) -> Result<GuildView, Refused> {
        let view = self.node().guild(id).await?.ok_or_else(unknown_guild)?;
        if view.read(|state| state.member(user).is_some()) {
            Ok(view)
        } else {
            Err(unknown_guild())
        }
    }
}

/// For routes that name an object within a guild: a stranger is told that the object is unknown,
/// not that its guild is.
pub(crate) fn within(noun: Noun) -> impl FnOnce(Refused) -> Refused {
    move |refused| match refused {
        Refused::Rejection(Rejection::Unknown(Noun::Guild)) => Rejection::Unknown(noun).into(),
        other => other,
    }
}

fn unknown_guild() -> Refused {
    Rejection::Unknown(Noun::Guild).into()
}
