//! How far the projection has come: per event partition, per stream, and in ids.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use guildhall_model::event::Source;
use guildhall_model::{EventPartition, Position};
use scylla::statement::prepared::PreparedStatement;

use crate::bounds::APPLY_IN_FLIGHT_MAX;
use crate::cql::Cql;
use crate::error::{CqlError, count, small};
use crate::message::{EVER, Writing};
use crate::remembered::Remembered;

/// Rows of `id_floors`: few enough to be read one by one, and more than one so that not all event
/// partitions write the same.
const SLOTS: u16 = 16;

/// The tables `cursors`, `sources` and `id_floors`. All of their values only rise: they are
/// written with one timestamp, and of two values with the same timestamp the larger one stays.
#[derive(Debug)]
pub(crate) struct CursorTable {
    cql: Arc<Cql>,
    /// Places that this process has noted or read. Others may have come further meanwhile: then what
    /// they have applied is applied again, which changes nothing.
    places: Remembered<Source, i64>,
    begin: PreparedStatement,
    finish: PreparedStatement,
    applied: PreparedStatement,
    begun: PreparedStatement,
    put_source: PreparedStatement,
    source: PreparedStatement,
    put_floor: PreparedStatement,
    floor: PreparedStatement,
}

impl CursorTable {
    pub(crate) async fn prepare(cql: &Arc<Cql>) -> Result<Self, CqlError> {
        let prepare = async |text: &str| cql.prepare(text).await;
        Ok(Self {
            cql: Arc::clone(cql),
            places: Remembered::default(),
            begin: prepare(
                "INSERT INTO cursors (event_partition, begun) VALUES (?, ?) USING TIMESTAMP ?",
            )
            .await?,
            finish: prepare(
                "INSERT INTO cursors (event_partition, applied) VALUES (?, ?) USING TIMESTAMP ?",
            )
            .await?,
            applied: prepare("SELECT applied FROM cursors WHERE event_partition = ?").await?,
            begun: prepare("SELECT applied, begun FROM cursors WHERE event_partition = ?").await?,
            put_source: prepare(
                "INSERT INTO sources (kind, id, last_gseq) VALUES (?, ?, ?) USING TIMESTAMP ?",
            )
            .await?,
            source: prepare("SELECT last_gseq FROM sources WHERE kind = ? AND id = ?").await?,
            put_floor: prepare(
                "INSERT INTO id_floors (slot, highest) VALUES (?, ?) USING TIMESTAMP ?",
            )
            .await?,
            floor: prepare("SELECT highest FROM id_floors WHERE slot = ?").await?,
        })
    }

    /// Notes that records before this position may be applied in part from here on.
    pub(crate) async fn begin(
        &self,
        partition: EventPartition,
        upto: Position,
    ) -> Result<(), CqlError> {
        let values = (i32::from(partition.0), count("cursors", upto.0)?, EVER);
        self.cql.write(&self.begin, values).await
    }

    /// Notes that everything before this position is applied.
    pub(crate) async fn finish(
        &self,
        partition: EventPartition,
        upto: Position,
    ) -> Result<(), CqlError> {
        let values = (i32::from(partition.0), count("cursors", upto.0)?, EVER);
        self.cql.write(&self.finish, values).await
    }

    /// Everything before this position is applied.
    pub(crate) async fn applied(&self, partition: EventPartition) -> Result<Position, CqlError> {
        let values = (i32::from(partition.0),);
        let row: Option<(Option<i64>,)> = self.cql.row(&self.applied, values).await?;
        let position = row.and_then(|(applied,)| applied).unwrap_or(0);
        Ok(Position(small("cursors", position)?))
    }

    /// Nothing from this position on shows anywhere.
    pub(crate) async fn begun(&self, partition: EventPartition) -> Result<Position, CqlError> {
        let values = (i32::from(partition.0),);
        let row: Option<(Option<i64>, Option<i64>)> = self.cql.row(&self.begun, values).await?;
        let (applied, begun) = row.unwrap_or_default();
        let position = applied.max(begun).unwrap_or(0);
        Ok(Position(small("cursors", position)?))
    }

    /// The places of streams, as this process knows them.
    pub(crate) async fn places(
        &self,
        sources: impl IntoIterator<Item = Source>,
    ) -> Result<Vec<(Source, i64)>, CqlError> {
        let read = sources.into_iter().map(|source| async move {
            let place = match self.places.get(&source) {
                Some(place) => place,
                None => self.place(source).await?,
            };
            Ok::<_, CqlError>((source, place))
        });
        stream::iter(read)
            .buffer_unordered(APPLY_IN_FLIGHT_MAX)
            .try_collect()
            .await
    }

    /// The place of a stream's last record; 0 if there is none.
    pub(crate) async fn place(&self, source: Source) -> Result<i64, CqlError> {
        let row: Option<(i64,)> = self.cql.row(&self.source, columns(source)).await?;
        Ok(row.map_or(0, |(last,)| last))
    }

    /// Notes the place of a stream.
    pub(crate) async fn put_place(&self, source: Source, place: i64) -> Result<(), CqlError> {
        let (kind, id) = columns(source);
        let values = (kind, id, place, EVER);
        self.cql.write(&self.put_source, values).await?;
        self.places.note(source, place);
        Ok(())
    }

    /// Notes the highest message id of an event partition.
    pub(crate) fn put_floor(&self, partition: EventPartition, highest: i64) -> Writing<'_> {
        let values = (i32::from(partition.0 % SLOTS), highest, EVER);
        Box::pin(self.cql.write(&self.put_floor, values))
    }

    /// The highest message id of all event partitions; 0 if there is none.
    pub(crate) async fn floor(&self) -> Result<u64, CqlError> {
        let read = (0..SLOTS).map(|slot| async move {
            let row: Option<(i64,)> = self.cql.row(&self.floor, (i32::from(slot),)).await?;
            Ok::<_, CqlError>(row.map_or(0, |(highest,)| highest))
        });
        let highest = futures_util::future::try_join_all(read).await?;
        small("id_floors", highest.into_iter().max().unwrap_or(0))
    }
}

/// A stream as two columns.
fn columns(source: Source) -> (i32, i64) {
    match source {
        Source::Guild(id) => (0, id.as_i64()),
        Source::Direct(id) => (1, id.as_i64()),
        Source::User(id) => (2, id.as_i64()),
    }
}
