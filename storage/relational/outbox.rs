//! How far each stream has come, and its events on their way to the events log.

use guildhall_model::event::{Record, Source};
use guildhall_ports::Failure;
use guildhall_ports::guilds::FencingToken;

use super::engine::{Connection, Executor, Pool};
use super::error::SqlError;
use super::write::Write;
use super::{blob, column, fence};

/// Takes the next places of a stream, the first of them `first`. False if they are taken.
pub(super) async fn advance(
    tx: &mut Connection,
    source: Source,
    (first, last): (u64, u64),
) -> Result<bool, SqlError> {
    let (kind, id) = column::source_columns(source);
    let written = sqlx::query(
        "INSERT INTO sources (kind, id, last_gseq) VALUES ($1, $2, $3)
         ON CONFLICT (kind, id) DO UPDATE SET last_gseq = excluded.last_gseq
         WHERE sources.last_gseq < $4",
    )
    .bind(kind)
    .bind(id)
    .bind(column::count("sources", last)?)
    .bind(column::count("sources", first)?)
    .execute(tx)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// Places of a stream up to this one are taken for nothing, where they are not taken.
pub(super) struct GivenUp {
    pub(super) token: FencingToken,
    pub(super) source: Source,
    pub(super) upto: u64,
}

impl Write for GivenUp {
    type Done = ();
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        if !fence::is_open(tx, self.token).await? {
            return Err(Failure::Stale { what: "the stream" }.into());
        }
        advance(tx, self.source, (self.upto, self.upto)).await?;
        Ok(())
    }
}

/// Puts an event on its way.
pub(super) async fn post(tx: &mut Connection, record: &Record) -> Result<(), SqlError> {
    let (kind, id) = column::source_columns(record.source);
    sqlx::query("INSERT INTO outbox (kind, id, gseq, record) VALUES ($1, $2, $3, $4)")
        .bind(kind)
        .bind(id)
        .bind(column::count("outbox", record.gseq)?)
        .bind(blob::encode(record))
        .execute(tx)
        .await?;
    Ok(())
}

/// The events on their way, in order per stream.
pub(super) async fn waiting(readers: &Pool) -> Result<Vec<Record>, SqlError> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT record FROM outbox ORDER BY kind, id, gseq")
            .fetch_all(readers)
            .await?;
    rows.iter()
        .map(|bytes| blob::decode("outbox", bytes))
        .collect()
}

/// The place of the last committed event of a stream.
pub(super) async fn last_gseq(engine: impl Executor<'_>, source: Source) -> Result<u64, SqlError> {
    let (kind, id) = column::source_columns(source);
    let last: Option<i64> =
        sqlx::query_scalar("SELECT last_gseq FROM sources WHERE kind = $1 AND id = $2")
            .bind(kind)
            .bind(id)
            .fetch_optional(engine)
            .await?;
    column::small("sources", last.unwrap_or(0))
}

/// Events up to this place have arrived.
pub(super) struct Done {
    pub(super) source: Source,
    pub(super) upto: u64,
}

impl Write for Done {
    type Done = ();
    type Error = SqlError;

    async fn run(&self, tx: &mut Connection) -> Result<(), SqlError> {
        let (kind, id) = column::source_columns(self.source);
        // A mark beyond 63 bits means all of them.
        let upto = i64::try_from(self.upto).unwrap_or(i64::MAX);
        sqlx::query("DELETE FROM outbox WHERE kind = $1 AND id = $2 AND gseq <= $3")
            .bind(kind)
            .bind(id)
            .bind(upto)
            .execute(tx)
            .await?;
        Ok(())
    }
}
