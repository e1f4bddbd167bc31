//! The states of the delivery protocol: one session partition, one client, two sources.

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::{Epoch, EventPartition, NodeId, Position, UserId};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::{
    Entry, EventRef, Frame, FrameRecord, Opening, To,
};
use stateright::{Model, Property};

use super::steps::Step;

/// An event of a source, by its place in the source's stream.
pub(crate) type Event = (u8, u8);

/// A rule that can be left out, to show that it is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Records of superseded epochs are void.
    Epochs,
    /// Who has seen more than a takeover counts is refused.
    Cap,
    /// A logged `Attach` says that its client has seen no more than what counts.
    Attach,
    /// An owner knows whether it still is one: see [`Guard`].
    Guard,
    /// A dispatch waits until its frame is stable.
    Stable,
}

/// What tells an owner that another one has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Guard {
    /// The directory, which it asks before it takes a client back.
    Directory,
    /// The log: a `Take` that stands before its own append. It tells nothing that stands behind
    /// one, takes nobody back there, and asks the directory only before it refuses somebody.
    Log,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Faults {
    /// An owner is replaced only when it is dead.
    Crashes,
    /// An owner may be replaced while it lives, and does not notice.
    Zombies,
}

/// How a new owner takes over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Takeover {
    /// The directory changes and `Take` becomes stable in one step.
    AtOnce,
    /// The directory changes first; `Take` is an append like any other.
    InSteps,
}

/// What is searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    /// How many events each source has.
    pub(crate) events: [u8; 2],
    pub(crate) nodes: usize,
    /// How often the client may lose its socket.
    pub(crate) disconnects: u8,
    pub(crate) faults: Faults,
    pub(crate) takeover: Takeover,
    pub(crate) guard: Guard,
    pub(crate) without: &'static [Rule],
}

/// A record of the frames log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Record {
    Take {
        epoch: u32,
    },
    Event {
        epoch: u32,
        event: Event,
    },
    /// `is_awaited`: the client waits for this very record.
    Attach {
        epoch: u32,
        is_awaited: bool,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) is_dead: bool,
    /// The epoch that the directory gave it, until its `Take` is stable.
    pub(crate) claimed: Option<u32>,
    /// Under which epoch it believes to own the partition.
    pub(crate) epoch: Option<u32>,
    /// The session's events that it knows to be stable.
    pub(crate) view: Vec<Event>,
    pub(crate) cap: Option<usize>,
    pub(crate) pending: Option<Event>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) connected: Option<usize>,
    /// The node that has taken it back, and whose record of that must become stable.
    pub(crate) attaching: Option<usize>,
    pub(crate) got: Vec<Event>,
    pub(crate) is_refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) frames: Vec<Record>,
    /// Stable records of superseded epochs.
    pub(crate) void: Vec<Record>,
    /// Appends under way: each may become stable at any later time, or never.
    pub(crate) in_flight: Vec<Record>,
    /// The owner and its epoch, as the directory says.
    pub(crate) directory: (usize, u32),
    pub(crate) nodes: Vec<Node>,
    pub(crate) client: Client,
    pub(crate) disconnects: u8,
    /// A takeover has counted a record of another epoch than that of the `Take` before it.
    pub(crate) is_mixed: bool,
}

/// What a successor reads from the frames log.
pub(crate) struct Folded {
    /// The session's events that count.
    pub(crate) view: Vec<Event>,
    pub(crate) cap: Option<usize>,
    pub(crate) is_mixed: bool,
}

impl Protocol {
    pub(crate) fn holds(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }

    pub(crate) fn is_guarded_by(&self, guard: Guard) -> bool {
        self.guard == guard && self.holds(Rule::Guard)
    }

