//! Members of a guild: listing, naming, removing and keeping out.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use guildhall_host::{GuildDone, Refused};
use guildhall_model::command::{GuildCommand, MemberUpdate};
use guildhall_model::limits::BULK_DELETE;
use guildhall_model::member::{Ban, Member};
use guildhall_model::rejection::Noun;
use guildhall_model::snowflake::Generator;
use guildhall_model::text::DisplayName;
use guildhall_model::{ChannelId, GuildId, MessageId, Permissions, Rejection, UserId};

use crate::{App, Context};

/// Messages of a banned user that are looked for at a time.
const PAGE_PURGE: u16 = 1_000;

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

    /// At most `limit` members by user id whose name, here or everywhere, begins so in any case.
    pub async fn search(
        &self,
        ctx: &Context,
        guild: GuildId,
        beginning: &str,
        limit: u16,
    ) -> Result<Vec<Arc<Member>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        Ok(view.read(|state| {
            let fitting = state
                .members()
                .filter(|member| has_prefix(member, beginning));
            let page = lowest(fitting.map(|member| member.user.id), limit);
            page.into_iter()
                .filter_map(|id| state.member(id).map(Arc::clone))
                .collect()
        }))
    }

    /// Changes several things about a member at once, or none of them.
    pub async fn update(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
        update: MemberUpdate,
    ) -> Result<Arc<Member>, Refused> {
        let command = GuildCommand::UpdateMember(user, update);
        let done = self.app.command(ctx, guild, command).await?;
        member_after(&done, user)
    }

    /// Removes a member, who may come back.
    pub async fn kick(&self, ctx: &Context, guild: GuildId, user: UserId) -> Result<(), Refused> {
        let command = GuildCommand::Kick(user);
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

    /// One ban.
    pub async fn get_ban(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
    ) -> Result<Arc<Ban>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::BAN_MEMBERS)?;
        let ban = view.read(|state| state.ban(user).map(Arc::clone));
        ban.ok_or_else(|| Rejection::Unknown(Noun::Ban).into())
    }

    /// The last bans by user id below `before`, at most `limit`, rising.
    pub async fn bans_before(
        &self,
        ctx: &Context,
        guild: GuildId,
        before: UserId,
        limit: u16,
    ) -> Result<Vec<Arc<Ban>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::BAN_MEMBERS)?;
        Ok(view.read(|state| {
            let below: Vec<_> = state
                .bans()
                .filter(|ban| ban.user.id < before)
                .map(Arc::clone)
                .collect();
            let first = below.len().saturating_sub(usize::from(limit));
            below.into_iter().skip(first).collect()
        }))
    }

    /// Keeps many users out, each as far as the caller may; gives those who are and those who are
    /// not kept out now.
    pub async fn ban_many(
        &self,
        ctx: &Context,
        guild: GuildId,
        users: Vec<UserId>,
        purged_s: u32,
    ) -> Result<(Vec<UserId>, Vec<UserId>), Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(
            ctx,
            &view,
            Permissions::BAN_MEMBERS | Permissions::MANAGE_GUILD,
        )?;
        let (mut banned, mut failed) = (Vec::new(), Vec::new());
        for user in users {
            match self.ban(ctx, guild, user, purged_s).await {
                Ok(()) => banned.push(user),
                Err(Refused::Rejection(_)) => failed.push(user),
                Err(failure) => return Err(failure),
            }
        }
        Ok((banned, failed))
    }

    /// Removes a user, if it is a member, and keeps it out. What it has written in the last
    /// `purged_s` seconds goes with it.
    pub async fn ban(
        &self,
        ctx: &Context,
        guild: GuildId,
        user: UserId,
        purged_s: u32,
    ) -> Result<(), Refused> {
        // A stranger is told that the guild is unknown, whoever it wants banned.
        self.app.guild_of_member(guild, ctx.user_id()).await?;
        let banned = self.app.user(user).await?;
        let command = GuildCommand::Ban(Box::new(banned), ctx.reason.clone());
        self.app.command(ctx, guild, command).await?;
        if purged_s > 0 {
            self.purge(ctx, guild, user, purged_s).await?;
        }
        Ok(())
    }

    /// Deletes what a user has written in a guild in the last seconds. Nothing new comes: it is
    /// banned.
    async fn purge(
        &self,
        ctx: &Context,
        guild: GuildId,
        author: UserId,
        purged_s: u32,
    ) -> Result<(), Refused> {
        let node = self.app.node();
        let since = ctx.now.plus_ms(-i64::from(purged_s) * 1_000);
        let mut after: MessageId = Generator::new(0, 0).mint(since);
        loop {
            let page = node.written_by(guild, author, after, PAGE_PURGE).await?;
            let Some(&(_, last)) = page.last() else {
                return Ok(());
            };
            after = last;
            let mut by_channel: BTreeMap<ChannelId, Vec<MessageId>> = BTreeMap::new();
            for (channel, id) in page {
                by_channel.entry(channel).or_default().push(id);
            }
            let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
            by_channel.retain(|&channel, _| view.read(|state| state.channel(channel).is_some()));
            for (channel, ids) in by_channel {
                for ids in ids.chunks(BULK_DELETE.1) {
                    self.app.messages().purge(ctx, channel, ids).await?;
                }
            }
        }
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

/// A member's name in the guild, or its username, begins so in any case.
pub(crate) fn has_prefix(member: &Member, beginning: &str) -> bool {
    let beginning = beginning.to_lowercase();
    let names = [member.nick.as_deref(), Some(member.user.username.as_str())];
    beginning.is_empty()
        || names
            .into_iter()
            .flatten()
            .any(|name| name.to_lowercase().starts_with(&beginning))
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
