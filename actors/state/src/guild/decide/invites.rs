//! Making and revoking invites.

use guildhall_model::channel::{Channel, ChannelKind};
use guildhall_model::command::NewInvite;
use guildhall_model::event::Event;
use guildhall_model::invite::Invite;
use guildhall_model::rejection::Noun;
use guildhall_model::{Permissions, Rejection, limits};

use super::Acting;
use crate::Mint;

pub(super) fn create(
    acting: &Acting<'_>,
    new: NewInvite,
    mint: &Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    let channel = channel_of(acting, &new)?;
    acting.require_in(channel, Permissions::CREATE_INSTANT_INVITE)?;
    let open = acting
        .state
        .invites()
        .filter(|invite| invite.is_open(mint.now))
        .count();
    if open >= limits::INVITES_MAX {
        return Err(Rejection::LimitReached {
            what: "invites",
            limit: limits::INVITES_MAX,
        });
    }
    if acting.state.invite(&new.code).is_some() {
        return Err(Rejection::Taken("code"));
    }
    Ok(vec![Event::InviteCreated(Invite {
        code: new.code,
        guild_id: acting.state.guild.id,
        channel_id: channel.id,
        inviter_id: acting.standing.user_id,
        uses: 0,
        max_uses: new.max_uses,
        max_age_s: new.max_age_s,
        temporary: new.temporary,
        created_at: mint.now,
    })])
}

fn channel_of<'a>(acting: &'a Acting<'_>, new: &NewInvite) -> Result<&'a Channel, Rejection> {
    let unknown = Rejection::Unknown(Noun::Channel);
    if let Some(id) = new.channel_id {
        return acting
            .state
            .channel(id)
            .map(|channel| &**channel)
            .filter(|channel| channel.kind != ChannelKind::Category)
            .ok_or(unknown);
    }
    let visible = acting.state.visible_channels(acting.standing.user_id);
    let mut inner = visible.into_iter().map(|channel| &**channel);
    inner
        .find(|channel| channel.kind != ChannelKind::Category)
        .ok_or(unknown)
}

pub(super) fn delete(acting: &Acting<'_>, code: &str) -> Result<Vec<Event>, Rejection> {
    let invite = acting
        .state
        .invite(code)
        .ok_or(Rejection::Unknown(Noun::Invite))?;
    if invite.inviter_id != acting.standing.user_id {
        let in_guild = acting.require(Permissions::MANAGE_GUILD);
        in_guild.or_else(|refused| match acting.state.channel(invite.channel_id) {
            Some(channel) => acting.require_in(channel, Permissions::MANAGE_CHANNELS),
            None => Err(refused),
        })?;
    }
    Ok(vec![Event::InviteDeleted(Invite::clone(invite))])
}
