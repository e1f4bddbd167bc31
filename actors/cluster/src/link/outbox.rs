//! The calling side of one lane to one peer: what waits to be sent, and who waits for an answer.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::batch::{Batch, Message};
use super::bounds::{BODY_BYTES_MAX, CALLS_IN_FLIGHT_MAX, MESSAGE_OVERHEAD_BYTES, QUEUE_BYTES_MAX};
use super::connection::Source;
use super::metrics::LaneMetrics;
use super::{Lane, LinkError};

/// Outlives the connections of its lane, one after the other.
pub(super) struct Outbox {
    state: Mutex<State>,
    bell: Notify,
    pub(super) metrics: LaneMetrics,
}

#[derive(Default)]
struct State {
    is_open: bool,
    last_id: u64,
    queue: VecDeque<Message>,
    queued_bytes: usize,
    waiting: HashMap<u64, Waiting>,
}

/// Somebody who waits for an answer.
struct Waiting {
    answer: oneshot::Sender<Result<Bytes, LinkError>>,
    is_sent: bool,
}

impl Outbox {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            state: Mutex::default(),
            bell: Notify::new(),
            metrics: LaneMetrics::of(lane),
        }
    }

    /// There is a connection, until the returned guard is dropped.
    pub(super) fn open(&self) -> Open<'_> {
        self.state.lock().is_open = true;
        Open { outbox: self }
    }

    pub(super) async fn call(&self, body: Bytes, within: Duration) -> Result<Bytes, LinkError> {
        let call = self.metrics.call();
        let outcome = self.ask(body, within).await;
        call.ended(&outcome);
        outcome
    }

    async fn ask(&self, body: Bytes, within: Duration) -> Result<Bytes, LinkError> {
        let (asking, answer) = self.enqueue_call(body)?;
        let outcome = timeout(within, answer).await;
        drop(asking);
        // An answer is always given before its sender is gone.
        outcome.map_or(Err(LinkError::Overdue), |answer| {
            answer.unwrap_or(Err(LinkError::Lost))
        })
    }

    fn enqueue_call(&self, body: Bytes) -> Result<(Asking<'_>, Answer), LinkError> {
        let mut state = self.state.lock();
        if state.is_open && state.waiting.len() >= CALLS_IN_FLIGHT_MAX {
            return Err(LinkError::Busy);
        }
        let id = state.last_id + 1;
        state.enqueue(Message::Call { id, body })?;
        state.last_id = id;
        let (sender, answer) = oneshot::channel();
        let waiting = Waiting {
            answer: sender,
            is_sent: false,
        };
        state.waiting.insert(id, waiting);
        drop(state);
        self.bell.notify_one();
        Ok((Asking { outbox: self, id }, answer))
    }

    pub(super) fn tell(&self, body: Bytes) -> Result<(), LinkError> {
        let outcome = self.state.lock().enqueue(Message::Tell { body });
        self.metrics.told(outcome);
        self.bell.notify_one();
        outcome
    }

    /// The other side has answered, or will not. Whoever has given up is not told.
    pub(super) fn answered(&self, id: u64, answer: Result<Bytes, LinkError>) {
        let waiting = self.state.lock().waiting.remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.answer.send(answer);
        }
    }
}

type Answer = oneshot::Receiver<Result<Bytes, LinkError>>;

impl State {
    fn enqueue(&mut self, message: Message) -> Result<(), LinkError> {
        if !self.is_open {
            return Err(LinkError::Unreachable);
        }
        if message.weight() > BODY_BYTES_MAX + MESSAGE_OVERHEAD_BYTES {
            return Err(LinkError::TooLarge);
        }
        let queued_bytes = self.queued_bytes + message.weight();
        if queued_bytes > QUEUE_BYTES_MAX && !self.queue.is_empty() {
            return Err(LinkError::Busy);
        }
        self.queued_bytes = queued_bytes;
        self.queue.push_back(message);
        Ok(())
    }
}

impl Source for Outbox {
    fn fill(&self, batch: &mut Batch) {
        let mut state = self.state.lock();
        let state = &mut *state;
        while let Some(message) = state.queue.front() {
            if !batch.has_room(message) {
                return;
            }
            let is_wanted = match message {
                Message::Call { id, .. } => match state.waiting.get_mut(id) {
                    Some(waiting) => {
                        waiting.is_sent = true;
                        true
                    }
                    // Its caller has given up meanwhile.
                    None => false,
                },
                _ => true,
            };
            if is_wanted {
                batch.add(message);
            }
            state.queued_bytes -= message.weight();
            state.queue.pop_front();
        }
    }

