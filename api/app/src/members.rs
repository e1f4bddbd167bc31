//! Members of a guild: listing, naming, removing and keeping out.

use std::collections::BinaryHeap;
use std::sync::Arc;

use guildhall_host::{GuildDone, Refused};
use guildhall_model::command::GuildCommand;
use guildhall_model::member::{Ban, Member};
use guildhall_model::rejection::Noun;
use guildhall_model::text::{DisplayName, Reason};
use guildhall_model::{GuildId, Permissions, Rejection, UserId};

use crate::{App, Context};

/// The use cases around members.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around members.
    pub const fn members(&self) -> Members<'_> {
        Members { app: self }
    }
}

impl Members<'_> {
    /// At most `limit` members by user id, above `after`.
    pub async fn list(
        &self,
        ctx: &Context,
        guild: GuildId,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<Arc<Member>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        let page = view.read(|state| {
            let ids = state.members().map(|member| member.user.id);
            let page = lowest(
                ids.filter(|&id| after.is_none_or(|after| after < id)),
                limit,
            );
            page.into_iter()
                .filter_map(|id| state.member(id).map(Arc::clone))
                .collect()
        });
        Ok(page)
    }

    /// One member.
    pub async fn get(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
    ) -> Result<Arc<Member>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        view.read(|state| state.member(user).map(Arc::clone))
            .ok_or_else(unknown)
    }

    /// Removes a member, who may come back.
    pub async fn kick(&self, ctx: &Context, guild: GuildId, user: UserId) -> Result<(), Refused> {
        let command = GuildCommand::Kick(user, None);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }

    /// Sets or removes the nickname of a member or of the caller itself.
    pub async fn set_nick(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
        nick: Option<DisplayName>,
    ) -> Result<Arc<Member>, Refused> {
        let command = GuildCommand::SetNick(user, nick);
        let done = self.app.command(ctx, guild, command).await?;
        member_after(&done, user)
    }

    /// The users that are kept out, by user id, above `after`, at most `limit`.
    pub async fn bans(
        &self,
        ctx: &Context,
        guild: GuildId,
        after: Option<UserId>,
        limit: u16,
    ) -> Result<Vec<Arc<Ban>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::BAN_MEMBERS)?;
        let page = view.read(|state| {
            let above = state
                .bans()
                .filter(|ban| after.is_none_or(|after| after < ban.user.id));
            above.take(usize::from(limit)).map(Arc::clone).collect()
        });
        Ok(page)
    }

    /// Removes a user, if it is a member, and keeps it out.
    pub async fn ban(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
        reason: Option<Reason>,
    ) -> Result<(), Refused> {
        // A stranger is told that the guild is unknown, whoever it wants banned.
        self.app.guild_of_member(guild, ctx.user_id()).await?;
        let user = self.app.user(user).await?;
        let command = GuildCommand::Ban(Box::new(user), reason);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }

    /// Lets a user come back.
    pub async fn unban(&self, ctx: &Context, guild: GuildId, user: UserId) -> Result<(), Refused> {
        let command = GuildCommand::Unban(user);
        self.app.command(ctx, guild, command).await?;
        Ok(())
    }
}

/// The member as a command on it has left it.
pub(crate) fn member_after(done: &GuildDone, user: UserId) -> Result<Arc<Member>, Refused> {
    done.view
        .read(|state| state.member(user).map(Arc::clone))
        .ok_or_else(unknown)
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Member).into()
}

/// The `limit` lowest ids, rising. A page costs one look at each member and memory for itself
/// only, whatever the guild's size.
fn lowest(ids: impl Iterator<Item = UserId>, limit: u16) -> Vec<UserId> {
    let limit = usize::from(limit);
    let mut page = BinaryHeap::with_capacity(limit + 1);
    for id in ids {
        page.push(id);
        if page.len() > limit {
            page.pop();
        }
    }
    page.into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_page_is_the_beginning_of_the_sorted_list(
            numbers in prop::collection::btree_set(1_u64..1_000, 0..50),
            limit in 0_u16..60,
        ) {
            let sorted: Vec<UserId> = numbers.iter().filter_map(|&n| UserId::new(n)).collect();
            let mut shuffled = sorted.clone();
            shuffled.reverse();
            let expected: Vec<UserId> = sorted.into_iter().take(usize::from(limit)).collect();
            prop_assert_eq!(lowest(shuffled.into_iter(), limit), expected);
        }
    }
}
