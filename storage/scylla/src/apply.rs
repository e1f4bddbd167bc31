//! Applying records: first it is noted that something begins, then everything is written side by
//! side, then it is noted that it is done.
//!
//! Whatever fails between is done again by whoever applies the records next: nothing is noted as
//! done before all of it is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use guildhall_model::event::{Record, Source};
use guildhall_model::{EventPartition, Position};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::stored::Unreadable;

use crate::bounds::APPLY_IN_FLIGHT_MAX;
use crate::bucket;
use crate::error::{CqlError, count};
use crate::message::{FINAL, Writing};
use crate::plan::{Place, Plan};
use crate::projection::Tables;

impl Tables {
    /// Applies a partition's records and notes that everything before `upto` is applied.
    pub(crate) async fn apply(
        &self,
        partition: EventPartition,
        records: &[Arc<Record>],
        upto: Position,
    ) -> Result<(), CqlError> {
        let fresh = self.fresh(records).await?;
        if !fresh.is_empty() {
            let plan = Plan::of(&fresh);
            self.cursors.begin(partition, upto).await?;
            together(self.rows(&plan)).await?;
            crash::pass(Point::MessagesWritten);
            together(self.notes(partition, &plan)).await?;
            crash::pass(Point::MessagesCommitted);
        }
        self.cursors.finish(partition, upto).await
    }

    /// The records that are not noted as applied, each with its place.
    ///
    /// The others would change nothing, as long as the marks of deletions are kept: the engine
    /// drops those some days after.
    async fn fresh(&self, records: &[Arc<Record>]) -> Result<Vec<(Place, Arc<Record>)>, CqlError> {
        let sources: BTreeSet<Source> = records.iter().map(|record| record.source).collect();
        let places = self.cursors.places(sources).await?;
        let places: HashMap<Source, Place> = places.into_iter().collect();
        let mut fresh = Vec::new();
        for record in records {
            let place = count("sources", record.gseq)?;
            if FINAL <= place {
                let why = format!("place {place} in a stream is beyond all that can happen");
                return Err(Unreadable::row("sources", why).into());
            }
            if places.get(&record.source).is_none_or(|last| *last < place) {
                fresh.push((place, Arc::clone(record)));
            }
        }
        Ok(fresh)
    }

    fn rows<'a>(&'a self, plan: &'a Plan) -> Vec<Writing<'a>> {
        let mut writings = self.pins.writings(plan);
        let mut buckets = BTreeSet::new();
        writings.extend(self.messages.put(plan.puts.values()));
        writings.extend(self.authors.put(plan.puts.values()));
        for (id, put) in &plan.puts {
            if put.message.only_for().is_none() {
                let bucket = bucket::of_message(*id, false);
                buckets.insert((put.message.channel_id.as_i64(), bucket));
            }
        }
        for (channel, bucket) in buckets {
            writings.push(Box::pin(self.messages.put_bucket(channel, bucket)));
        }
        for (id, erased) in &plan.erased {
            writings.extend(self.messages.erase(*id, erased));
            writings.push(Box::pin(self.reactions.erase(*id)));
        }
        for (id, reactions) in &plan.reactions {
            let apply = self.reactions.apply(&self.messages, *id, reactions);
            writings.push(Box::pin(apply));
        }
        for audited in &plan.audited {
            writings.extend(self.audits.put(audited));
        }
        for guild in &plan.ended {
            writings.push(self.audits.end(*guild));
        }
        let nonces = plan.nonces.iter().map(|used| self.nonces.put(used));
        writings.extend(nonces);
        writings
    }

    fn notes<'a>(&'a self, partition: EventPartition, plan: &Plan) -> Vec<Writing<'a>> {
        let places = plan.places.iter();
        let mut writings: Vec<Writing<'a>> = places
            .map(|(source, place)| -> Writing<'a> {
                Box::pin(self.cursors.put_place(*source, *place))
            })
            .collect();
        if plan.highest > 0 {
            writings.push(self.cursors.put_floor(partition, plan.highest));
        }
        writings
    }
}

/// Carries out writes side by side, and none of those that are left after a failure.
async fn together(writings: Vec<Writing<'_>>) -> Result<(), CqlError> {
    stream::iter(writings)
        .buffer_unordered(APPLY_IN_FLIGHT_MAX)
        .try_collect::<()>()
        .await
}
