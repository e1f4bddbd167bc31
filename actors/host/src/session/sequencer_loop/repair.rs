//! Takes a session partition over from itself after its log has refused a frame.
//!
//! Whether the refused frame is stable is for the log to say: only what comes before the `Take` of
//! the next epoch counts. Until then nobody is taken in and what relays tell is dropped, so that
//! they never wait for this log; each of them tells it again, from the place on that the log says
//! was heard.

use std::ops::ControlFlow;
use std::sync::Weak;
use std::time::Duration;

use guildhall_model::{Epoch, EventPartition, SessionPartition as Number};
use guildhall_ports::Failure;
use guildhall_state::session_partition::record::Slot;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use super::{BATCH_MAX, SequencerLoop};
use crate::node::Inner;
use crate::recovery::sessions::{self, Folded};
use crate::recovery::tail;
use crate::session::sequencer::{Condition, Input};
use crate::session::shared::Ending;

/// Pause after the first attempt that fails; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

impl SequencerLoop {
    /// Goes on under the next epoch as soon as the log allows it. Breaks when the node ends, or
    /// when somebody else owns the partition.
    pub(super) async fn repair(
        &mut self,
        failure: Failure,
        inbox: &mut mpsc::Receiver<Input>,
    ) -> ControlFlow<()> {
        error!(session.partition = self.number.0, %failure, "the frames log refuses a frame");
        metrics::counter!("guildhall_session_partition_repairs_total").increment(1);
        self.condition
            .send_replace(Condition::Recovering(failure.clone()));
        self.end_all(Ending::Failed);
        self.ring.break_off();
        let taking = take_again(
            self.node.clone(),
            self.number,
            self.epoch,
            self.condition.clone(),
        );
        let mut taking = std::pin::pin!(taking);
        let mut batch = Vec::new();
        let folded = loop {
            tokio::select! {
                // Cancel-safe: `recv_many` loses nothing, and the attempts go on.
                folded = &mut taking => break folded,
                n = inbox.recv_many(&mut batch, BATCH_MAX) => if n == 0 {
                    return ControlFlow::Break(());
                },
            }
            for input in batch.drain(..) {
                if let Some(done) = refuse(input, &failure) {
                    let _ = done.send(());
                    return ControlFlow::Break(());
                }
            }
        };
        let Some(folded) = folded else {
            self.give_up();
            return ControlFlow::Break(());
        };
        self.adopt(folded);
        ControlFlow::Continue(())
    }

    /// Goes on with the partition as its log tells it.
    fn adopt(&mut self, folded: Folded) {
        let Folded {
            epoch,
            machine,
            end,
            ..
        } = folded;
        let known = self.shared.keys().copied();
        let over: Vec<Slot> = known
            .filter(|&slot| machine.session(slot).is_none())
            .collect();
        for slot in over {
            self.part_with(slot);
            self.shared.remove(&slot);
        }
        self.epoch = epoch;
        self.end = end;
        self.next_slot = machine.next_slot().max(self.next_slot);
        self.next_audience = machine.next_audience().max(self.next_audience);
        self.machine = machine;
        self.audiences.clear();
        let now = self.env.steady();
        // Nobody could come back meanwhile.
        for shared in self.shared.values() {
            shared.wait_anew(now);
        }
        self.deaf_to = (0..self.config.event_partitions)
            .map(EventPartition)
            .collect();
        if let Some(inner) = self.node.upgrade() {
            let missed = tail::missed(&inner, self.number, epoch, &self.machine);
            tail::ask_for(&inner, missed);
        }
        info!(
            session.partition = self.number.0,
            sessions = self.shared.len(),
            "the session partition is taken over again"
        );
    }

    /// A relay begins to tell what was missed. Once all have begun, sessions are taken again: who
    /// asks a relay for anything from now on is behind what it tells.
    pub(super) fn hear_again(&mut self, from: EventPartition, epoch: Epoch) {
        if epoch == self.epoch && self.deaf_to.remove(&from) && self.deaf_to.is_empty() {
            self.condition.send_replace(Condition::Working(epoch));
        }
    }

    pub(super) fn end_all(&self, ending: Ending) {
        for shared in self.shared.values() {
            shared.end(ending);
        }
    }
}

/// Tries until it succeeds; `None` when the partition belongs to somebody else, or the node ends.
async fn take_again(
    node: Weak<Inner>,
    number: Number,
    mut epoch: Epoch,
    condition: watch::Sender<Condition>,
) -> Option<Folded> {
    let mut pause = PAUSE_MIN;
    loop {
        let inner = node.upgrade()?;
        match sessions::take_again(&inner, number, &mut epoch).await {
            Ok(folded) => return Some(folded),
            Err(Failure::Stale { .. }) => return None,
            Err(failure) => {
                warn!(session.partition = number.0, %failure, "the session partition waits");
                condition.send_replace(Condition::Recovering(failure));
            }
        }
        drop(inner);
        tokio::time::sleep(pause).await;
        pause = PAUSE_MAX.min(2 * pause);
    }
}

/// Answers whoever waits for an answer; gives back what asks for the end.
fn refuse(input: Input, failure: &Failure) -> Option<oneshot::Sender<()>> {
    match input {
        Input::Open { reply, .. } => drop(reply.send(Err(failure.clone()))),
        Input::Attach { reply, .. } => drop(reply.send(Err(failure.clone().into()))),
        Input::Stop { done } | Input::Lose { done } => return Some(done),
        Input::Told { .. }
        | Input::Volatile { .. }
        | Input::Settle { .. }
        | Input::Retelling { .. } => {}
    }
    None
}
