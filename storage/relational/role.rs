//! Rows of roles.

use guildhall_model::event::RoleEnd;
use guildhall_model::role::Role;
use guildhall_model::{GuildId, Permissions, RoleId};

use super::channel::ROLE_TARGET;
use super::engine::{Connection, Pool};
use super::error::SqlError;
use super::{column, id_floor};

#[derive(sqlx::FromRow)]
struct RoleRow {
    id: i64,
    guild_id: i64,
    name: String,
    color: i64,
    hoist: bool,
    mentionable: bool,
    managed: bool,
    permissions: i64,
    position: i64,
}

impl TryFrom<RoleRow> for Role {
    type Error = SqlError;

    fn try_from(row: RoleRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("roles", row.id)?,
            guild_id: column::id("roles", row.guild_id)?,
            name: row.name,
            color: column::small("roles", row.color)?,
            hoist: row.hoist,
            mentionable: row.mentionable,
            managed: row.managed,
            permissions: Permissions::from_bits_retain(row.permissions.cast_unsigned()),
            position: column::small("roles", row.position)?,
        })
    }
}

/// All roles of a guild, `@everyone` included.
pub(super) async fn of_guild(tx: &mut Connection, guild: GuildId) -> Result<Vec<Role>, SqlError> {
    let rows: Vec<RoleRow> = sqlx::query_as("SELECT * FROM roles WHERE guild_id = $1")
        .bind(guild.as_i64())
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(Role::try_from).collect()
}

/// The guild of a role, unless it has ended.
pub(super) async fn guild_of(readers: &Pool, role: RoleId) -> Result<Option<GuildId>, SqlError> {
    let guild: Option<i64> = sqlx::query_scalar(
        "SELECT guilds.id FROM roles JOIN guilds ON guilds.id = roles.guild_id
         WHERE roles.id = $1 AND guilds.deleted = FALSE",
    )
    .bind(role.as_i64())
    .fetch_optional(readers)
    .await?;
    guild.map(|raw| column::id("roles", raw)).transpose()
}

/// [`guildhall_model::event::Event::RoleCreated`]
pub(super) async fn created(tx: &mut Connection, role: &Role) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO roles
             (id, guild_id, name, color, hoist, mentionable, managed, permissions, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(role.id.as_i64())
    .bind(role.guild_id.as_i64())
    .bind(&role.name)
    .bind(i64::from(role.color))
    .bind(role.hoist)
    .bind(role.mentionable)
    .bind(role.managed)
    .bind(role.permissions.bits().cast_signed())
    .bind(i64::from(role.position))
    .execute(tx)
    .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::RoleUpdated`]
pub(super) async fn updated(tx: &mut Connection, role: &Role) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE roles
         SET name = $1, color = $2, hoist = $3, mentionable = $4, managed = $5, permissions = $6,
             position = $7
         WHERE id = $8",
    )
    .bind(&role.name)
    .bind(i64::from(role.color))
    .bind(role.hoist)
    .bind(role.mentionable)
    .bind(role.managed)
    .bind(role.permissions.bits().cast_signed())
    .bind(i64::from(role.position))
    .bind(role.id.as_i64())
    .execute(tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(SqlError::row("roles", format!("{} is missing", role.id)));
    }
    Ok(())
}

/// [`guildhall_model::event::Event::RoleDeleted`]: members lose the role by the foreign key, and
/// channels its overwrites.
pub(super) async fn deleted(tx: &mut Connection, end: &RoleEnd) -> Result<(), SqlError> {
    let id = end.role_id();
    sqlx::query("DELETE FROM overwrites WHERE target_id = $1 AND target_kind = $2")
        .bind(id.as_i64())
        .bind(ROLE_TARGET)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM roles WHERE id = $1")
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    id_floor::raise(tx, id).await
}
