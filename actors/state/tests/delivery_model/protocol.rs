//! The states and steps of the delivery protocol.

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::{Epoch, EventPartition, NodeId, Position, UserId};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::{
    Entry, EventRef, Frame, FrameRecord, Opening, To,
};
use stateright::{Model, Property};

/// An event of a source, by its place in the source's stream.
type Event = (u8, u8);

/// A rule that can be left out, to show that it is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Records of superseded epochs are void.
    Epochs,
    /// Who has seen more than a takeover counts is refused.
    Cap,
    /// An owner asks the directory before it takes a client back.
    Directory,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Faults {
    /// An owner is replaced only when it is dead.
    Crashes,
    /// An owner may be replaced while it lives, and does not notice.
    Zombies,
}

/// What is searched.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// How many events each source has.
    pub(crate) events: [u8; 2],
    pub(crate) nodes: usize,
    /// How often the client may lose its socket.
    pub(crate) disconnects: u8,
    pub(crate) faults: Faults,
    pub(crate) without: Option<Rule>,
}

/// A record of the frames log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Record {
    Take { epoch: u32 },
    Event { epoch: u32, event: Event },
    Attach { epoch: u32, attempt: u8 },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    is_dead: bool,
    /// Under which epoch it believes to own the partition.
    epoch: Option<u32>,
    /// The session's events that it knows to be stable.
    view: Vec<Event>,
    cap: Option<usize>,
    pending: Option<Event>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Client {
    connected: Option<usize>,
    /// The node that has taken it back, with the attempt whose record must become stable.
    attaching: Option<(usize, u8)>,
    attempts: u8,
    got: Vec<Event>,
    is_refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    frames: Vec<Record>,
    /// Stable records of superseded epochs.
    void: Vec<Record>,
    /// Appends under way: each may become stable at any later time, or never.
    in_flight: Vec<Record>,
    owner: usize,
    nodes: Vec<Node>,
    client: Client,
    disconnects: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Send(usize, u8),
    Apply(usize),
    Acknowledge(usize),
    Output,
    Crash(usize),
    TakeOver(usize),
    Disconnect,
    Resume(usize),
    Attached,
}

impl Protocol {
    /// What a successor reads: the session's events that count, and its cap.
    fn fold(&self, frames: &[Record]) -> (Vec<Event>, Option<usize>) {
        let mut machine = SessionPartition::default();
        machine.fold(Epoch(1), &FrameRecord::Take { node: NodeId(0) });
        machine.fold(Epoch(1), &frame(Entry::Open(opening())));
        let mut view = Vec::new();
        for record in frames {
            let (epoch, record_of_log) = encoded(*record);
            let epoch = match (self.without, record) {
                (Some(Rule::Epochs), Record::Event { .. } | Record::Attach { .. }) => {
                    machine.epoch()
                }
                _ => epoch,
            };
            let before = machine.session(0).map(|session| session.s);
            machine.fold(epoch, &record_of_log);
            if let Record::Event { event, .. } = record
                && machine.session(0).map(|session| session.s) != before
            {
                view.push(*event);
            }
        }
        let cap = machine.session(0).and_then(|session| session.cap);
        // READY is number one.
        (view, cap.map(|cap| cap as usize - 1))
    }

    /// Only former owners ever look at void records, and their order means nothing.
    fn append(&self, world: &mut World, record: Record) {
        let (epoch, _) = encoded(record);
        let is_void = epoch < Epoch(world.epoch());
        if is_void && self.without != Some(Rule::Epochs) {
            world.void.push(record);
            world.void.sort_unstable();
        } else {
            world.frames.push(record);
        }
    }

    fn may_take_over(&self, world: &World, node: usize) -> bool {
        let is_fresh = !world.nodes[node].is_dead && world.nodes[node].epoch.is_none();
        is_fresh && (self.faults == Faults::Zombies || world.nodes[world.owner].is_dead)
    }

    fn may_try(&self, world: &World, node: usize) -> bool {
        let client = &world.client;
        let is_away = client.connected.is_none() && client.attaching.is_none();
        let believes = !world.nodes[node].is_dead && world.nodes[node].epoch.is_some();
        let is_owner = world.owner == node || self.without == Some(Rule::Directory);
        is_away && !client.is_refused && believes && is_owner
    }

    fn resume(&self, world: &mut World, node: usize) {
        let seq = world.client.got.len();
        let owner = &world.nodes[node];
        let is_capped = owner.cap.is_some_and(|cap| seq > cap) && self.without != Some(Rule::Cap);
        if seq > owner.view.len() || is_capped {
            world.client.is_refused = true;
            return;
        }
        let attempt = world.client.attempts + 1;
        world.client.attempts = attempt;
        world.client.attaching = Some((node, attempt));
        let epoch = owner
            .epoch
            .expect("who takes a client back owns the partition");
        world.in_flight.push(Record::Attach { epoch, attempt });
        world.in_flight.sort_unstable();
    }

    fn take_over(&self, world: &mut World, node: usize) {
        let epoch = world.epoch() + 1;
        world.owner = node;
        world.frames.push(Record::Take { epoch });
        let (view, cap) = self.fold(&world.frames);
        world.nodes[node] = Node {
            is_dead: false,
            epoch: Some(epoch),
            view,
            cap,
            pending: None,
        };
    }
}

impl World {
    fn epoch(&self) -> u32 {
        let takes = self.frames.iter();
        let takes = takes.filter(|record| matches!(record, Record::Take { .. }));
        u32::try_from(takes.count()).expect("few nodes")
    }

    fn stable(&self) -> impl Iterator<Item = &Record> {
        self.frames.iter().chain(&self.void)
    }

