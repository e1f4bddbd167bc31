//! An event partition on its owner: the append is the commit, once the directory has confirmed
//! that nobody has taken over meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use guildhall_model::event::Record;
use guildhall_model::{Epoch, GuildId, Position};

use super::guilds::{GuildHouse, Response};
use super::{Heard, Node, Wait};
use crate::simulation::env::{Env, Question, ToNode};
use crate::simulation::log::{EventsRecord, Stable, Topic, after, encode};
use crate::simulation::scenario::Weakness;
use crate::simulation::store::Slice;

/// Submissions that one append carries at most.
const BATCH_MAX: usize = 8;
/// Submissions that wait; one more is refused.
const QUEUE_MAX: usize = 64;

/// Records that are to become stable together, with who waits for that.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) records: Vec<Record>,
    pub(super) answer: Option<((usize, u64), Response)>,
}

/// One event partition that this node owns.
#[derive(Debug)]
pub(super) struct EventPart {
    pub(super) epoch: Epoch,
    /// Everything before it is stable and was passed on.
    pub(super) end: Position,
    pub(super) guilds: BTreeMap<GuildId, GuildHouse>,
    queue: VecDeque<Submission>,
    under_way: Vec<Submission>,
    stable: Vec<Stable>,
    is_busy: bool,
}

impl EventPart {
    pub(super) fn new(epoch: Epoch, end: Position) -> Self {
        Self {
            epoch,
            end,
            guilds: BTreeMap::new(),
            queue: VecDeque::new(),
            under_way: Vec::new(),
            stable: Vec::new(),
            is_busy: false,
        }
    }

    /// A place in the queue is free.
    pub(super) fn has_place(&self) -> bool {
        self.queue.len() < QUEUE_MAX
    }

    /// Nothing waits to become stable.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_busy && self.queue.is_empty()
    }

    /// Answers everybody who waits that it did not work.
    pub(super) fn refuse_all(self, env: &mut Env) {
        let submissions = self.under_way.into_iter().chain(self.queue);
        for (caller, _) in submissions.filter_map(|submission| submission.answer) {
            env.respond(caller, Response::failed());
        }
        for house in self.guilds.into_values() {
            house.refuse_all(env);
        }
    }
}

impl Node {
    /// Submits records, which take effect in the order of the calls.
    pub(super) fn submit(&mut self, env: &mut Env, number: u16, submission: Submission) {
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        part.queue.push_back(submission);
        // Places are taken before anything is decided; a commit under way holds one more.
        if part.queue.len() > QUEUE_MAX + env.scenario.guilds {
            let queue = part.queue.len();
            env.broken.push(format!("I8: {queue} submissions wait"));
        }
        self.write(env, number);
    }

    /// Appends what waits, if nothing is under way.
    fn write(&mut self, env: &mut Env, number: u16) {
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        if part.is_busy || part.queue.is_empty() {
            return;
        }
        part.is_busy = true;
        let n = part.queue.len().min(BATCH_MAX);
        part.under_way = part.queue.drain(..n).collect();
        let records = part.under_way.iter().flat_map(|one| &one.records);
        let payloads: Vec<Arc<[u8]>> = records
            .map(|record| encode(&EventsRecord::Event(Box::new(record.clone()))))
            .collect();
        let epoch = part.epoch;
        if payloads.is_empty() {
            self.confirm(env, number);
        } else {
            let to = (Topic::Events, number, epoch);
            self.append(env, to, payloads, Wait::Events(number));
        }
    }

    pub(super) fn events_appended(&mut self, env: &mut Env, number: u16, positions: &[Position]) {
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        let records = part.under_way.iter().flat_map(|one| &one.records);
        let placed = positions.iter().zip(records);
        part.stable = placed
            .map(|(&position, record)| Stable {
                position,
                record: Arc::new(record.clone()),
            })
            .collect();
        self.confirm(env, number);
    }

    /// The epoch counted when the records became stable, if it is the directory's even now.
    fn confirm(&mut self, env: &mut Env, number: u16) {
        if env.is_weak(Weakness::UnconfirmedAppend) {
            return self.owner_confirmed(env, number, true);
        }
        let Some(epoch) = self.events.get(&number).map(|part| part.epoch) else {
            return;
        };
        let waiter = self.wait(env, Wait::Owner(number));
        env.ask(Question::Confirm(Slice::Event(number), epoch, waiter));
    }

    pub(super) fn owner_confirmed(&mut self, env: &mut Env, number: u16, is_owner: bool) {
        if !is_owner {
            return self.give_up(env, Slice::Event(number));
        }
        let Some(part) = self.events.get_mut(&number) else {
            return;
        };
        part.is_busy = false;
        let stable = std::mem::take(&mut part.stable);
        let submissions = std::mem::take(&mut part.under_way);
        let prev = part.end;
        if let Some(last) = stable.last() {
            part.end = after(last.position);
        }
        let end = part.end;
        for submission in submissions {
            if let Some(last) = submission.records.last()
                && last.event.changes_access()
                && let Some(guild) = last.source.guild_id()
            {
                env.store.outbox_done(guild, last.gseq);
            }
            if let Some((caller, response)) = submission.answer {
                env.respond(caller, response);
            }
        }
        if !stable.is_empty() {
            env.store.messages.apply(number, &stable, end);
            self.push(
                env,
                &Heard {
                    partition: number,
                    prev,
                    events: stable,
                    end,
                },
            );
        }
        self.write(env, number);
    }

    /// Tells every node, this one included, what has become stable.
    fn push(&self, env: &mut Env, heard: &Heard) {
        for node in 0..env.scenario.nodes {
            if node == self.number {
                env.after(
                    50,
                    crate::simulation::env::Happening::Node(
                        node,
                        self.life,
                        ToNode::Heard(heard.clone()),
                    ),
                );
            } else {
                // Whichever life the node is in, it hears what is sent to it.
                env.broadcast(node, ToNode::Heard(heard.clone()));
            }
        }
    }
}
