//! Logins and the refresh tokens of their families.

use guildhall_model::account::Login;
use guildhall_model::id::kind;
use guildhall_model::{LoginId, Timestamp};
use guildhall_ports::accounts::{Rotation, TokenHash};

use super::column;
use super::engine::{self, Connection, Pool};
use super::error::SqlError;
use super::write::Write;

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
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        sqlx::query("INSERT INTO logins (id, user_id, expires_at) VALUES ($1, $2, $3)")
            .bind(self.login.id.as_i64())
            .bind(self.login.user_id.as_i64())
            .bind(self.login.expires_at.0)
            .execute(&mut *tx)
            .await?;
        insert_token(tx, self.login.id, self.refresh).await
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
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<Rotation, SqlError> {
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
    async fn rotate(&self, tx: &mut Connection) -> Result<Rotation, SqlError> {
        let login: Option<i64> =
            sqlx::query_scalar("SELECT login_id FROM refresh_tokens WHERE hash = $1")
                .bind(self.presented.as_slice())
                .fetch_optional(&mut *tx)
                .await?;
        let Some(login) = login else {
            return Ok(Rotation::Refused);
        };
        // What is read after this is what the former holder has left.
        engine::hold(tx, column::id::<kind::Login>("refresh_tokens", login)?).await?;
        let row: Option<TokenRow> = sqlx::query_as(
            "SELECT logins.*, refresh_tokens.rotated
             FROM refresh_tokens JOIN logins ON logins.id = refresh_tokens.login_id
             WHERE refresh_tokens.hash = $1",
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
        sqlx::query("UPDATE refresh_tokens SET rotated = TRUE WHERE hash = $1")
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
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        engine::hold(tx, self.id).await?;
        revoke(tx, self.id, self.now).await
    }
}

async fn insert_token(
    tx: &mut Connection,
    login: LoginId,
    hash: TokenHash,
) -> Result<(), SqlError> {
    sqlx::query("INSERT INTO refresh_tokens (hash, login_id, rotated) VALUES ($1, $2, FALSE)")
        .bind(hash.as_slice())
        .bind(login.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks a login as revoked, from its first revocation on, and forgets its tokens: whoever
/// presents one of them is refused either way.
async fn revoke(tx: &mut Connection, id: LoginId, now: Timestamp) -> Result<(), SqlError> {
    sqlx::query("UPDATE logins SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(now.0)
        .bind(id.as_i64())
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM refresh_tokens WHERE login_id = $1")
        .bind(id.as_i64())
        .execute(tx)
        .await?;
    Ok(())
}

/// Erases a few logins that ended long ago. A login lives through many rotations, so a few at
/// each of them are enough to keep up.
async fn erase_ended(tx: &mut Connection, now: Timestamp) -> Result<(), SqlError> {
    sqlx::query(
        "DELETE FROM logins
         WHERE id IN (SELECT id FROM logins WHERE expires_at < $1 ORDER BY expires_at LIMIT 4)",
    )
    .bind(now.plus_ms(-KEPT_MS).0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn login(readers: &Pool, id: LoginId) -> Result<Option<Login>, SqlError> {
    let row: Option<LoginRow> = sqlx::query_as("SELECT * FROM logins WHERE id = $1")
        .bind(id.as_i64())
        .fetch_optional(readers)
        .await?;
    row.map(Login::try_from).transpose()
}

pub(super) async fn revoked_since(
    readers: &Pool,
    since: Timestamp,
) -> Result<Vec<LoginId>, SqlError> {
    let ids: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM logins WHERE revoked_at >= $1 ORDER BY revoked_at")
            .bind(since.0)
            .fetch_all(readers)
            .await?;
    ids.into_iter()
        .map(|raw| column::id("logins", raw))
        .collect()
}
