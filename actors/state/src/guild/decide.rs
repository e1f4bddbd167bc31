//! Decides commands on a guild: the rules of who may do what to whom.

mod channels;
mod emojis;
mod invites;
mod members;
mod roles;
mod settings;
mod webhooks;

use guildhall_model::channel::{Channel, ChannelKind};
use guildhall_model::command::{GuildCommand, MemberUpdate, RolesEdit};
use guildhall_model::event::{Event, Founding};
use guildhall_model::guild::Guild;
use guildhall_model::member::Member;
use guildhall_model::permission::Standing;
use guildhall_model::picture::Picture;
use guildhall_model::rejection::Noun;
use guildhall_model::role::{Rank, Role};
use guildhall_model::text::GuildName;
use guildhall_model::user::User;
use guildhall_model::{Permissions, Rejection, UserId};

use super::GuildState;
use crate::Mint;

/// The events of a new guild: itself with its `@everyone` role, the channel `general`, and the
/// owner as its first member.
pub fn first_events(
    owner: User,
    name: GuildName,
    details: (Option<String>, Option<Picture>, bool),
    mint: &mut Mint<'_>,
) -> Event {
    let (description, icon, is_public) = details;
    let guild_id = mint.id();
    let guild = Guild {
        id: guild_id,
        name: name.into(),
        owner_id: owner.id,
        description,
        icon,
        is_public,
    };
    let everyone = Role {
        id: guild_id.everyone_role(),
        guild_id,
        name: "@everyone".to_owned(),
        color: 0,
        hoist: false,
        mentionable: false,
        managed: false,
        permissions: Permissions::DEFAULT,
        position: 0,
    };
    let channel = Channel {
        id: mint.id(),
        guild_id,
        kind: ChannelKind::Text,
        name: "general".to_owned(),
        topic: None,
        position: 0,
        parent_id: None,
        overwrites: Vec::new(),
    };
    let owner = Member {
        user: owner,
        nick: None,
        roles: Vec::new(),
        joined_at: mint.now,
        timed_out_until: None,
        temporary: false,
    };
    Event::GuildCreated(Box::new(Founding {
        guild,
        everyone,
        channel,
        owner,
    }))
}

/// A member who acts, with all that its standing decides.
pub struct Acting<'a> {
    state: &'a GuildState,
    standing: Standing<'a>,
    /// Where it stands among the roles; `None` below all of them.
    rank: Option<Rank>,
}

impl GuildState {
    /// Decides a command by `actor`. The events are not folded in yet; none means that everything
    /// is already as asked.
    pub fn decide(
        &self,
        actor: UserId,
        command: GuildCommand,
        mint: &mut Mint<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        if self.is_deleted() {
            return Err(Rejection::Unknown(Noun::Guild));
        }
        let command = match self.decide_for_anybody(command, mint) {
            Ok(decided) => return decided,
            Err(command) => command,
        };
        let acting = self.acting(actor, mint)?;
        match command {
            GuildCommand::UpdateGuild(update) => settings::update(&acting, update),
            GuildCommand::DeleteGuild => settings::delete(&acting),
            GuildCommand::CreateChannel(new) => channels::create(&acting, new, mint),
            GuildCommand::UpdateChannel(id, update) => channels::update(&acting, id, update),
            GuildCommand::DeleteChannel(id) => channels::delete(&acting, id),
            GuildCommand::MoveChannels(places) => channels::arrange(&acting, places),
            GuildCommand::SetOverwrite(id, overwrite) => {
                channels::set_overwrite(&acting, id, overwrite)
            }
            GuildCommand::RemoveOverwrite(id, targets) => {
                channels::remove_overwrite(&acting, id, targets)
            }
            GuildCommand::CreateRole(new) => roles::create(&acting, new, mint),
            GuildCommand::UpdateRole(id, update) => roles::update(&acting, id, update),
            GuildCommand::DeleteRole(id) => roles::delete(&acting, id),
            GuildCommand::MoveRoles(places) => roles::arrange(&acting, &places),
            GuildCommand::SetMemberRoles(id, roles) => {
                let roles = Some(RolesEdit::Exactly(roles));
                let update = MemberUpdate {
                    roles,
                    ..MemberUpdate::default()
                };
                members::update(&acting, id, update, mint.now)
            }
            GuildCommand::SetNick(id, nick) => {
                let update = MemberUpdate {
                    nick: Some(nick),
                    ..MemberUpdate::default()
                };
                members::update(&acting, id, update, mint.now)
            }
            GuildCommand::UpdateMember(id, update) => {
                members::update(&acting, id, update, mint.now)
            }
            GuildCommand::AddBot(bot) => members::add_bot(&acting, *bot, mint),
            GuildCommand::Leave => members::leave(&acting),
            GuildCommand::Kick(id) => members::kick(&acting, id),
            GuildCommand::Ban(user, reason) => members::ban(&acting, *user, reason, mint),
            GuildCommand::Unban(id) => members::unban(&acting, id),
            GuildCommand::CreateInvite(new) => invites::create(&acting, new, mint),
            GuildCommand::DeleteInvite(code) => invites::delete(&acting, &code),
            GuildCommand::CreateWebhook(new) => webhooks::create(&acting, new),
            GuildCommand::UpdateWebhook(id, _, update) => webhooks::update(&acting, id, update),
            GuildCommand::DeleteWebhook(id, _) => webhooks::delete(&acting, id),
            GuildCommand::CreateEmoji(new) => emojis::create(&acting, new),
            GuildCommand::UpdateEmoji(id, update) => emojis::update(&acting, id, update),
            GuildCommand::DeleteEmoji(id) => emojis::delete(&acting, id),
            GuildCommand::Join { .. } | GuildCommand::RefreshMember(_) => {
                unreachable!("decided above, because strangers may ask it")
            }
        }
    }

