//! Guilds: listing, making, changing, ending, entering and leaving them.

use std::sync::Arc;

use guildhall_host::{GuildDone, GuildView, NewGuild, Refused};
use guildhall_model::command::{GuildCommand, GuildUpdate};
use guildhall_model::emoji::GuildEmoji;
use guildhall_model::guild::Guild;
use guildhall_model::picture::Image;
use guildhall_model::rejection::Noun;
use guildhall_model::role::Role;
use guildhall_model::user::Appearance;
use guildhall_model::{GuildId, Permissions, Rejection, UserId, limits};

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

/// A guild with what Discord's clients are shown of it at once.
#[derive(Clone, Debug)]
pub struct WholeGuild {
    /// The guild itself.
    pub guild: Arc<Guild>,
    /// All its roles, lowest first.
    pub roles: Vec<Arc<Role>>,
    /// All its emojis, by id.
    pub emojis: Vec<Arc<GuildEmoji>>,
    /// How many members it has.
    pub member_count: u32,
    /// How many of them appear to be there, where that was asked for.
    pub presence_count: Option<u32>,
}

/// A guild as a list of the caller's own shows it.
#[derive(Clone, Debug)]
pub struct OwnGuild {
    /// The guild itself.
    pub guild: Arc<Guild>,
    /// What the caller may do in it.
    pub permissions: Permissions,
    /// How many members it has, and how many of them appear to be there, where asked for.
    pub counts: Option<(u32, u32)>,
}

/// Which of the caller's own guilds are listed.
#[derive(Clone, Copy, Debug)]
pub struct OwnGuildsPage {
    /// The last ones below this id.
    pub before: Option<GuildId>,
    /// The first ones above this id.
    pub after: Option<GuildId>,
    /// At most this many.
    pub limit: u16,
    /// With how many members there are.
    pub with_counts: bool,
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

    /// A guild that the caller is a member of, with its roles.
    pub async fn whole(
        &self,
        ctx: &Context,
        id: GuildId,
        with_counts: bool,
    ) -> Result<WholeGuild, Refused> {
        let view = self.app.guild_of_member(id, ctx.user_id()).await?;
        Ok(self.app.whole(&view, with_counts))
    }

    /// A guild that the caller may look at, with how many members appear to be there.
    pub async fn preview(&self, ctx: &Context, id: GuildId) -> Result<WholeGuild, Refused> {
        self.get(ctx, id).await?;
        let view = self.app.node().guild(id).await?.ok_or_else(unknown_guild)?;
        Ok(self.app.whole(&view, true))
    }

    /// The caller's own guilds by id.
    pub async fn own(&self, ctx: &Context, page: OwnGuildsPage) -> Result<Vec<OwnGuild>, Refused> {
        let ids = self.app.node().guilds_of(ctx.user_id()).await?;
        let mut guilds = Vec::new();
        for id in chosen(&ids, page) {
            let view = match self.app.guild_of_member(id, ctx.user_id()).await {
                Ok(view) => view,
                // It ended since, or the caller left it.
                Err(Refused::Rejection(_)) => continue,
                Err(failure) => return Err(failure),
            };
            let counts = page.with_counts.then(|| self.app.online(&view));
            guilds.push(view.read(|state| OwnGuild {
                guild: Arc::clone(state.guild()),
                permissions: state.permissions(ctx.user_id(), ctx.now),
                counts: counts.map(|online| (state.member_count(), online)),
            }));
        }
        Ok(guilds)
    }

    /// In how many shards a bot with the caller's guilds should connect.
    pub async fn shards(&self, ctx: &Context) -> Result<u32, Refused> {
        let guilds = self.app.node().guilds_of(ctx.user_id()).await?.len();
        let shards = guilds.div_ceil(limits::SHARD_GUILDS_ADVISED).max(1);
        Ok(u32::try_from(shards).unwrap_or(u32::MAX))
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

    /// Changes a guild, with this picture where there is one, and gives it with its roles.
    pub async fn update_whole(
        &self,
        ctx: &Context,
        id: GuildId,
        mut update: GuildUpdate,
        icon: Option<Image>,
    ) -> Result<WholeGuild, Refused> {
        if let Some(image) = icon {
            // Whoever may not change the guild must not fill its disk either.
            let view = self.app.guild_of_member(id, ctx.user_id()).await?;
            App::require(ctx, &view, Permissions::MANAGE_GUILD)?;
            let owner = id.get();
            update.icon = Some(Some(self.app.pictures().store(owner, image).await?));
        }
        let command = GuildCommand::UpdateGuild(update);
        let done = self.app.command(ctx, id, command).await?;
        Ok(self.app.whole(&done.view, false))
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
        self.node().command(guild, ctx.by(), command).await
    }

    /// How many members of a guild appear to be there.
    pub(crate) fn online(&self, view: &GuildView) -> u32 {
        let members: Vec<UserId> =
            view.read(|state| state.members().map(|member| member.user.id).collect());
        let online = members
            .into_iter()
            .filter(|&member| self.appearance(member) != Appearance::Offline);
        u32::try_from(online.count()).unwrap_or(u32::MAX)
    }

    fn whole(&self, view: &GuildView, with_counts: bool) -> WholeGuild {
        let presence_count = with_counts.then(|| self.online(view));
        view.read(|state| {
            let mut roles: Vec<_> = state.roles().map(Arc::clone).collect();
            roles.sort_unstable_by_key(|role: &Arc<Role>| role.rank());
            WholeGuild {
                guild: Arc::clone(state.guild()),
                roles,
                emojis: state.emojis().map(Arc::clone).collect(),
                member_count: state.member_count(),
                presence_count,
            }
        })
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

/// The ids of a page, rising. Below `before` the last ones count, otherwise the first.
fn chosen(ids: &[GuildId], page: OwnGuildsPage) -> Vec<GuildId> {
    let fitting: Vec<GuildId> = ids
        .iter()
        .copied()
        .filter(|&id| page.after.is_none_or(|after| after < id))
        .filter(|&id| page.before.is_none_or(|before| id < before))
        .collect();
    let limit = usize::from(page.limit);
    let first = match (page.before, page.after) {
        (Some(_), None) => fitting.len().saturating_sub(limit),
        _ => 0,
    };
    fitting.into_iter().skip(first).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_own_guilds_ends_below_one_or_begins_above_one() {
        let id = |n| GuildId::new(n).unwrap();
        let ids: Vec<GuildId> = (1..=5).map(id).collect();
        let page = |before: Option<u64>, after: Option<u64>| {
            let page = OwnGuildsPage {
                before: before.map(id),
                after: after.map(id),
                limit: 2,
                with_counts: false,
            };
            chosen(&ids, page)
        };
        assert_eq!(page(None, None), [id(1), id(2)]);
        assert_eq!(page(Some(5), None), [id(3), id(4)]);
        assert_eq!(page(None, Some(2)), [id(3), id(4)]);
        assert_eq!(page(Some(5), Some(1)), [id(2), id(3)]);
        assert_eq!(page(Some(1), None), []);
    }
}