    fn bell(&self) -> &Notify {
        &self.bell
    }
}

/// The lane is connected as long as this lives. With its end everybody who waits hears that there
/// will be no answer, and whether the other side may have heard the question.
pub(super) struct Open<'a> {
    outbox: &'a Outbox,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let (waiting, queue) = {
            let mut state = self.outbox.state.lock();
            state.is_open = false;
            state.queued_bytes = 0;
            let waiting = std::mem::take(&mut state.waiting);
            (waiting, std::mem::take(&mut state.queue))
        };
        drop(queue);
        for waiting in waiting.into_values() {
            let error = if waiting.is_sent {
                LinkError::Lost
            } else {
                LinkError::Unreachable
            };
            let _ = waiting.answer.send(Err(error));
        }
    }
}

/// Gives the place of a call back, whether it was answered or given up.
struct Asking<'a> {
    outbox: &'a Outbox,
    id: u64,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.outbox.state.lock().waiting.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::batch::Messages;
    use super::*;

    fn outbox() -> Outbox {
        Outbox::new(Lane::Bulk)
    }

    fn sent(outbox: &Outbox) -> Vec<Message> {
        let mut batch = Batch::new(0);
        outbox.fill(&mut batch);
        let frame = batch.into_bytes();
        let mut messages = Messages::of(&frame, 0).unwrap();
        std::iter::from_fn(|| messages.next().unwrap()).collect()
    }

    fn call(body: &'static str) -> Message {
        Message::Call {
            id: 1,
            body: Bytes::from(body),
        }
    }

    #[test]
    fn a_call_without_a_connection_is_unreachable() {
        let outbox = outbox();
        let error = outbox.enqueue_call(Bytes::new()).err();
        assert_eq!(error, Some(LinkError::Unreachable));
        assert_eq!(outbox.tell(Bytes::new()), Err(LinkError::Unreachable));
    }

    #[test]
    fn what_was_sent_is_lost_with_the_connection_and_what_was_not_is_unreachable() {
        let outbox = outbox();
        let open = outbox.open();
        let (_first, mut first) = outbox.enqueue_call(Bytes::from("first")).unwrap();
        assert_eq!(sent(&outbox), [call("first")]);
        let (_second, mut second) = outbox.enqueue_call(Bytes::from("second")).unwrap();
        drop(open);
        assert_eq!(first.try_recv().unwrap(), Err(LinkError::Lost));
        assert_eq!(second.try_recv().unwrap(), Err(LinkError::Unreachable));
        let _open = outbox.open();
        assert_eq!(sent(&outbox), [], "the next connection begins anew");
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_before_it_is_sent_never_is() {
        let outbox = outbox();
        let _open = outbox.open();
        let call = outbox.call(Bytes::from("no"), Duration::from_secs(1));
        assert_eq!(call.now_or_never(), None);
        outbox.tell(Bytes::from("yes")).unwrap();
        let told = Message::Tell {
            body: Bytes::from("yes"),
        };
        assert_eq!(sent(&outbox), [told]);
        assert_eq!(outbox.state.lock().queued_bytes, 0);
    }

    #[test]
    fn a_full_queue_takes_nothing_and_an_empty_one_takes_the_largest() {
        let outbox = outbox();
        let _open = outbox.open();
        let largest = Bytes::from(vec![0; BODY_BYTES_MAX]);
        assert_eq!(outbox.tell(largest.clone()), Ok(()));
        assert_eq!(outbox.tell(Bytes::new()), Err(LinkError::Busy));
        let error = outbox.enqueue_call(Bytes::new()).err();
        assert_eq!(error, Some(LinkError::Busy));
        assert_eq!(sent(&outbox).len(), 1);
        assert_eq!(outbox.tell(Bytes::new()), Ok(()));
        let half = Bytes::from(vec![0; QUEUE_BYTES_MAX / 2]);
        assert_eq!(outbox.tell(half.clone()), Ok(()));
        assert_eq!(outbox.tell(half), Err(LinkError::Busy));
    }

    #[test]
    fn small_messages_share_a_frame_up_to_its_bound() {
        let outbox = outbox();
        let _open = outbox.open();
        for _ in 0..100 {
            outbox.tell(Bytes::from(vec![0; 1_000])).unwrap();
        }
        let frames: Vec<usize> = std::iter::from_fn(|| {
            let messages = sent(&outbox).len();
            (messages > 0).then_some(messages)
        })
        .collect();
        assert_eq!(frames, [61, 39]);
    }
}
