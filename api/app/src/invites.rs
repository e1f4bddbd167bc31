//! Invites: listing, making, showing and revoking them.

use std::sync::Arc;

use guildhall_host::Refused;
use guildhall_model::command::{GuildCommand, InvitePreview, NewInvite};
use guildhall_model::event::Event;
use guildhall_model::invite::Invite;
use guildhall_model::rejection::Noun;
use guildhall_model::{GuildId, Permissions, Rejection, Timestamp};

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
        let mut open: Vec<Arc<Invite>> = view.read(|state| {
            state
                .invites()
                .filter(|invite| invite.is_open(ctx.now))
                .map(Arc::clone)
                .collect()
        });
        open.sort_by(|a, b| (b.created_at, &b.code).cmp(&(a.created_at, &a.code)));
        Ok(open)
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
