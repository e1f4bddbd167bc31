//! The steps of the delivery protocol: what nodes and the client do, and what goes wrong.

use super::protocol::{
    Event, Faults, Folded, Guard, Node, Protocol, Record, Rule, Takeover, World,
};

/// One step of the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Send(usize, u8),
    Apply(usize),
    Acknowledge(usize),
    Output,
    Begin(usize),
    Resume(usize),
    Attached,
    Crash(usize),
    TakeOver(usize),
    Disconnect,
}

impl Protocol {
    /// The steps that happen by themselves when nothing goes wrong.
    pub(crate) fn progress(&self, world: &World, steps: &mut Vec<Step>) {
        for (n, node) in living(world) {
            if node.epoch.is_some() && node.pending.is_none() {
                let ready = |&s: &u8| world.next_of(n, s) <= self.events[usize::from(s)];
                steps.extend((0..2).filter(ready).map(|source| Step::Send(n, source)));
            }
            if node.pending.is_some_and(|event| world.is_stable(n, event)) {
                steps.push(Step::Acknowledge(n));
            }
            if node.claimed.is_some_and(|epoch| world.has_take(epoch)) {
                steps.push(Step::Begin(n));
            }
            if self.may_try(world, n) {
                steps.push(Step::Resume(n));
            }
        }
        steps.extend((0..world.in_flight.len()).map(Step::Apply));
        let waits = |at: usize| world.client.got.len() < self.tellable(&world.nodes[at]).len();
        if world.client.connected.is_some_and(waits) {
            steps.push(Step::Output);
        }
        if world.attached().is_some() {
            steps.push(Step::Attached);
        }
    }

    /// What may go wrong now.
    pub(crate) fn faults(&self, world: &World, steps: &mut Vec<Step>) {
        let replaceable = self.faults == Faults::Zombies || world.nodes[world.directory.0].is_dead;
        // Nodes that never owned anything are alike, and might as well not be there: one of them
        // stands for all.
        let fresh = living(world).find(|(_, node)| node.is_fresh());
        if replaceable && let Some((n, _)) = fresh {
            steps.push(Step::TakeOver(n));
        }
        let involved = living(world).filter(|(_, node)| !node.is_fresh());
        steps.extend(involved.map(|(n, _)| Step::Crash(n)));
        if world.client.connected.is_some() && world.disconnects > 0 {
            steps.push(Step::Disconnect);
        }
    }

    /// Takes a step; `None` if it changes nothing.
    pub(crate) fn take(&self, world: &mut World, step: Step) -> Option<()> {
        match step {
            Step::Send(node, source) => {
                let event = (source, world.next_of(node, source));
                let epoch = world.nodes[node].epoch?;
                world.nodes[node].pending = Some(event);
                world.send(Record::Event { epoch, event });
            }
            Step::Apply(place) => {
                let record = world.in_flight.remove(place);
                self.apply(world, record);
            }
            Step::Acknowledge(node) => {
                let event = world.nodes[node].pending.take()?;
                let epoch = world.nodes[node].epoch?;
                if self.is_told_of_successors(world, Record::Event { epoch, event }) {
                    world.give_up(node);
                } else {
                    world.nodes[node].view.push(event);
                }
            }
            Step::Output => {
                let tellable = self.tellable(&world.nodes[world.client.connected?]);
                let event = *tellable.get(world.client.got.len())?;
                world.client.got.push(event);
            }
            Step::Begin(node) => {
                let epoch = world.nodes[node].claimed?;
                if self.is_told_of_successors(world, Record::Take { epoch }) {
                    world.give_up(node);
                } else {
                    self.begin(world, node, epoch);
                }
            }
            Step::Resume(node) => self.resume(world, node),
            Step::Attached => {
                let node = world.attached()?;
                let epoch = world.nodes[node].epoch?;
                let is_awaited = true;
                if self.is_told_of_successors(world, Record::Attach { epoch, is_awaited }) {
                    world.give_up(node);
                    return Some(());
                }
                world.client.attaching = None;
                world.client.connected = Some(node);
                if self.holds(Rule::Attach) {
                    world.nodes[node].cap = None;
                }
            }
            Step::Crash(node) => world.give_up(node),
            Step::TakeOver(node) => self.take_over(world, node),
            Step::Disconnect => {
                world.disconnects -= 1;
                world.client.connected = None;
            }
        }
        Some(())
    }

    /// Only former owners ever look at void records, and their order means nothing.
    fn apply(&self, world: &mut World, record: Record) {
        if record.epoch() < world.epoch() && self.holds(Rule::Epochs) {
            world.void.push(record);
            world.void.sort_unstable();
        } else {
            world.frames.push(record);
        }
    }

    /// Whether a node finds another one's `Take` before its own record.
    fn is_told_of_successors(&self, world: &World, record: Record) -> bool {
        self.is_guarded_by(Guard::Log) && !world.frames.contains(&record)
    }

    fn take_over(&self, world: &mut World, node: usize) {
        let epoch = world.directory.1 + 1;
        world.directory = (node, epoch);
        match self.takeover {
            Takeover::AtOnce => {
                world.frames.push(Record::Take { epoch });
                self.begin(world, node, epoch);
            }
            Takeover::InSteps => {
                world.nodes[node].claimed = Some(epoch);
                world.send(Record::Take { epoch });
            }
        }
    }

