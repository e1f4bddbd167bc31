//! Asks each engine from time to time whether it is there, and has `/readyz` say which is not.
//!
//! What a node wants of an engine tells that as well, and sooner; a node that wants nothing would
//! notice neither the loss nor the return. The loss of an engine never makes a node unready: all
//! nodes lose it together, and a balancer that sends nobody anywhere would answer in their place,
//! also what they can do without the engine, and without the word when to try again.

use std::time::Duration;

use guildhall_ports::Standing;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::operator::{Readiness, Trouble};

/// Pause between two questions to the same engine. The next one waits for the answer to the last,
/// for which each adapter has its own bound of a few seconds.
const EVERY: Duration = Duration::from_secs(1);

/// What asks the engines. It ends when this is dropped.
pub(super) struct Watch {
    readiness: Readiness,
    asking: JoinSet<()>,
}

impl Watch {
    pub(super) fn new(readiness: &Readiness) -> Self {
        Self {
            readiness: readiness.clone(),
            asking: JoinSet::new(),
        }
    }

    /// Has an engine looked at and shown under this name. `look` notes in the standing what it finds.
    pub(super) fn engine<F>(
        &mut self,
        name: &'static str,
        standing: Standing,
        look: impl Fn() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let shown = standing.clone();
        self.readiness.watch(name, move || match shown.away() {
            None => Ok(()),
            Some(why) => Err(Trouble::Degraded(why.to_string())),
        });
        let gauge = metrics::gauge!("guildhall_engine_away", "engine" => name);
        self.asking.spawn(async move {
            let mut tick = tokio::time::interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                look().await;
                gauge.set(if standing.is_away() { 1.0 } else { 0.0 });
            }
        });
    }
}
