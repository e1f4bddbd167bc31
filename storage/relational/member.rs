//! Rows of members with their roles, and of bans.

use guildhall_model::invite::Invite;
use guildhall_model::member::{Ban, Member};
use guildhall_model::user::User;
use guildhall_model::{GuildId, Timestamp, UserId};

use super::column;
use super::engine::{Connection, Pool};
use super::error::SqlError;
use super::invite;
use super::user::UserRow;

#[derive(sqlx::FromRow)]
struct MemberRow {
    #[sqlx(flatten)]
    user: UserRow,
    nick: Option<String>,
    joined_at: i64,
    timed_out_until: Option<i64>,
    temporary: bool,
}

#[derive(sqlx::FromRow)]
struct HeldRole {
    user_id: i64,
    role_id: i64,
}

#[derive(sqlx::FromRow)]
struct BanRow {
    #[sqlx(flatten)]
    user: UserRow,
    reason: Option<String>,
    by_id: i64,
    at: i64,
}

impl TryFrom<MemberRow> for Member {
    type Error = SqlError;

    fn try_from(row: MemberRow) -> Result<Self, SqlError> {
        Ok(Self {
            user: User::try_from(row.user)?,
            nick: row.nick,
            roles: Vec::new(),
            joined_at: Timestamp(row.joined_at),
            timed_out_until: row.timed_out_until.map(Timestamp),
            temporary: row.temporary,
        })
    }
}

impl TryFrom<BanRow> for Ban {
    type Error = SqlError;

    fn try_from(row: BanRow) -> Result<Self, SqlError> {
        Ok(Self {
            user: User::try_from(row.user)?,
            reason: row.reason,
            by: column::id("bans", row.by_id)?,
            at: Timestamp(row.at),
        })
    }
}

/// All members of a guild with their users' present profiles.
pub(super) async fn of_guild(tx: &mut Connection, guild: GuildId) -> Result<Vec<Member>, SqlError> {
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT users.*, nick, joined_at, timed_out_until, temporary
         FROM members JOIN users ON users.id = members.user_id
         WHERE members.guild_id = $1
         ORDER BY members.user_id",
    )
    .bind(guild.as_i64())
    .fetch_all(&mut *tx)
    .await?;
    let mut members: Vec<Member> = rows
        .into_iter()
        .map(Member::try_from)
        .collect::<Result<_, _>>()?;
    let held: Vec<HeldRole> = sqlx::query_as(
        "SELECT user_id, role_id FROM member_roles WHERE guild_id = $1 ORDER BY user_id, role_id",
    )
    .bind(guild.as_i64())
    .fetch_all(tx)
    .await?;
    for HeldRole { user_id, role_id } in held {
        let place = members
            .binary_search_by_key(&user_id, |member| member.user.id.as_i64())
            .map_err(|_| SqlError::row("member_roles", "a row without its member"))?;
        let role = column::id("member_roles", role_id)?;
        members[place].roles.push(role);
    }
    Ok(members)
}

/// All bans of a guild with their users' present profiles.
pub(super) async fn bans_of_guild(
    tx: &mut Connection,
    guild: GuildId,
) -> Result<Vec<Ban>, SqlError> {
    let rows: Vec<BanRow> = sqlx::query_as(
        "SELECT users.*, reason, by_id, at
         FROM bans JOIN users ON users.id = bans.user_id
         WHERE bans.guild_id = $1",
    )
    .bind(guild.as_i64())
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Ban::try_from).collect()
}

/// The guilds of a user that have not ended, rising.
pub(super) async fn guilds_of(readers: &Pool, user: UserId) -> Result<Vec<GuildId>, SqlError> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT members.guild_id FROM members JOIN guilds ON guilds.id = members.guild_id
         WHERE members.user_id = $1 AND guilds.deleted = FALSE
         ORDER BY members.guild_id",
    )
    .bind(user.as_i64())
    .fetch_all(readers)
    .await?;
    ids.into_iter()
        .map(|raw| column::id("members", raw))
        .collect()
}

/// [`guildhall_model::event::Event::MemberJoined`]
pub(super) async fn joined(
    tx: &mut Connection,
    guild: GuildId,
    member: &Member,
    used: Option<&Invite>,
) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO members (guild_id, user_id, nick, joined_at, timed_out_until, temporary)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(guild.as_i64())
    .bind(member.user.id.as_i64())
    .bind(&member.nick)
    .bind(member.joined_at.0)
    .bind(member.timed_out_until.map(|end| end.0))
    .bind(member.temporary)
    .execute(&mut *tx)
    .await?;
    insert_roles(tx, guild, member).await?;
    match used {
        Some(invite) => invite::used(tx, invite).await,
        None => Ok(()),
    }
}

/// [`guildhall_model::event::Event::MemberUpdated`]. The user's profile within is left alone: it
/// belongs to the user's own stream, which may be ahead of the guild's.
pub(super) async fn updated(
    tx: &mut Connection,
    guild: GuildId,
    member: &Member,
) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE members SET nick = $1, joined_at = $2, timed_out_until = $3, temporary = $4
         WHERE guild_id = $5 AND user_id = $6",
    )
    .bind(&member.nick)
    .bind(member.joined_at.0)
    .bind(member.timed_out_until.map(|end| end.0))
    .bind(member.temporary)
    .bind(guild.as_i64())
    .bind(member.user.id.as_i64())
    .execute(&mut *tx)
    .await?;
    if written.rows_affected() == 0 {
        let why = format!("{} of {guild} is missing", member.user.id);
        return Err(SqlError::row("members", why));
    }
    sqlx::query("DELETE FROM member_roles WHERE guild_id = $1 AND user_id = $2")
        .bind(guild.as_i64())
        .bind(member.user.id.as_i64())
        .execute(&mut *tx)
        .await?;
    insert_roles(tx, guild, member).await
}

/// [`guildhall_model::event::Event::MemberRemoved`]: the roles go by the foreign key.
pub(super) async fn removed(
    tx: &mut Connection,
    guild: GuildId,
    user: UserId,
) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM members WHERE guild_id = $1 AND user_id = $2")
        .bind(guild.as_i64())
        .bind(user.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

async fn insert_roles(
    tx: &mut Connection,
    guild: GuildId,
    member: &Member,
) -> Result<(), SqlError> {
    for role in &member.roles {
        sqlx::query("INSERT INTO member_roles (guild_id, user_id, role_id) VALUES ($1, $2, $3)")
            .bind(guild.as_i64())
            .bind(member.user.id.as_i64())
            .bind(role.as_i64())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// [`guildhall_model::event::Event::BanAdded`]. A second ban replaces the first one's reason.
pub(super) async fn banned(tx: &mut Connection, guild: GuildId, ban: &Ban) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO bans (guild_id, user_id, reason, by_id, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (guild_id, user_id)
         DO UPDATE SET reason = excluded.reason, by_id = excluded.by_id, at = excluded.at",
    )
    .bind(guild.as_i64())
    .bind(ban.user.id.as_i64())
    .bind(&ban.reason)
    .bind(ban.by.as_i64())
    .bind(ban.at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::BanRemoved`]
pub(super) async fn unbanned(
    tx: &mut Connection,
    guild: GuildId,
    user: UserId,
) -> Result<(), SqlError> {
    sqlx::query("DELETE FROM bans WHERE guild_id = $1 AND user_id = $2")
        .bind(guild.as_i64())
        .bind(user.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
