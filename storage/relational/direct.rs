//! Rows of direct-message channels.

use guildhall_model::channel::DirectChannel;
use guildhall_model::{ChannelId, UserId};
use guildhall_ports::guilds::CommitError;

use super::column;
use super::engine::{Connection, Executor, Pool};
use super::error::{CommitFault, SqlError};

#[derive(sqlx::FromRow)]
struct DirectRow {
    id: i64,
    user_lo: i64,
    user_hi: i64,
}

impl TryFrom<DirectRow> for DirectChannel {
    type Error = SqlError;

    fn try_from(row: DirectRow) -> Result<Self, SqlError> {
        Ok(Self {
            id: column::id("directs", row.id)?,
            users: [
                column::id("directs", row.user_lo)?,
                column::id("directs", row.user_hi)?,
            ],
        })
    }
}

/// [`guildhall_model::event::Event::DirectOpened`]
pub(super) async fn opened(tx: &mut Connection, channel: DirectChannel) -> Result<(), CommitFault> {
    if let Some(existing) = between(&mut *tx, channel.users).await? {
        return Err(CommitError::PairExists(existing).into());
    }
    let [lo, hi] = channel.users;
    sqlx::query("INSERT INTO directs (id, user_lo, user_hi) VALUES ($1, $2, $3)")
        .bind(channel.id.as_i64())
        .bind(lo.as_i64())
        .bind(hi.as_i64())
        .execute(tx)
        .await
        .map_err(SqlError::from)?;
    Ok(())
}

/// The channel of two users.
pub(super) async fn between(
    engine: impl Executor<'_>,
    [lo, hi]: [UserId; 2],
) -> Result<Option<DirectChannel>, SqlError> {
    let row: Option<DirectRow> =
        sqlx::query_as("SELECT * FROM directs WHERE user_lo = $1 AND user_hi = $2")
            .bind(lo.as_i64())
            .bind(hi.as_i64())
            .fetch_optional(engine)
            .await?;
    row.map(DirectChannel::try_from).transpose()
}

/// The channel with this id.
pub(super) async fn with_id(
    readers: &Pool,
    id: ChannelId,
) -> Result<Option<DirectChannel>, SqlError> {
    let row: Option<DirectRow> = sqlx::query_as("SELECT * FROM directs WHERE id = $1")
        .bind(id.as_i64())
        .fetch_optional(readers)
        .await?;
    row.map(DirectChannel::try_from).transpose()
}

/// A user's channels, newest first.
pub(super) async fn of_user(
    readers: &Pool,
    user: UserId,
    limit: u32,
) -> Result<Vec<DirectChannel>, SqlError> {
    let rows: Vec<DirectRow> = sqlx::query_as(
        "SELECT * FROM directs WHERE user_lo = $1 OR user_hi = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(user.as_i64())
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?;
    rows.into_iter().map(DirectChannel::try_from).collect()
}
