//! The log: ordered, durable records per partition, fenced by epochs that readers check.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use guildhall_model::{Epoch, Position};

use crate::error::Failure;

/// One topic of the durable log (`events` or `frames`). Each partition has one order.
///
/// Writers are fenced by readers: every record carries its writer's epoch, and who folds a
/// partition drops the records of an epoch that has been superseded. An append of a dead owner
/// may therefore succeed late; it changes nothing.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends records in order and resolves when they are stable: they survive what the
    /// engine's durability policy promises, and every later read sees them.
    ///
    /// Calls for one partition take effect in the order of the calls. The returned future need
    /// not be polled for the append to happen. On failure none or a prefix may be stable.
    fn append(
        &self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> BoxFuture<'static, Result<Vec<Position>, Failure>>;

    /// Reads stable records in order, from the record at `from` or the first one after it, at
    /// least one if there is one, and about `bytes_max` bytes at most.
    async fn read(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> Result<Slice, Failure>;

    /// Follows a partition: its stable records in order, from the record at `from` or the first
    /// one after it that is kept, and on as they become stable, for as long as the stream is held.
    ///
    /// Each slice has at least one record and about `bytes_max` bytes at most. Nothing happens
    /// before the stream is polled, and who reads it slowly keeps nobody else waiting. A failure
    /// is its last item: whoever still wants to hear follows again from the last slice's `next`.
    fn follow(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> BoxStream<'static, Result<Slice, Failure>>;

    /// The position that the next stable record of the partition will have at least.
    async fn end(&self, partition: u16) -> Result<Position, Failure>;

    /// The ends of some partitions in the order of the question, each as of a moment after the
    /// call: every record that was acknowledged before it stands below.
    async fn ends(&self, partitions: &[u16]) -> Result<Vec<Position>, Failure> {
        let mut ends = Vec::with_capacity(partitions.len());
        for &partition in partitions {
            ends.push(self.end(partition).await?);
        }
        Ok(ends)
    }

    /// The position of the oldest record that is kept, or of the end if there is none.
    async fn start(&self, partition: u16) -> Result<Position, Failure>;

    /// A position below `from` with at least so many records between the two, if there are so
    /// many: for looking back. More may lie between where positions are not one for each record.
    fn back(&self, from: Position, records: u32) -> Position {
        Position(from.0.saturating_sub(records.into()))
    }

    /// Whether no other process can have written between `behind`, a place just behind a record, and
    /// a later record of this process. `false` says nothing: whoever must know reads.
    fn is_next(&self, behind: Position, at: Position) -> bool;

    /// The owner needs no record before `before` any more: the log may drop those that are also
    /// older than its retention time. Without this call nothing is ever dropped.
    async fn release(&self, partition: u16, before: Position) -> Result<(), Failure>;
}

/// Some consecutive records of a partition.
#[derive(Clone, Debug)]
pub struct Slice {
    /// In order.
    pub records: Vec<LogRecord>,
    /// Where to read on.
    pub next: Position,
}

/// A stable record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Where it stands.
    pub position: Position,
    /// Whose it is.
    pub epoch: Epoch,
    /// What was appended.
    pub payload: Bytes,
}

/// A log behind a pointer.
pub type SharedLog = Arc<dyn Log>;
