//! Logins and the refresh tokens of their families.

use guildhall_model::account::Login;
use guildhall_model::{LoginId, Timestamp};
use guildhall_ports::Failure;
use guildhall_ports::accounts::{Rotation, TokenHash};
use sqlx::{SqliteConnection, SqlitePool};

use crate::sqlite::column;
use crate::sqlite::error::SqlError;
use crate::sqlite::writer::Write;

/// How long a login is kept after its end: longer than any access token lives, so that a
/// revocation stays known for as long as it matters.
const KEPT_MS: i64 = 24 * 3_600 * 1_000;

#[derive(sqlx::FromRow)]
struct LoginRow {
    id: i64,
    user_id: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<LoginRow> for Login {
    type Error = SqlError;

    fn try_from(row: LoginRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("logins", row.id)?,
            user_id: column::id("logins", row.user_id)?,
            expires_at: Timestamp(row.expires_at),
            revoked: row.revoked_at.is_some(),
        })
    }
}

/// Stores a new login with its first refresh token.
pub(super) struct Open {
    pub(super) login: Login,
    pub(super) refresh: TokenHash,
}

impl Write for Open {
    type Done = ();
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        sqlx::query("INSERT INTO logins (id, user_id, expires_at) VALUES (?, ?, ?)")
            .bind(self.login.id.as_i64())
            .bind(self.login.user_id.as_i64())
            .bind(self.login.expires_at.0)
            .execute(&mut *tx)
            .await
            .map_err(SqlError::from)?;
        Ok(insert_token(tx, self.login.id, self.refresh).await?)
    }
}

/// Exchanges a refresh token for its successor.
pub(super) struct Rotate {
    pub(super) presented: TokenHash,
    pub(super) successor: TokenHash,
    pub(super) now: Timestamp,
}

impl Write for Rotate {
    type Done = Rotation;
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<Rotation, Failure> {
        let rotation = self.rotate(tx).await?;
        erase_ended(tx, self.now).await?;
        Ok(rotation)
    }
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    #[sqlx(flatten)]
    login: LoginRow,
    rotated: bool,
}

impl Rotate {
    async fn rotate(&self, tx: &mut SqliteConnection) -> Result<Rotation, SqlError> {
        let row: Option<TokenRow> = sqlx::query_as(
            "SELECT logins.*, refresh_tokens.rotated
             FROM refresh_tokens JOIN logins ON logins.id = refresh_tokens.login_id
             WHERE refresh_tokens.hash = ?",
        )
        .bind(self.presented.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(TokenRow { login, rotated }) = row else {
            return Ok(Rotation::Refused);
        };
        let login = Login::try_from(login)?;
        if login.revoked || login.expires_at <= self.now {
            return Ok(Rotation::Refused);
        }
        if rotated {
            revoke(tx, login.id, self.now).await?;
            return Ok(Rotation::Reused(Login {
                revoked: true,
                ..login
            }));
        }
        sqlx::query("UPDATE refresh_tokens SET rotated = 1 WHERE hash = ?")
            .bind(self.presented.as_slice())
            .execute(&mut *tx)
            .await?;
        insert_token(tx, login.id, self.successor).await?;
        Ok(Rotation::Rotated(login))
    }
}

/// Ends a login.
pub(super) struct Revoke {
    pub(super) id: LoginId,
    pub(super) now: Timestamp,
}

impl Write for Revoke {
    type Done = ();
    type Error = Failure;

    async fn run(&self, tx: &mut SqliteConnection) -> Result<(), Failure> {
        Ok(revoke(tx, self.id, self.now).await?)
    }
}

async fn insert_token(
    tx: &mut SqliteConnection,
    login: LoginId,
    hash: TokenHash,
) -> Result<(), SqlError> {
    sqlx::query("INSERT INTO refresh_tokens (hash, login_id, rotated) VALUES (?, ?, 0)")
        .bind(hash.as_slice())
        .bind(login.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks a login as revoked, from its first revocation on, and forgets its tokens: whoever
/// presents one of them is refused either way.
async fn revoke(tx: &mut SqliteConnection, id: LoginId, now: Timestamp) -> Result<(), SqlError> {
    sqlx::query("UPDATE logins SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
        .bind(now.0)
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM refresh_tokens WHERE login_id = ?")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Erases a few logins that ended long ago. A login lives through many rotations, so a few at
/// each of them are enough to keep up.
async fn erase_ended(tx: &mut SqliteConnection, now: Timestamp) -> Result<(), SqlError> {
    sqlx::query(
        "DELETE FROM logins
         WHERE id IN (SELECT id FROM logins WHERE expires_at < ? ORDER BY expires_at LIMIT 4)",
    )
    .bind(now.plus_ms(-KEPT_MS).0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn login(readers: &SqlitePool, id: LoginId) -> Result<Option<Login>, SqlError> {
    let row: Option<LoginRow> = sqlx::query_as("SELECT * FROM logins WHERE id = ?")
        .bind(id.as_i64())
        .fetch_optional(readers)
        .await?;
    row.map(Login::try_from).transpose()
}

pub(super) async fn revoked_since(
    readers: &SqlitePool,
    since: Timestamp,
) -> Result<Vec<LoginId>, SqlError> {
    let ids: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM logins WHERE revoked_at >= ? ORDER BY revoked_at")
            .bind(since.0)
            .fetch_all(readers)
            .await?;
    ids.into_iter()
        .map(|raw| column::id("logins", raw))
        .collect()
}