    fn next_of(&self, node: usize, source: u8) -> u8 {
        let known = self.nodes[node].view.iter().filter(|(of, _)| *of == source);
        u8::try_from(known.count()).expect("few events") + 1
    }

    fn is_stable(&self, node: usize, event: Event) -> bool {
        let epoch = self.nodes[node].epoch;
        self.stable().any(|record| {
            matches!(record, Record::Event { epoch: of, event: stable }
                if Some(*of) == epoch && *stable == event)
        })
    }

    fn lose(&mut self, node: usize) {
        let client = &mut self.client;
        client.connected = client.connected.filter(|&at| at != node);
        client.attaching = client.attaching.filter(|(at, _)| *at != node);
    }

    fn attached(&self) -> Option<(usize, u8)> {
        let (node, attempt) = self.client.attaching?;
        let is_stable = self.stable().any(
            |record| matches!(record, Record::Attach { attempt: stable, .. } if *stable == attempt),
        );
        is_stable.then_some((node, attempt))
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let mut nodes = vec![Node::default(); self.nodes];
        nodes[0].epoch = Some(1);
        vec![World {
            frames: vec![Record::Take { epoch: 1 }],
            void: Vec::new(),
            in_flight: Vec::new(),
            owner: 0,
            nodes,
            client: Client {
                connected: Some(0),
                ..Client::default()
            },
            disconnects: self.disconnects,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.client.is_refused {
            return;
        }
        for (n, node) in world
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.is_dead)
        {
            if node.epoch.is_some() && node.pending.is_none() {
                let ready = |&s: &u8| world.next_of(n, s) <= self.events[usize::from(s)];
                steps.extend((0..2).filter(ready).map(|source| Step::Send(n, source)));
            }
            if node.pending.is_some_and(|event| world.is_stable(n, event)) {
                steps.push(Step::Acknowledge(n));
            }
            if self.may_take_over(world, n) {
                steps.push(Step::TakeOver(n));
            }
            if self.may_try(world, n) {
                steps.push(Step::Resume(n));
            }
            // A node that never owned anything might as well not be there.
            if node.epoch.is_some() {
                steps.push(Step::Crash(n));
            }
        }
        steps.extend((0..world.in_flight.len()).map(Step::Apply));
        let waits = |at: usize| world.client.got.len() < world.nodes[at].view.len();
        if world.client.connected.is_some_and(waits) {
            steps.push(Step::Output);
        }
        if world.client.connected.is_some() && world.disconnects > 0 {
            steps.push(Step::Disconnect);
        }
        if world.attached().is_some() {
            steps.push(Step::Attached);
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        match step {
            Step::Send(node, source) => {
                let event = (source, world.next_of(node, source));
                let epoch = world.nodes[node].epoch?;
                world.nodes[node].pending = Some(event);
                world.in_flight.push(Record::Event { epoch, event });
                world.in_flight.sort_unstable();
            }
            Step::Apply(place) => {
                let record = world.in_flight.remove(place);
                self.append(&mut world, record);
            }
            Step::Acknowledge(node) => {
                let event = world.nodes[node].pending.take()?;
                world.nodes[node].view.push(event);
            }
            Step::Output => {
                let next = world.client.got.len();
                let event = world.nodes[world.client.connected?].view[next];
                world.client.got.push(event);
            }
            Step::Crash(node) => {
                world.nodes[node] = Node {
                    is_dead: true,
                    ..Node::default()
                };
                world.lose(node);
            }
            Step::TakeOver(node) => self.take_over(&mut world, node),
            Step::Disconnect => {
                world.disconnects -= 1;
                world.client.connected = None;
            }
            Step::Resume(node) => self.resume(&mut world, node),
            Step::Attached => {
                let (node, _) = world.attached()?;
                world.client.attaching = None;
                world.client.connected = Some(node);
                world.nodes[node].cap = None;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("exact", |_, world: &World| {
                (0..2).all(|source| {
                    let of_source = world.client.got.iter().filter(|(of, _)| *of == source);
                    of_source.map(|(_, gseq)| *gseq).eq((1..).take(
                        world
                            .client
                            .got
                            .iter()
                            .filter(|(of, _)| *of == source)
                            .count(),
                    ))
                })
            }),
            Property::sometimes("refused", |_, world: &World| world.client.is_refused),
            Property::sometimes("complete", |protocol: &Self, world: &World| {
                let all: u8 = protocol.events.iter().sum();
                world.client.got.len() == usize::from(all)
            }),
        ]
    }
}

fn opening() -> Opening {
    Opening {
        slot: 0,
        secret: [0; 16],
        credential: [0; 32],
        login: None,
        viewer: Viewer {
            user_id: UserId::new(1).expect("one is an id"),
            intents: None,
        },
        shard: Shard::WHOLE,
    }
}

fn frame(entry: Entry) -> FrameRecord {
    FrameRecord::Frame(Frame {
        entries: vec![entry],
        heard: Vec::new(),
    })
}

fn encoded(record: Record) -> (Epoch, FrameRecord) {
    match record {
        Record::Take { epoch } => (Epoch(epoch), FrameRecord::Take { node: NodeId(0) }),
        Record::Attach { epoch, .. } => (Epoch(epoch), frame(Entry::Attach { slot: 0 })),
        Record::Event { epoch, event } => {
            let at = EventRef {
                partition: EventPartition(event.0.into()),
                position: Position(event.1.into()),
            };
            let to = To::Slots(vec![0]);
            (Epoch(epoch), frame(Entry::Event { at, to }))
        }
    }
}
