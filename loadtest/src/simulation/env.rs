//! The world outside the nodes: virtual time, the network, the stores, and what goes wrong in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_model::event::Record;
use guildhall_model::{Epoch, GuildId, Position, Timestamp};
use xxhash_rust::xxh3::Xxh3;

use super::client::Packet;
use super::log::{Log, Topic};
use super::node::{Heard, Request, Response};
use super::scenario::{Faults, Scenario, Weakness};
use super::store::{Directory, Slice, Store};
use super::tally::Tally;
use super::tape::Tape;

/// Microseconds of virtual time.
pub(super) type Time = u64;

pub(super) const MS: Time = 1_000;
pub(super) const SECOND: Time = 1_000 * MS;

/// When the simulation begins, for the nodes' clocks.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// Something that happens at a moment.
#[derive(Debug)]
pub(super) enum Happening {
    /// An append reaches its log.
    Apply(Append),
    /// A commit reaches the relational store.
    Commit(Commit),
    /// A question reaches the directory.
    Directory(Question),
    /// Something reaches a node, if it still lives that life.
    Node(usize, u32, ToNode),
    /// Something reaches a client on one of its connections.
    Client(usize, u64, Packet),
    /// A request is answered.
    Answer(usize, u64, Response),
    /// Somebody does the next thing.
    Wake(Wake),
}

/// Who does something by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wake {
    Actor(usize),
    Client(usize),
    Tick(usize),
    Coordinator,
    Trouble,
    Restart(usize),
}

/// What reaches a node.
#[derive(Debug)]
pub(super) enum ToNode {
    Request(Request),
    Identify {
        client: usize,
        conn: u64,
    },
    Resume {
        client: usize,
        conn: u64,
        session: super::client::Name,
        seq: u64,
    },
    /// A client has taken in a packet.
    Credit {
        conn: u64,
    },
    /// A client's connection is gone.
    Gone {
        conn: u64,
    },
    /// Partitions to take over, each from the owner under this epoch.
    TakeOver(Vec<(Slice, Epoch)>),
    Heard(Heard),
    Appended(u64, Result<Vec<Position>, ()>),
    Claimed(u64, Option<Epoch>),
    Confirmed(u64, bool),
    Committed(u64, bool),
}

/// Who waits for an answer of an engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) node: usize,
    pub(super) life: u32,
    pub(super) token: u64,
}

/// An append under way.
#[derive(Debug)]
pub(super) struct Append {
    topic: Topic,
    partition: u16,
    epoch: Epoch,
    payloads: Vec<Arc<[u8]>>,
    /// How many of the records become stable.
    stable: usize,
    waiter: Waiter,
    is_answered: bool,
}

/// A commit under way.
#[derive(Debug)]
pub(super) struct Commit {
    partition: u16,
    epoch: Epoch,
    records: Vec<Record>,
    waiter: Waiter,
    is_answered: bool,
}

/// What the directory is asked.
#[derive(Debug)]
pub(super) enum Question {
    Claim(Slice, Epoch, Waiter),
    Confirm(Slice, Epoch, Waiter),
}

/// Everything that nodes and clients share.
pub(super) struct Env {
    pub(super) now: Time,
    pub(super) rng: fastrand::Rng,
    pub(super) scenario: Scenario,
    /// What goes wrong at present: nothing once the world has healed.
    pub(super) faults: Faults,
    pub(super) events: Log,
    pub(super) frames: Log,
    pub(super) directory: Directory,
    pub(super) store: Store,
    pub(super) tape: Tape,
    pub(super) tally: Tally,
    /// Bounds that did not hold, and other things that must not be.
    pub(super) broken: Vec<String>,
    queue: BTreeMap<(Time, u64), Happening>,
    scheduled: u64,
    trace: Xxh3,
}

impl Env {
    pub(super) fn new(seed: u64, scenario: Scenario) -> Self {
        Self {
            now: 0,
            rng: fastrand::Rng::with_seed(seed),
            events: Log::new(scenario.event_partitions),
            frames: Log::new(scenario.session_partitions),
            faults: scenario.faults,
            scenario,
            directory: Directory::default(),
            store: Store::default(),
            tape: Tape::default(),
            tally: Tally::default(),
            broken: Vec::new(),
            queue: BTreeMap::new(),
            scheduled: 0,
            trace: Xxh3::new(),
        }
    }

