//! Finding the owner of a partition, here or elsewhere, and asking it.

use std::time::Duration;

use bytes::Bytes;
use guildhall_cluster::link::{Lane, LinkError};
use guildhall_model::event::Source;
use guildhall_model::{EventPartition, UserId};
use guildhall_ports::Failure;
use guildhall_ports::directory::Partition;
use tokio::time::{Instant, timeout_at};

use super::carry_out::Owner;
use super::wire::{Reply, decode, encode};
use super::{Answer, Ask, Call};
use crate::cluster::company::Company;
use crate::cluster::requests::Request;
use crate::error::Refused;
use crate::node::Node;

/// How long a request waits for its partition to have an owner that answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an owner may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Pause before an owner is looked for again, unless another one is known before.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a node may take to say whether it has somebody's sessions.
const QUESTION_WITHIN: Duration = Duration::from_secs(2);
/// How often and how long other nodes are asked for what has to reach them.
const INSIST: (Duration, u32) = (Duration::from_secs(1), 60);

/// What came of asking one owner.
enum Asked {
    Answered(Result<Answer, Refused>),
    /// It is certain that nothing was done.
    NotHere,
}

impl Node {
    /// Has the owner of a source's stream carry something out.
    pub(crate) async fn ask(&self, source: Source, ask: Ask) -> Result<Answer, Refused> {
        self.ask_partition(self.inner.number_of(source), ask).await
    }

    /// Has the owner of a partition carry something out. Waits a little for one, if there is none.
    pub(crate) async fn ask_partition(
        &self,
        partition: EventPartition,
        ask: Ask,
    ) -> Result<Answer, Refused> {
        let deadline = Instant::now() + PATIENCE;
        let mut call = Call { partition, ask };
        let mut body = None;
        loop {
            if let Some(partition) = self.inner.events.get(partition) {
                let owner = Owner {
                    node: self,
                    partition: &partition,
                };
                // Large, and part of everything that asks.
                return Box::pin(owner.carry_out(call.ask)).await;
            }
            let Some(company) = &self.inner.company else {
                return Err(Failure::Closing.into());
            };
            let (asked, encoded);
            (asked, encoded, call) = self.ask_elsewhere(company, call, body).await;
            body = Some(encoded);
            if let Asked::Answered(outcome) = asked {
                return outcome;
            }
            if deadline <= Instant::now() {
                return Err(Failure::unavailable("the partition", "it has no owner now").into());
            }
            let mut owners = company.owners.subscribe();
            owners.mark_unchanged();
            // Whether one is known or not, it is looked for again.
            let _ = timeout_at(deadline.min(Instant::now() + LOOK_AGAIN), owners.changed()).await;
        }
    }

    /// Asks the owner that is known, if it is another node.
    async fn ask_elsewhere(
        &self,
        company: &Company,
        call: Call,
        body: Option<Bytes>,
    ) -> (Asked, Bytes, Call) {
        let partition = Partition::Event(call.partition);
        let request = Request::Call(call);
        let body = body.unwrap_or_else(|| encode(&request));
        let Request::Call(call) = request else {
            unreachable!("it was made above")
        };
        let owner = company.owner(partition);
        let Some(owner) = owner.filter(|owner| owner.node != self.inner.config.node) else {
            return (Asked::NotHere, body, call);
        };
        let answer = company
            .call(owner.node, Lane::Bulk, body.clone(), ANSWER_WITHIN)
            .await;
        (understand(answer), body, call)
    }

    /// Whether another node has a session of a user. Who does not answer has none that counts.
    pub(crate) async fn is_connected_elsewhere(&self, user: UserId) -> bool {
        let Some(company) = &self.inner.company else {
            return false;
        };
        let body = encode(&Request::HasSessions(user));
        let others: Vec<_> = company.others.lock().iter().copied().collect();
        for node in others {
            let answer = company
                .call(node, Lane::Control, body.clone(), QUESTION_WITHIN)
                .await;
            if let Asked::Answered(Ok(Answer::Whether(true))) = understand(answer) {
                return true;
            }
        }
        false
    }

    /// Asks all other nodes for something until each of them has answered or is gone.
    pub(crate) fn insist_on_others(&self, request: &Request) {
        let Some(company) = self.inner.company.clone() else {
            return;
        };
        let body = encode(request);
        let (pause, attempts) = INSIST;
        for node in company.others.lock().clone() {
            let (company, body) = (company.clone(), body.clone());
            tokio::spawn(async move {
                for _ in 0..attempts {
                    let answer = company.call(node, Lane::Control, body.clone(), pause).await;
                    if answer.is_ok() || !company.others.lock().contains(&node) {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            });
        }
    }
}

fn understand(answer: Result<Bytes, LinkError>) -> Asked {
    let answer = match answer {
        Ok(answer) => answer,
        Err(LinkError::Unreachable | LinkError::Busy) => return Asked::NotHere,
        Err(error) => {
            let failure = Failure::unavailable("the partition's owner", error);
            return Asked::Answered(Err(failure.into()));
        }
    };
    Asked::Answered(match decode(&answer) {
        Ok(Reply::Answer(answer)) => Ok(answer),
        Ok(Reply::Rejected(rejection)) => Err(rejection.into()),
        Ok(Reply::Failed(failed)) => Err(Failure::from(failed).into()),
        Ok(Reply::Elsewhere) => return Asked::NotHere,
        Err(failure) => Err(failure.into()),
    })
}
