//! Roles: listing, making, changing, ending and assigning them.

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_host::Refused;
use guildhall_model::command::{GuildCommand, RoleUpdate};
use guildhall_model::event::Event;
use guildhall_model::member::Member;
use guildhall_model::rejection::Noun;
use guildhall_model::role::Role;
use guildhall_model::{GuildId, Rejection, RoleId, UserId};

use crate::guilds::within;
use crate::members::member_after;
use crate::{App, Context};

/// The use cases around roles.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around roles.
    pub const fn roles(&self) -> Roles<'_> {
        Roles { app: self }
    }
}

impl Roles<'_> {
    /// All roles of a guild, lowest first: `@everyone` leads.
    pub async fn list(&self, ctx: &Context, guild: GuildId) -> Result<Vec<Arc<Role>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        let mut roles: Vec<_> = view.read(|state| state.roles().map(Arc::clone).collect());
        roles.sort_unstable_by_key(|role: &Arc<Role>| role.rank());
        Ok(roles)
    }

    /// Makes a role.
    pub async fn create(
        &self,
        ctx: &Context,
        guild: GuildId,
        new: RoleUpdate,
    ) -> Result<Role, Refused> {
        let command = GuildCommand::CreateRole(new);
        let done = self.app.command(ctx, guild, command).await?;
        let made = done.events.into_iter().find_map(|event| match event {
            Event::RoleCreated(role) => Some(role),
            _ => None,
        });
        Ok(made.expect("making a role makes one"))
    }

    /// One role of a guild.
    pub async fn get(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: RoleId,
    ) -> Result<Arc<Role>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        view.read(|state| state.role(id).map(Arc::clone))
            .ok_or_else(unknown)
    }

    /// How many members have each role of a guild, `@everyone` left out.
    pub async fn member_counts(
        &self,
        ctx: &Context,
        guild: GuildId,
    ) -> Result<BTreeMap<RoleId, u32>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        Ok(view.read(|state| {
            let others = state.roles().filter(|role| !role.is_everyone());
            let mut counts: BTreeMap<RoleId, u32> = others.map(|role| (role.id, 0)).collect();
            for role in state.members().flat_map(|member| &member.roles) {
                if let Some(count) = counts.get_mut(role) {
                    *count += 1;
                }
            }
            counts
        }))
    }

    /// Changes a role, wherever it is.
    pub async fn update(
        &self,
        ctx: &Context,
        id: RoleId,
        update: RoleUpdate,
    ) -> Result<Arc<Role>, Refused> {
        let guild = self.guild_of(id).await?;
        let changed = self.update_in(ctx, guild, id, update).await;
        changed.map_err(within(Noun::Role))
    }

    /// Changes a role of a guild.
    pub async fn update_in(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: RoleId,
        update: RoleUpdate,
    ) -> Result<Arc<Role>, Refused> {
        let command = GuildCommand::UpdateRole(id, update);
        let done = self.app.command(ctx, guild, command).await?;
        done.view
            .read(|state| state.role(id).map(Arc::clone))
            .ok_or_else(unknown)
    }

    /// Puts roles of a guild at new places, all or none, and gives all roles, lowest first.
    pub async fn arrange(
        &self,
        ctx: &Context,
        guild: GuildId,
        places: Vec<(RoleId, u16)>,
    ) -> Result<Vec<Arc<Role>>, Refused> {
        let command = GuildCommand::MoveRoles(places);
        self.app.command(ctx, guild, command).await?;
        self.list(ctx, guild).await
    }

    /// Ends a role, wherever it is; members and channels lose it at the same moment.
    pub async fn delete(&self, ctx: &Context, id: RoleId) -> Result<(), Refused> {
        let guild = self.guild_of(id).await?;
        let done = self.delete_in(ctx, guild, id).await;
        done.map_err(within(Noun::Role))
    }

    /// Ends a role of a guild.
    pub async fn delete_in(
        &self,
        ctx: &Context,
        guild: GuildId,
        id: RoleId,
    ) -> Result<(), Refused> {
        let command = GuildCommand::DeleteRole(id);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }

    /// Gives a member exactly these roles.
    pub async fn assign(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
        roles: Vec<RoleId>,
    ) -> Result<Arc<Member>, Refused> {
        let command = GuildCommand::SetMemberRoles(user, roles);
        let done = self.app.command(ctx, guild, command).await?;
        member_after(&done, user)
    }

    async fn guild_of(&self, id: RoleId) -> Result<GuildId, Refused> {
        self.app
            .guilds_store()
            .guild_of_role(id)
            .await?
            .ok_or_else(unknown)
    }
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Role).into()
}