    pub(super) fn is_weak(&self, weakness: Weakness) -> bool {
        self.scenario.weak.contains(&weakness)
    }

    pub(super) fn clock(&self, skew_ms: i64) -> Timestamp {
        let elapsed = i64::try_from(self.now / MS).expect("runs take hours, not ages");
        Timestamp(BEGIN_MS + elapsed + skew_ms)
    }

    pub(super) fn after(&mut self, delay: Time, what: Happening) {
        self.scheduled += 1;
        self.queue.insert((self.now + delay, self.scheduled), what);
    }

    /// The next thing to happen, if any does before `until`.
    pub(super) fn next(&mut self, until: Time) -> Option<Happening> {
        let entry = self.queue.first_entry()?;
        let &(at, number) = entry.key();
        if until <= at {
            return None;
        }
        let what = entry.remove();
        self.now = at;
        self.note(&format!("{at} {number} {}", name(&what)));
        self.tally.happenings += 1;
        Some(what)
    }

    /// Takes something down in the trace.
    fn note(&mut self, what: &str) {
        self.trace.update(what.as_bytes());
        self.tape.trail(what);
    }

    /// A hash of all that has happened, in order.
    pub(super) fn trace(&self) -> u64 {
        let mut trace = self.trace.clone();
        trace.update(&self.tape.bytes());
        trace.digest()
    }

    /// Something happens once in so many times, as long as things go wrong at all.
    pub(super) fn chance(&mut self, one_in: u32) -> bool {
        one_in > 0 && self.rng.u32(0..one_in) == 0
    }

    /// How long something takes on the network.
    pub(super) fn delay(&mut self) -> Time {
        if self.chance(self.faults.slow) {
            self.tally.fault("delayed message");
            return self.rng.u64(5 * MS..2 * SECOND);
        }
        self.rng.u64(200..4 * MS)
    }

    /// Sends something to a node; the network may lose it.
    pub(super) fn send(&mut self, node: usize, life: u32, what: ToNode) {
        if self.chance(self.faults.lose) {
            return self.tally.fault("lost message");
        }
        let delay = self.delay();
        self.after(delay, Happening::Node(node, life, what));
    }

    /// Sends something to a node in whichever life it is.
    pub(super) fn broadcast(&mut self, node: usize, what: ToNode) {
        self.send(node, u32::MAX, what);
    }

    /// An engine answers; the answer may be lost.
    fn answer(&mut self, waiter: Waiter, is_answered: bool, what: ToNode) {
        if is_answered {
            let delay = self.rng.u64(100..2 * MS);
            self.after(delay, Happening::Node(waiter.node, waiter.life, what));
        }
    }

    /// Appends to a log. It may take long, fail, become stable in part or never, and its
    /// acknowledgement may be lost.
    pub(super) fn append(
        &mut self,
        (topic, partition): (Topic, u16),
        epoch: Epoch,
        payloads: Vec<Arc<[u8]>>,
        waiter: Waiter,
    ) {
        let stable = payloads.len();
        let mut append = Append {
            topic,
            partition,
            epoch,
            payloads,
            stable,
            waiter,
            is_answered: true,
        };
        let mut delay = self.rng.u64(300..4 * MS);
        // What can be torn is seldom, so it is torn more often.
        let one_in = if stable > 1 {
            self.faults.append / 9
        } else {
            self.faults.append
        };
        if self.chance(one_in) {
            match self.rng.u8(0..5) {
                1.. if stable > 1 => append.stable = self.rng.usize(0..stable),
                0 => {
                    self.tally.fault("lost append");
                    return;
                }
                1 => {
                    self.tally.fault("late append");
                    delay = self.rng.u64(SECOND..20 * SECOND);
                }
                2 => {
                    self.tally.fault("unacknowledged append");
                    append.is_answered = false;
                }
                // Readers of events know what they have read; frames are only counted, so that
                // a log must not double them.
                3 if topic == Topic::Events => {
                    self.tally.fault("doubled append");
                    let doubled = Append {
                        payloads: append.payloads.clone(),
                        is_answered: false,
                        ..append
                    };
                    let delay = self.rng.u64(MS..SECOND);
                    self.after(delay, Happening::Apply(doubled));
                }
                _ => append.stable = 0,
            }
            match append.stable {
                0 => self.tally.fault("failed append"),
                n if n < stable => self.tally.fault("torn append"),
                _ => {}
            }
        }
        self.after(delay, Happening::Apply(append));
    }

