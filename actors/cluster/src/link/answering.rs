//! The side that is called: one lane's connection from a peer, and the answers on their way back.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::NodeId;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tracing::error;

use super::Answers;
use super::batch::{Batch, Message};
use super::bounds::{
    BODY_BYTES_MAX, CALLS_ANSWERED_BYTES_MAX, CALLS_ANSWERED_MAX, QUEUE_BYTES_MAX,
};
use super::connection::{Frames, Source, write_frames};
use super::error::Ended;
use super::metrics::LaneMetrics;

/// How much of one peer's lane may be worked on at a time, over all of its connections.
#[derive(Clone)]
pub(super) struct Room {
    calls: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            calls: Arc::new(Semaphore::new(CALLS_ANSWERED_MAX)),
            bytes: Arc::new(Semaphore::new(CALLS_ANSWERED_BYTES_MAX as usize)),
        }
    }
}

/// The place of one call, free again when it is dropped.
struct Place {
    _call: Option<OwnedSemaphorePermit>,
    _bytes: Option<OwnedSemaphorePermit>,
}

impl Room {
    async fn place(&self, bytes: usize) -> Place {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let calls = Arc::clone(&self.calls).acquire_owned();
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes.min(CALLS_ANSWERED_BYTES_MAX));
        // Neither semaphore is ever closed.
        Place {
            _call: calls.await.ok(),
            _bytes: bytes.await.ok(),
        }
    }
}

/// Answers what comes on a lane until the connection ends.
pub(super) async fn answer_lane(
    io: impl AsyncRead + AsyncWrite,
    from: NodeId,
    answers: &Arc<dyn Answers>,
    room: &Room,
    metrics: &LaneMetrics,
) -> Ended {
    let (reader, writer) = tokio::io::split(io);
    let lane = Reading {
        from,
        answers,
        room,
        replies: Arc::default(),
    };
    let replies = Arc::clone(&lane.replies);
    let frames = Frames::new(reader, metrics.received_bytes.clone());
    // Cancel-safe: whichever ends first, the connection has ended.
    let ended = tokio::select! {
        ended = lane.read(frames) => ended,
        ended = write_frames(writer, replies.as_ref(), &metrics.sent_bytes) => ended,
    };
    replies.close();
    ended
}

struct Reading<'a> {
    from: NodeId,
    answers: &'a Arc<dyn Answers>,
    room: &'a Room,
    replies: Arc<Replies>,
}

impl Reading<'_> {
    async fn read(&self, mut frames: Frames<impl AsyncRead>) -> Ended {
        loop {
            if let Err(ended) = self.read_frame(&mut frames).await {
                return ended;
            }
        }
    }

    async fn read_frame(&self, frames: &mut Frames<impl AsyncRead>) -> Result<(), Ended> {
        let mut messages = frames.next().await?;
        while let Some(message) = messages.next()? {
            match message {
                Message::Call { id, body } => self.begin(id, body).await,
                Message::Tell { body } => self.answers.heard(self.from, body),
                Message::Answer { .. } | Message::NoAnswer { .. } => {
                    return Err(Ended::Unexpected);
                }
            }
        }
        Ok(())
    }

    /// Begins to answer a call, when there is room.
    async fn begin(&self, id: u64, call: Bytes) {
        self.replies.has_room().await;
        let place = self.room.place(call.len()).await;
        let reply = Reply {
            replies: Arc::clone(&self.replies),
            id,
            answer: None,
        };
        let (from, answers) = (self.from, Arc::clone(self.answers));
        // The task outlives the connection: what a call has begun is not cut off in its middle.
        tokio::spawn(async move {
            let mut reply = reply;
            reply.answer = Some(answers.answer(from, call).await);
            drop(reply);
            drop(place);
        });
    }
}

/// Sends its answer when it is dropped; or that there is none, when the task has panicked.
struct Reply {
    replies: Arc<Replies>,
    id: u64,
    answer: Option<Bytes>,
}

impl Drop for Reply {
    fn drop(&mut self) {
        let id = self.id;
        let message = match self.answer.take() {
            Some(body) if body.len() > BODY_BYTES_MAX => {
                let bytes = body.len();
                error!(
                    bytes,
                    "an answer of {bytes} bytes is too large for the link"
                );
                Message::NoAnswer { id }
            }
            Some(body) => Message::Answer { id, body },
            None => Message::NoAnswer { id },
        };
        self.replies.push(message);
    }
}

/// Answers that wait to be sent. Bounded by the calls that are being answered, of which none
/// begins while there are too many bytes.
#[derive(Default)]
struct Replies {
    state: Mutex<State>,
    bell: Notify,
    sent: Notify,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    queue: VecDeque<Message>,
    queued_bytes: usize,
}

impl Replies {
    fn push(&self, message: Message) {
        let mut state = self.state.lock();
        if state.is_closed {
            return;
        }
        state.queued_bytes += message.weight();
        state.queue.push_back(message);
        drop(state);
        self.bell.notify_one();
    }

    /// Waits until few enough bytes wait. For one task alone, the reader.
    async fn has_room(&self) {
        while self.state.lock().queued_bytes > QUEUE_BYTES_MAX {
            self.sent.notified().await;
        }
    }

    fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.queue.clear();
    }
}

impl Source for Replies {
    fn fill(&self, batch: &mut Batch) {
        let mut state = self.state.lock();
        while let Some(message) = state.queue.front() {
            if !batch.has_room(message) {
                break;
            }
            batch.add(message);
            state.queued_bytes -= message.weight();
            state.queue.pop_front();
        }
        drop(state);
        self.sent.notify_one();
    }

    fn bell(&self) -> &Notify {
        &self.bell
    }
}

#[cfg(test)]
mod tests;
