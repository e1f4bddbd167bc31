//! Bounded mailboxes over ractor's unbounded ports.

use std::sync::Arc;

use guildhall_model::Rejection;
use guildhall_ports::Failure;
use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::Refused;
use crate::observe::Fill;

/// The way to an actor. At most a fixed number of messages wait or are being worked on; one more
/// is refused, so that a slow actor sheds load instead of growing.
#[derive(Debug)]
pub(crate) struct Mailbox<M: Send + 'static> {
    actor: ActorRef<Envelope<M>>,
    permits: Arc<Semaphore>,
    bound: usize,
}

/// A message with its place in the mailbox, which is free again when the envelope is dropped.
#[derive(Debug)]
pub(crate) struct Envelope<M> {
    pub(crate) message: M,
    _permit: OwnedSemaphorePermit,
}

impl<M: Send + 'static> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            permits: Arc::clone(&self.permits),
            bound: self.bound,
        }
    }
}

impl<M: Send + 'static> Mailbox<M> {
    pub(crate) fn new(actor: ActorRef<Envelope<M>>, bound: usize) -> Self {
        Self {
            actor,
            permits: Arc::new(Semaphore::new(bound)),
            bound,
        }
    }

    /// How many messages wait or are being worked on.
    pub(crate) fn fill(&self) -> Fill {
        Fill {
            used: self.bound.saturating_sub(self.permits.available_permits()),
            bound: self.bound,
        }
    }

    /// Sends a message and waits for the answer, which the actor may give long after it has
    /// turned to the next message.
    pub(crate) async fn ask<R>(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<R, Refused>>) -> M,
    ) -> Result<R, Refused> {
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(|_| Refused::Rejection(Rejection::Overloaded))?;
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope {
            message: message(reply),
            _permit: permit,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that counts what it sends"
        )]
        let sent = self.actor.send_message(envelope);
        sent.map_err(|_| restarting())?;
        answer.await.unwrap_or_else(|_| Err(restarting().into()))
    }

    /// Lets the actor finish what it is doing, and waits until it is gone.
    pub(crate) async fn stop(&self, why: &str) {
        // An actor that is gone already needs no stopping.
        let _ = self.actor.stop_and_wait(Some(why.to_owned()), None).await;
    }

    /// As [`Self::stop`], without waiting.
    pub(crate) fn retire(&self, why: &str) {
        self.actor.stop(Some(why.to_owned()));
    }

    pub(crate) fn is_alive(&self) -> bool {
        matches!(
            self.actor.get_status(),
            ractor::ActorStatus::Unstarted
                | ractor::ActorStatus::Starting
                | ractor::ActorStatus::Running
                | ractor::ActorStatus::Upgrading
        )
    }
}

/// The actor has stopped, by a failure or a takeover; the next message finds its successor.
fn restarting() -> Failure {
    Failure::unavailable("the actor", "it is being restarted")
}