    pub(super) fn apply(&mut self, append: &Append) {
        let log = match append.topic {
            Topic::Events => &mut self.events,
            Topic::Frames => &mut self.frames,
        };
        let stable = &append.payloads[..append.stable];
        let positions = log.append(append.partition, append.epoch, stable);
        self.tally.records += stable.len() as u64;
        let is_whole = append.stable == append.payloads.len();
        let result = if is_whole { Ok(positions) } else { Err(()) };
        let what = ToNode::Appended(append.waiter.token, result);
        self.answer(append.waiter, append.is_answered, what);
    }

    /// Commits rows and outbox entries in one transaction.
    pub(super) fn commit(
        &mut self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Record>,
        waiter: Waiter,
    ) {
        let delay = self.delay();
        let is_answered = !self.chance(self.faults.append);
        self.after(
            delay,
            Happening::Commit(Commit {
                partition,
                epoch,
                records,
                waiter,
                is_answered,
            }),
        );
    }

    /// The transaction reads the directory's row as well: only the present owner may commit.
    pub(super) fn apply_commit(&mut self, commit: &Commit) {
        let owner = self.directory.epoch(Slice::Event(commit.partition));
        let is_owner = owner == commit.epoch || self.is_weak(Weakness::UnfencedCommit);
        let done = is_owner && self.store.commit(commit.epoch, &commit.records);
        let what = ToNode::Committed(commit.waiter.token, done);
        self.answer(commit.waiter, commit.is_answered, what);
    }

    pub(super) fn ask(&mut self, question: Question) {
        let delay = self.delay();
        self.after(delay, Happening::Directory(question));
    }

    pub(super) fn apply_question(&mut self, question: &Question) {
        let lost = self.chance(self.faults.lose);
        match *question {
            Question::Claim(slice, expected, waiter) => {
                let epoch = self.directory.claim(slice, waiter.node, expected);
                self.tally.takeovers += u64::from(epoch.is_some());
                self.answer(waiter, !lost, ToNode::Claimed(waiter.token, epoch));
            }
            Question::Confirm(slice, epoch, waiter) => {
                let is_owner = self.directory.confirm(slice, waiter.node, epoch);
                self.answer(waiter, !lost, ToNode::Confirmed(waiter.token, is_owner));
            }
        }
    }

    /// The events of a guild after its rows' beginning that may not be in the log yet.
    pub(super) fn outbox_of(&self, guild: GuildId) -> Vec<Arc<Record>> {
        let outbox = self.store.outbox_of(guild);
        outbox.map(|record| Arc::new(record.clone())).collect()
    }
}

fn name(what: &Happening) -> String {
    match what {
        Happening::Apply(append) => format!(
            "append {:?} {} epoch {} token {}",
            append.topic, append.partition, append.epoch, append.waiter.token
        ),
        Happening::Commit(commit) => format!("commit {}", commit.partition),
        Happening::Directory(question) => format!("directory {question:?}"),
        Happening::Node(node, life, what) => format!("node {node}.{life} {}", name_of(what)),
        Happening::Client(client, conn, _) => format!("client {client} on {conn}"),
        Happening::Answer(actor, call, response) => {
            format!("answer {call} to {actor}: {}", response.status)
        }
        Happening::Wake(wake) => format!("{wake:?}"),
    }
}

fn name_of(what: &ToNode) -> String {
    match what {
        ToNode::Request(request) => format!("request {}", request.call),
        ToNode::Identify { client, conn } => format!("identify of {client} on {conn}"),
        ToNode::Resume {
            client, conn, seq, ..
        } => format!("resume of {client} on {conn} at {seq}"),
        ToNode::Credit { conn } => format!("credit {conn}"),
        ToNode::Gone { conn } => format!("gone {conn}"),
        ToNode::TakeOver(slices) => format!("take over {slices:?}"),
        ToNode::Heard(heard) => format!("heard {} from {}", heard.partition, heard.prev),
        ToNode::Appended(token, result) => format!("appended {token}: {result:?}"),
        ToNode::Claimed(token, epoch) => format!("claimed {token}: {epoch:?}"),
        ToNode::Confirmed(token, is_owner) => format!("confirmed {token}: {is_owner}"),
        ToNode::Committed(token, done) => format!("committed {token}: {done}"),
    }
}
