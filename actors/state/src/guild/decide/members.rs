//! Joining, leaving, names and time-outs within a guild, kicks and bans.

use guildhall_model::command::MemberUpdate;
use guildhall_model::event::{Change, Departure, Event};
use guildhall_model::invite::Invite;
use guildhall_model::member::{Ban, Member};
use guildhall_model::rejection::Noun;
use guildhall_model::text::Reason;
use guildhall_model::user::User;
use guildhall_model::{Permissions, Rejection, Timestamp, UserId, limits};

use super::{Acting, roles};
use crate::Mint;
use crate::guild::GuildState;

pub(super) fn join(
    state: &GuildState,
    user: User,
    code: Option<String>,
    mint: &Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    let invite = match code {
        Some(code) => {
            let invite = state
                .invite(&code)
                .filter(|invite| invite.is_open(mint.now));
            Some(Invite::clone(
                invite.ok_or(Rejection::Unknown(Noun::Invite))?,
            ))
        }
        None if state.guild.is_public || state.member(user.id).is_some() => None,
        None => return Err(Rejection::Unknown(Noun::Guild)),
    };
    if state.ban(user.id).is_some() {
        return Err(Rejection::Banned);
    }
    if state.member(user.id).is_some() {
        return Ok(Vec::new());
    }
    let temporary = invite.as_ref().is_some_and(|invite| invite.temporary);
    let member = Box::new(new_member(user, temporary, mint));
    Ok(vec![Event::MemberJoined { member, invite }])
}

pub(super) fn add_bot(
    acting: &Acting<'_>,
    bot: User,
    mint: &Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::MANAGE_GUILD)?;
    if acting.state.ban(bot.id).is_some() {
        return Err(Rejection::Banned);
    }
    if acting.state.member(bot.id).is_some() {
        return Ok(Vec::new());
    }
    let member = Box::new(new_member(bot, false, mint));
    Ok(vec![Event::MemberJoined {
        member,
        invite: None,
    }])
}

fn new_member(user: User, temporary: bool, mint: &Mint<'_>) -> Member {
    Member {
        user,
        nick: None,
        roles: Vec::new(),
        joined_at: mint.now,
        timed_out_until: None,
        temporary,
    }
}

/// A changed profile reaches the guilds of its user. Anybody's profile is public, so nothing is
/// required.
pub(super) fn refresh(state: &GuildState, user: User) -> Vec<Event> {
    let Some(before) = state.member(user.id).filter(|member| member.user != user) else {
        return Vec::new();
    };
    let before = Member::clone(before);
    let after = Member {
        user,
        ..before.clone()
    };
    vec![Event::MemberUpdated(Box::new(Change { before, after }))]
}

/// Changes a member in one event. Each part asks for its own permission.
pub(super) fn update(
    acting: &Acting<'_>,
    user: UserId,
    update: MemberUpdate,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let before = acting
        .state
        .member(user)
        .ok_or(Rejection::Unknown(Noun::Member))?;
    let mut after = Member::clone(before);
    if let Some(nick) = update.nick {
        require_naming(acting, before)?;
        after.nick = nick.map(Into::into);
    }
    if let Some(edit) = update.roles {
        after.roles = roles::edited(acting, before, edit)?;
    }
    if let Some(until) = update.timed_out_until {
        after.timed_out_until = timed_out(acting, before, until, now)?;
    }
    if **before == after {
        return Ok(Vec::new());
    }
    let before = Member::clone(before);
    Ok(vec![Event::MemberUpdated(Box::new(Change {
        before,
        after,
    }))])
}

fn require_naming(acting: &Acting<'_>, member: &Member) -> Result<(), Rejection> {
    if member.user.id == acting.standing.user_id {
        return acting.require(Permissions::CHANGE_NICKNAME);
    }
    acting.require(Permissions::MANAGE_NICKNAMES)?;
    acting.require_above_member(member)
}

/// When a time-out is to end; one that would be over already is none. Who holds ADMINISTRATOR is
/// beyond time-outs, so none is given.
fn timed_out(
    acting: &Acting<'_>,
    member: &Member,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Rejection> {
    acting.require(Permissions::MODERATE_MEMBERS)?;
    acting.require_above_member(member)?;
    let Some(until) = until.filter(|&until| now < until) else {
        return Ok(None);
    };
    if now.plus_ms(limits::TIMEOUT_MS_MAX) < until {
        let why = "must be within 28 days from now";
        return Err(Rejection::field(
            "communication_disabled_until",
            "too_late",
            why,
        ));
    }
    let held = acting.state.permissions(member.user.id, now);
    if held.contains(Permissions::ADMINISTRATOR) {
        return Err(Rejection::Outranked);
    }
    Ok(Some(until))
}

pub(super) fn leave(acting: &Acting<'_>) -> Result<Vec<Event>, Rejection> {
    if acting.is_owner() {
        return Err(Rejection::Conflict(
            "the owner hands the server over or deletes it",
        ));
    }
    removed(acting, acting.standing.user_id, Departure::Left)
}

pub(super) fn kick(acting: &Acting<'_>, user: UserId) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::KICK_MEMBERS)?;
    let member = acting
        .state
        .member(user)
        .ok_or(Rejection::Unknown(Noun::Member))?;
    acting.require_above_member(member)?;
    removed(acting, user, Departure::Kicked)
}

pub(super) fn ban(
    acting: &Acting<'_>,
    user: User,
    reason: Option<Reason>,
    mint: &Mint<'_>,
) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::BAN_MEMBERS)?;
    let mut events = Vec::new();
    if let Some(member) = acting.state.member(user.id) {
        acting.require_above_member(member)?;
        events = removed(acting, user.id, Departure::Banned)?;
    }
    if acting.state.ban(user.id).is_none() {
        let by = acting.standing.user_id;
        let reason = reason.map(Into::into);
        events.push(Event::BanAdded(Ban {
            user,
            reason,
            by,
            at: mint.now,
        }));
    }
    Ok(events)
}

pub(super) fn unban(acting: &Acting<'_>, user: UserId) -> Result<Vec<Event>, Rejection> {
    acting.require(Permissions::BAN_MEMBERS)?;
    let ban = acting
        .state
        .ban(user)
        .ok_or(Rejection::Unknown(Noun::Ban))?;
    Ok(vec![Event::BanRemoved(Ban::clone(ban))])
}

fn removed(acting: &Acting<'_>, user: UserId, how: Departure) -> Result<Vec<Event>, Rejection> {
    let member = acting
        .state
        .member(user)
        .ok_or(Rejection::Unknown(Noun::Member))?;
    Ok(vec![Event::MemberRemoved {
        member: Box::new(Member::clone(member)),
        how,
    }])
}