    /// Decides what strangers may ask as well; gives any other command back.
    fn decide_for_anybody(
        &self,
        command: GuildCommand,
        mint: &mut Mint<'_>,
    ) -> Result<Result<Vec<Event>, Rejection>, GuildCommand> {
        Ok(match command {
            GuildCommand::Join { user, code } => members::join(self, *user, code, mint),
            GuildCommand::RefreshMember(user) => Ok(members::refresh(self, *user)),
            GuildCommand::UpdateWebhook(id, Some(token), update) => {
                webhooks::update_by_token(self, id, &token, update)
            }
            GuildCommand::DeleteWebhook(id, Some(token)) => {
                webhooks::delete_by_token(self, id, &token)
            }
            command => return Err(command),
        })
    }

    fn acting(&self, actor: UserId, mint: &Mint<'_>) -> Result<Acting<'_>, Rejection> {
        // A stranger must not learn that the guild exists.
        let unknown = Rejection::Unknown(Noun::Guild);
        let standing = self.standing(actor, mint.now).ok_or(unknown.clone())?;
        let member = self.member(actor).ok_or(unknown)?;
        Ok(Acting {
            state: self,
            standing,
            rank: self.rank(member),
        })
    }
}

impl Acting<'_> {
    fn is_owner(&self) -> bool {
        self.standing.is_owner
    }

    /// Holds all of these in the guild as a whole.
    fn require(&self, needed: Permissions) -> Result<(), Rejection> {
        missing(self.standing.in_guild(), needed)
    }

    /// Sees the channel and holds all of these in it.
    fn require_in(&self, channel: &Channel, needed: Permissions) -> Result<(), Rejection> {
        let held = self.standing.in_channel(&channel.overwrites);
        if !held.contains(Permissions::VIEW_CHANNEL) {
            return Err(Rejection::Unknown(Noun::Channel));
        }
        missing(held, needed)
    }

    /// Stands above a role, or above the best role of a member.
    fn require_above(&self, other: Option<Rank>) -> Result<(), Rejection> {
        if self.is_owner() || self.rank > other {
            Ok(())
        } else {
            Err(Rejection::Outranked)
        }
    }

    /// Stands above a member, who is neither the owner nor the actor itself.
    fn require_above_member(&self, member: &Member) -> Result<(), Rejection> {
        if member.user.id == self.state.guild.owner_id {
            return Err(Rejection::OwnerOnly);
        }
        self.require_above(self.state.rank(member))
    }

    /// Nobody hands out or takes away what they do not hold themselves.
    fn require_held(&self, changed: Permissions) -> Result<(), Rejection> {
        missing(self.standing.in_guild(), changed & Permissions::EVERYTHING)
    }
}

fn missing(held: Permissions, needed: Permissions) -> Result<(), Rejection> {
    let missing = needed - held;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Rejection::MissingPermission(missing))
    }
}
