//! Brings an event partition back after its log has refused an append, without a restart.
//!
//! Its actors believe in events that never became stable, so all of them are stopped first. What
//! is stable although its append was reported as failed is passed on, then what the outbox still
//! holds is appended, and only then new commands are accepted.

use std::sync::{Arc, Weak};
use std::time::Duration;

use guildhall_model::{EventPartition, Position};
use guildhall_ports::Failure;
use tracing::{info, warn};

use super::events::append_outbox;
use crate::event_log;
use crate::node::{Inner, Node};
use crate::partition::EventPartition as Owned;
use crate::relay;
use crate::writer::{Outlets, Settling, Writer};

/// Pause before the next attempt.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Watches a partition's writer for the node's whole life.
pub(crate) async fn watch(inner: Weak<Inner>, number: EventPartition) {
    loop {
        let Some(strong) = inner.upgrade() else {
            return;
        };
        let Some(partition) = strong.events.get(number) else {
            return;
        };
        drop(strong);
        let mut progress = partition.writer().progress();
        let broken = progress
            .wait_for(|progress| progress.is_broken)
            .await
            .map(|broken| broken.end);
        let Ok(mut end) = broken else { return };
        metrics::counter!("guildhall_partition_repairs_total").increment(1);
        partition
            .stop_actors("the events log refused an append")
            .await;
        loop {
            let Some(strong) = inner.upgrade() else {
                return;
            };
            match repair(&Node { inner: strong }, &partition, &mut end).await {
                Ok(()) => break,
                Err(failure) => {
                    warn!(partition = partition.number.0, %failure, "the partition waits for its log");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
        info!(partition = partition.number.0, "the partition works again");
    }
}

async fn repair(node: &Node, partition: &Owned, end: &mut Position) -> Result<(), Failure> {
    let inner = &node.inner;
    catch_up(inner, partition, end).await?;
    let outbox = inner.stores.guilds.outbox().await?;
    let here = outbox
        .into_iter()
        .filter(|record| inner.number_of(record.source) == partition.number);
    if append_outbox(
        inner,
        partition.number,
        partition.token.epoch,
        here.collect(),
    )
    .await?
    {
        catch_up(inner, partition, end).await?;
    }
    // An append shows that the log takes writes again, before anybody relies on it.
    let take = event_log::encode_take(inner.config.node);
    inner
        .stores
        .events
        .append(partition.number.0, partition.token.epoch, vec![take])
        .await?;
    let outlets = Outlets {
        relay: partition.relay.clone(),
        projection: partition.projected.clone(),
        heard: Arc::clone(inner.heard(partition.number)),
    };
    let log = Arc::clone(&inner.stores.events);
    partition.set_writer(Writer::start(
        log,
        partition.number,
        partition.token.epoch,
        *end,
        Settling::AtOnce(outlets),
    ));
    Ok(())
}

/// Passes on what has become stable, and waits until it is projected.
async fn catch_up(inner: &Inner, partition: &Owned, end: &mut Position) -> Result<(), Failure> {
    let (stable, next) = event_log::read_all(&*inner.stores.events, partition.number, *end).await?;
    if let Some(last) = stable.last() {
        let upto = event_log::after(last.position);
        let heard = inner.heard(partition.number);
        heard.hear(&stable, upto, inner.env.now());
        partition
            .projected
            .send(stable.clone())
            .await
            .map_err(|_| Failure::Closing)?;
        let told = relay::Input::Heard(stable);
        partition
            .relay
            .send(told)
            .await
            .map_err(|_| Failure::Closing)?;
        partition.projection.wait(upto).await?;
        *end = next;
    }
    Ok(())
}
