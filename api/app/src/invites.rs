//! Invites: listing, making, showing and revoking them.

use std::sync::Arc;

use guildhall_host::Refused;
use guildhall_model::channel::Channel;
use guildhall_model::command::{GuildCommand, InvitePreview, NewInvite};
use guildhall_model::event::Event;
use guildhall_model::guild::Guild;
use guildhall_model::invite::Invite;
use guildhall_model::rejection::Noun;
use guildhall_model::user::User;
use guildhall_model::{ChannelId, GuildId, Permissions, Rejection, Timestamp, UserId};

use crate::guilds::within;
use crate::{App, Context};

/// Characters of a code: 58 random bits, so that nobody finds one by trying.
const CODE_CHARS: usize = 10;
/// Letters and digits without those that look alike in print.
const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The use cases around invites.
#[derive(Clone, Copy, Debug)]
pub struct Invites<'a> {
    app: &'a App,
}

/// An invite with what it opens.
#[derive(Clone, Debug)]
pub struct ShownInvite {
    /// The invite.
    pub invite: Arc<Invite>,
    /// The guild that it opens.
    pub guild: Arc<Guild>,
    /// The channel that it leads to.
    pub channel: Arc<Channel>,
    /// Who made it, where that user still exists.
    pub inviter: Option<User>,
    /// How many members the guild has, and how many of them appear to be there, where asked for.
    pub counts: Option<(u32, u32)>,
}

impl App {
    /// The use cases around invites.
    pub const fn invites(&self) -> Invites<'_> {
        Invites { app: self }
    }
}

