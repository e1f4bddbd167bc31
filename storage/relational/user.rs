//! Rows of users: public profiles, and the addresses of people.

use guildhall_model::account::Account;
use guildhall_model::picture::Picture;
use guildhall_model::user::User;
use guildhall_model::{Timestamp, UserId};
use guildhall_ports::accounts::Taken;
use guildhall_ports::guilds::CommitError;

use super::column;
use super::engine::Connection;
use super::error::{CommitFault, SqlError};

/// The columns of `users`, under their own names in whatever query reads them.
#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    id: i64,
    username: String,
    display_name: Option<String>,
    avatar: Option<String>,
    bot: bool,
    status: i64,
    updated_at: i64,
}

impl TryFrom<UserRow> for User {
    type Error = SqlError;

    fn try_from(row: UserRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("users", row.id)?,
            username: row.username,
            display_name: row.display_name,
            avatar: row.avatar.map(Picture::read),
            bot: row.bot,
            status: column::status(row.status)?,
            updated_at: Timestamp(row.updated_at),
        })
    }
}

/// A user's profile with the address that only the user sees.
#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    #[sqlx(flatten)]
    user: UserRow,
    email: Option<String>,
}

impl TryFrom<AccountRow> for Account {
    type Error = SqlError;

    fn try_from(row: AccountRow) -> Result<Self, SqlError> {
        Ok(Self {
            user: row.user.try_into()?,
            email: row.email,
        })
    }
}

/// How names and addresses are compared.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Whether somebody else has the username or the address. Where another transaction takes it after
/// this was asked, the constraint tells.
pub(super) async fn taken(
    tx: &mut Connection,
    user: UserId,
    username: &str,
    email: Option<&str>,
) -> Result<Option<Taken>, SqlError> {
    let holder: Option<i64> =
        sqlx::query_scalar("SELECT id FROM users WHERE username_lower = $1 AND id <> $2")
            .bind(folded(username))
            .bind(user.as_i64())
            .fetch_optional(&mut *tx)
            .await?;
    if holder.is_some() {
        return Ok(Some(Taken::Username));
    }
    let Some(email) = email else {
        return Ok(None);
    };
    let holder: Option<i64> =
        sqlx::query_scalar("SELECT user_id FROM accounts WHERE email_lower = $1 AND user_id <> $2")
            .bind(folded(email))
            .bind(user.as_i64())
            .fetch_optional(&mut *tx)
            .await?;
    Ok(holder.map(|_| Taken::Email))
}

/// A new user's row.
pub(super) async fn insert(tx: &mut Connection, user: &User) -> Result<(), SqlError> {
    sqlx::query(
        "INSERT INTO users
             (id, username, username_lower, display_name, avatar, bot, status, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(user.id.as_i64())
    .bind(&user.username)
    .bind(folded(&user.username))
    .bind(&user.display_name)
    .bind(user.avatar.as_ref().map(Picture::to_string))
    .bind(user.bot)
    .bind(column::status_column(user.status))
    .bind(user.updated_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// [`guildhall_model::event::Event::UserUpdated`]
pub(super) async fn updated(
    tx: &mut Connection,
    user: &User,
    email: Option<&str>,
) -> Result<(), CommitFault> {
    if let Some(taken) = taken(tx, user.id, &user.username, email).await? {
        return Err(CommitError::Taken(taken).into());
    }
    write_profile(tx, user).await?;
    write_email(tx, user.id, email).await?;
    Ok(())
}

async fn write_profile(tx: &mut Connection, user: &User) -> Result<(), SqlError> {
    let written = sqlx::query(
        "UPDATE users
         SET username = $1, username_lower = $2, display_name = $3, avatar = $4, status = $5,
             updated_at = $6
         WHERE id = $7",
    )
    .bind(&user.username)
    .bind(folded(&user.username))
    .bind(&user.display_name)
    .bind(user.avatar.as_ref().map(Picture::to_string))
    .bind(column::status_column(user.status))
    .bind(user.updated_at.0)
    .bind(user.id.as_i64())
    .execute(tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(SqlError::row("users", format!("{} is missing", user.id)));
    }
    Ok(())
}

/// Bots have no row here, so nothing changes for them.
async fn write_email(
    tx: &mut Connection,
    user: UserId,
    email: Option<&str>,
) -> Result<(), SqlError> {
    sqlx::query("UPDATE accounts SET email = $1, email_lower = $2 WHERE user_id = $3")
        .bind(email)
        .bind(email.map(folded))
        .bind(user.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}