    /// Folds the log up to the own `Take`, and serves.
    fn begin(&self, world: &mut World, node: usize, epoch: u32) {
        let take = Record::Take { epoch };
        let own = world.frames.iter().position(|record| *record == take);
        let upto = own.map_or(world.frames.len(), |place| place + 1);
        let Folded {
            view,
            cap,
            is_mixed,
        } = self.fold(&world.frames[..upto]);
        world.is_mixed |= is_mixed;
        world.nodes[node] = Node {
            epoch: Some(epoch),
            view,
            cap,
            ..Node::default()
        };
    }

    fn may_try(&self, world: &World, node: usize) -> bool {
        let client = &world.client;
        let is_away = client.connected.is_none() && client.attaching.is_none();
        let serves = world.nodes[node].epoch.is_some();
        let is_owner = world.directory.0 == node;
        let may = match self.guard {
            Guard::Directory => is_owner || !self.holds(Rule::Guard),
            Guard::Log => is_owner || !self.holds(Rule::Guard) || !self.would_refuse(world, node),
        };
        is_away && serves && may
    }

    fn would_refuse(&self, world: &World, node: usize) -> bool {
        let seq = world.client.got.len();
        let owner = &world.nodes[node];
        let is_capped = owner.cap.is_some_and(|cap| seq > cap) && self.holds(Rule::Cap);
        seq > owner.view.len() || is_capped
    }

    fn resume(&self, world: &mut World, node: usize) {
        if self.would_refuse(world, node) {
            world.client.is_refused = true;
            return;
        }
        world.client.attaching = Some(node);
        let epoch = world.nodes[node]
            .epoch
            .expect("who takes a client back owns the partition");
        world.send(Record::Attach {
            epoch,
            is_awaited: true,
        });
    }
}

impl Node {
    fn is_fresh(&self) -> bool {
        self.epoch.is_none() && self.claimed.is_none()
    }
}

impl Record {
    fn epoch(self) -> u32 {
        match self {
            Self::Take { epoch } | Self::Event { epoch, .. } | Self::Attach { epoch, .. } => epoch,
        }
    }
}

impl World {
    fn send(&mut self, record: Record) {
        self.in_flight.push(record);
        self.in_flight.sort_unstable();
    }

    fn has_take(&self, epoch: u32) -> bool {
        self.stable()
            .any(|record| *record == Record::Take { epoch })
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

    /// A node ends, or does nothing more.
    fn give_up(&mut self, node: usize) {
        self.nodes[node] = Node {
            is_dead: true,
            ..Node::default()
        };
        let client = &mut self.client;
        client.connected = client.connected.filter(|&at| at != node);
        client.attaching = client.attaching.filter(|&at| at != node);
    }

    fn attached(&self) -> Option<usize> {
        let is_awaited =
            |record: &Record| matches!(record, Record::Attach { is_awaited, .. } if *is_awaited);
        self.client
            .attaching
            .filter(|_| self.stable().any(is_awaited))
    }

    /// Forgets what nothing depends on any more, so that equal situations are equal states.
    pub(crate) fn forget(&mut self, protocol: &Protocol) {
        if self.client.attaching.is_none() {
            for record in self.all_records() {
                if let Record::Attach { is_awaited, .. } = record {
                    *is_awaited = false;
                }
            }
        }
        self.in_flight.sort_unstable();
        // Of several attachments under one epoch the first one lifts the cap; the first owner sets
        // none.
        let mut is_lifted = true;
        self.frames.retain(|record| match record {
            Record::Take { epoch } => {
                is_lifted = *epoch == 1;
                true
            }
            Record::Attach { is_awaited, .. } => {
                let counts = !std::mem::replace(&mut is_lifted, true);
                counts || *is_awaited
            }
            Record::Event { .. } => true,
        });
        if protocol.holds(Rule::Epochs) {
            let epoch = self.epoch();
            let is_awaited: Vec<bool> = self.in_flight.iter().map(|r| self.waits_for(*r)).collect();
            let mut awaited = is_awaited.into_iter();
            self.in_flight
                .retain(|record| awaited.next() == Some(true) || epoch <= record.epoch());
            let is_awaited: Vec<bool> = self.void.iter().map(|r| self.waits_for(*r)).collect();
            let mut awaited = is_awaited.into_iter();
            self.void.retain(|_| awaited.next() == Some(true));
        }
    }

    fn all_records(&mut self) -> impl Iterator<Item = &mut Record> {
        let logged = self.frames.iter_mut().chain(&mut self.void);
        logged.chain(&mut self.in_flight)
    }

    /// Somebody goes on when this record is stable, even if it is void.
    fn waits_for(&self, record: Record) -> bool {
        let mut nodes = self.nodes.iter();
        match record {
            Record::Take { epoch } => nodes.any(|node| node.claimed == Some(epoch)),
            Record::Event { epoch, event } => {
                nodes.any(|node| node.epoch == Some(epoch) && node.pending == Some(event))
            }
            Record::Attach { is_awaited, .. } => is_awaited,
        }
    }
}

fn living(world: &World) -> impl Iterator<Item = (usize, &Node)> {
    let nodes = world.nodes.iter().enumerate();
    nodes.filter(|(_, node)| !node.is_dead)
}