impl Invites<'_> {
    /// The invites of a guild that still open it, newest first.
    pub async fn list(&self, ctx: &Context, guild: GuildId) -> Result<Vec<Arc<Invite>>, Refused> {
        let view = self.app.guild_of_member(guild, ctx.user_id()).await?;
        App::require(ctx, &view, Permissions::MANAGE_GUILD)?;
        let open = view.read(|state| {
            state
                .invites()
                .filter(|invite| invite.is_open(ctx.now))
                .map(Arc::clone)
                .collect()
        });
        Ok(newest_first(open))
    }

    /// Makes an invite. The code of `new` is drawn here.
    pub async fn create(
        &self,
        ctx: &Context,
        guild: GuildId,
        new: NewInvite,
    ) -> Result<Invite, Refused> {
        let code = self.fresh_code();
        let command = GuildCommand::CreateInvite(NewInvite { code, ..new });
        let done = self.app.command(ctx, guild, command).await?;
        let made = done.events.into_iter().find_map(|event| match event {
            Event::InviteCreated(invite) => Some(invite),
            _ => None,
        });
        Ok(made.expect("making an invite makes one"))
    }

    /// What an open invite's code shows to whoever has it.
    pub async fn preview(&self, code: &str, now: Timestamp) -> Result<InvitePreview, Refused> {
        let guild = self.guild_of(code).await?;
        let view = self.app.node().guild(guild).await?.ok_or_else(unknown)?;
        let preview = view.read(|state| {
            let invite = state.invite(code).filter(|invite| invite.is_open(now))?;
            Some(InvitePreview {
                invite: Invite::clone(invite),
                guild_name: state.guild().name.clone(),
                member_count: state.member_count(),
            })
        });
        preview.ok_or_else(unknown)
    }

    /// Revokes an invite.
    pub async fn delete(&self, ctx: &Context, code: String) -> Result<(), Refused> {
        let guild = self.guild_of(&code).await?;
        let command = GuildCommand::DeleteInvite(code);
        let done = self.app.command(ctx, guild, command).await;
        done.map_err(within(Noun::Invite))?;
        Ok(())
    }

    /// The open invites of a guild, newest first, with what each opens.
    pub async fn list_shown(
        &self,
        ctx: &Context,
        guild: GuildId,
    ) -> Result<Vec<ShownInvite>, Refused> {
        let invites = self.list(ctx, guild).await?;
        self.shown(guild, invites, false).await
    }

    /// The open invites to a channel, newest first.
    pub async fn list_of_channel(
        &self,
        ctx: &Context,
        channel: ChannelId,
    ) -> Result<Vec<ShownInvite>, Refused> {
        let guild = self.app.channels().guild_of(ctx, channel).await?;
        let view = self.app.guild_of_member(guild, ctx.user_id()).await;
        let view = view.map_err(within(Noun::Channel))?;
        let invites = view.read(|state| {
            let needed = Permissions::MANAGE_CHANNELS;
            let held = state.channel_permissions(ctx.user_id(), channel, ctx.now);
            if !held.contains(Permissions::VIEW_CHANNEL) {
                return Err(Rejection::Unknown(Noun::Channel));
            }
            if !held.contains(needed) {
                return Err(Rejection::MissingPermission(needed));
            }
            let open = state.invites().filter(|invite| invite.is_open(ctx.now));
            let to_here = open.filter(|invite| invite.channel_id == channel);
            Ok(to_here.map(Arc::clone).collect())
        })?;
        self.shown(guild, newest_first(invites), false).await
    }

    /// Makes an invite to a channel. The code of `new` is drawn here.
    pub async fn create_shown(
        &self,
        ctx: &Context,
        channel: ChannelId,
        new: NewInvite,
    ) -> Result<ShownInvite, Refused> {
        let guild = self.app.channels().guild_of(ctx, channel).await?;
        let new = NewInvite {
            channel_id: Some(channel),
            ..new
        };
        let made = self.create(ctx, guild, new).await;
        let made = made.map_err(within(Noun::Channel))?;
        self.only_shown(guild, Arc::new(made), false).await
    }

    /// What an open invite's code shows to whoever has it.
    pub async fn get_shown(
        &self,
        code: &str,
        now: Timestamp,
        with_counts: bool,
    ) -> Result<ShownInvite, Refused> {
        let guild = self.guild_of(code).await?;
        let view = self.app.node().guild(guild).await?.ok_or_else(unknown)?;
        let invite = view.read(|state| {
            let invite = state.invite(code).filter(|invite| invite.is_open(now));
            invite.map(Arc::clone)
        });
        self.only_shown(guild, invite.ok_or_else(unknown)?, with_counts)
            .await
    }

    /// Revokes an invite and gives it as it was.
    pub async fn delete_shown(&self, ctx: &Context, code: String) -> Result<ShownInvite, Refused> {
        let guild = self.guild_of(&code).await?;
        let view = self.app.node().guild(guild).await?.ok_or_else(unknown)?;
        let invite = view.read(|state| state.invite(&code).map(Arc::clone));
        let invite = invite.ok_or_else(unknown)?;
        let shown = self.only_shown(guild, invite, false).await;
        self.delete(ctx, code).await?;
        shown
    }

    async fn only_shown(
        &self,
        guild: GuildId,
        invite: Arc<Invite>,
        with_counts: bool,
    ) -> Result<ShownInvite, Refused> {
        let shown = self.shown(guild, vec![invite], with_counts).await?;
        shown.into_iter().next().ok_or_else(unknown)
    }

    /// Invites with what they open. Those to channels that have ended show nothing and are left
    /// out.
    async fn shown(
        &self,
        guild: GuildId,
        invites: Vec<Arc<Invite>>,
        with_counts: bool,
    ) -> Result<Vec<ShownInvite>, Refused> {
        let view = self.app.node().guild(guild).await?.ok_or_else(unknown)?;
        let mut makers: Vec<UserId> = invites.iter().map(|invite| invite.inviter_id).collect();
        makers.sort_unstable();
        makers.dedup();
        let makers = self.app.accounts_store().users(&makers).await?;
        let online = with_counts.then(|| self.app.online(&view));
        Ok(view.read(|state| {
            let show = |invite: Arc<Invite>| {
                let inviter = makers.iter().find(|user| user.id == invite.inviter_id);
                Some(ShownInvite {
                    guild: Arc::clone(state.guild()),
                    channel: Arc::clone(state.channel(invite.channel_id)?),
                    inviter: inviter.cloned(),
                    counts: online.map(|online| (state.member_count(), online)),
                    invite,
                })
            };
            invites.into_iter().filter_map(show).collect()
        }))
    }

    async fn guild_of(&self, code: &str) -> Result<GuildId, Refused> {
        self.app
            .guilds_store()
            .guild_of_invite(code)
            .await?
            .ok_or_else(unknown)
    }

    fn fresh_code(self) -> String {
        let mut code = String::with_capacity(CODE_CHARS);
        while code.len() < CODE_CHARS {
            let drawn: [u8; 16] = self.app.node().env().bytes();
            // A byte beyond the last whole multiple of the alphabet would favor its beginning.
            let fair = drawn.into_iter().filter(|&byte| usize::from(byte) < FAIR);
            code.extend(fair.map(letter).take(CODE_CHARS - code.len()));
        }
        code
    }
}

const FAIR: usize = 256 / ALPHABET.len() * ALPHABET.len();

fn letter(byte: u8) -> char {
    char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])
}

fn newest_first(mut invites: Vec<Arc<Invite>>) -> Vec<Arc<Invite>> {
    invites.sort_by(|a, b| (b.created_at, &b.code).cmp(&(a.created_at, &a.code)));
    invites
}

fn unknown() -> Refused {
    Rejection::Unknown(Noun::Invite).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_letter_of_a_code_is_as_likely() {
        let mut counts = BTreeMap::new();
        for byte in (0..=u8::MAX).filter(|&byte| usize::from(byte) < FAIR) {
            *counts.entry(letter(byte)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|&count| count == 4), "{counts:?}");
    }
}