    /// Folds the log with the real machine, but for a rule that is left out.
    pub(crate) fn fold(&self, frames: &[Record]) -> Folded {
        let mut machine = SessionPartition::default();
        machine.fold(Epoch(1), &FrameRecord::Take { node: NodeId(0) });
        machine.fold(Epoch(1), &frame(Entry::Open(opening())));
        let mut view = Vec::new();
        let mut is_mixed = false;
        for record in frames {
            if matches!(record, Record::Attach { .. }) && !self.holds(Rule::Attach) {
                continue;
            }
            let (written, record_of_log) = encoded(*record);
            let is_take = matches!(record, Record::Take { .. });
            let epoch = if is_take || self.holds(Rule::Epochs) {
                written
            } else {
                machine.epoch()
            };
            let before = machine.session(0).map(|session| session.s);
            machine.fold(epoch, &record_of_log);
            let counts = machine.session(0).map(|session| session.s) != before;
            if let Record::Event { event, .. } = record
                && counts
            {
                view.push(*event);
                is_mixed |= written != machine.epoch();
            }
        }
        let cap = machine.session(0).and_then(|session| session.cap);
        Folded {
            view,
            // READY is number one.
            cap: cap.map(|cap| cap as usize - 1),
            is_mixed,
        }
    }

    /// What a node would write to its client's socket, in order.
    pub(crate) fn tellable(&self, node: &Node) -> Vec<Event> {
        let mut tellable = node.view.clone();
        if !self.holds(Rule::Stable) {
            tellable.extend(node.pending);
        }
        tellable
    }
}

impl World {
    fn begin(protocol: &Protocol) -> Self {
        let mut nodes = vec![Node::default(); protocol.nodes];
        nodes[0].epoch = Some(1);
        Self {
            frames: vec![Record::Take { epoch: 1 }],
            void: Vec::new(),
            in_flight: Vec::new(),
            directory: (0, 1),
            nodes,
            client: Client {
                connected: Some(0),
                ..Client::default()
            },
            disconnects: protocol.disconnects,
            is_mixed: false,
        }
    }

    /// The newest epoch of the log.
    pub(crate) fn epoch(&self) -> u32 {
        let takes = self.frames.iter().map(|record| match record {
            Record::Take { epoch } => *epoch,
            _ => 0,
        });
        takes.max().unwrap_or(0)
    }

    pub(crate) fn stable(&self) -> impl Iterator<Item = &Record> {
        self.frames.iter().chain(&self.void)
    }

    fn is_told_in_order(&self) -> bool {
        (0..2).all(|source| {
            let of_source = self.client.got.iter().filter(|(of, _)| *of == source);
            of_source.zip(1..).all(|((_, gseq), due)| *gseq == due)
        })
    }

    fn has_seen_all(&self, protocol: &Protocol) -> bool {
        let all: u8 = protocol.events.iter().sum();
        self.client.got.len() == usize::from(all)
    }
}

/// The names of the properties: those of the protocol's specification.
pub(crate) const M1: &str = "M1: every source's events come without gap or repeat";
pub(crate) const M2: &str = "M2: who is connected has seen a beginning of what its owner counts";
pub(crate) const M3: &str = "M3: between two takeovers only one epoch counts";
pub(crate) const M4: &str = "M4: a client is refused";
pub(crate) const M5: &str = "M5: when faults stop, everything arrives";
pub(crate) const COMPLETE: &str = "a client has seen everything";

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(self)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if !world.client.is_refused {
            self.progress(world, steps);
            self.faults(world, steps);
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        self.take(&mut world, step)?;
        world.forget(self);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(M1, |_, world: &World| world.is_told_in_order()),
            Property::always(M2, |protocol: &Self, world: &World| {
                world.client.connected.is_none_or(|at| {
                    let tellable = protocol.tellable(&world.nodes[at]);
                    tellable.starts_with(&world.client.got)
                })
            }),
            Property::always(M3, |_, world: &World| !world.is_mixed),
            Property::sometimes(M4, |_, world: &World| world.client.is_refused),
            // No step can be undone, so that whoever can always take one comes to an end.
            Property::always(M5, |protocol: &Self, world: &World| {
                let is_over = world.client.is_refused || world.has_seen_all(protocol);
                let owner = &world.nodes[world.directory.0];
                if is_over || owner.is_dead {
                    return true;
                }
                let mut steps = Vec::new();
                protocol.progress(world, &mut steps);
                !steps.is_empty()
            }),
            Property::sometimes(COMPLETE, |protocol: &Self, world: &World| {
                world.has_seen_all(protocol)
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
        viewer: Viewer::person(UserId::new(1).expect("one is an id")),
        shard: Shard::WHOLE,
    }
}

fn frame(entry: Entry) -> FrameRecord {
    FrameRecord::Frame(Frame {
        entries: vec![entry],
        heard: Vec::new(),
    })
}

pub(crate) fn encoded(record: Record) -> (Epoch, FrameRecord) {
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
