//! Taking over: first the directory, then `Take` in the log, then what the former owner left.

use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_model::event::{Event, Source};
use guildhall_model::snowflake::Generator;
use guildhall_model::{Epoch, GuildId, NodeId, Position};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::{Entry, Frame, FrameRecord};

use super::events::EventPart;
use super::sessions::SessionPart;
use super::{Node, Wait};
use crate::simulation::env::{Env, Question};
use crate::simulation::log::{EventsRecord, Topic, after, decode, encode};
use crate::simulation::scenario::Weakness;
use crate::simulation::store::Slice;

/// Partitions that are taken over together.
#[derive(Debug, Default)]
pub(super) struct Order {
    waiting: BTreeSet<Slice>,
    folded: Vec<SessionPart>,
}

/// An event partition whose outbox is on its way into the log.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) number: u16,
    epoch: Epoch,
    end: Position,
    outbox: Vec<(GuildId, u64)>,
}

/// A session partition as its log tells it.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) number: u16,
    epoch: Epoch,
    machine: SessionPartition,
    tidying: FrameRecord,
}

impl Node {
    pub(super) fn take_over(&mut self, env: &mut Env, slices: Vec<(Slice, Epoch)>) {
        self.tokens += 1;
        let order = self.tokens;
        let mut free = Vec::new();
        for (slice, expected) in slices {
            let is_taking = self.has(slice) && !self.serves(slice);
            let owner = env.directory.owner(slice);
            let is_owner = owner.is_some_and(|(node, _)| node == self.number);
            if is_taking || self.serves(slice) && is_owner {
                continue;
            }
            if env.directory.epoch(slice) != expected {
                continue;
            }
            self.give_up(env, slice);
            free.push((slice, expected));
        }
        if free.is_empty() {
            return;
        }
        let waiting = free.iter().map(|(slice, _)| *slice).collect();
        self.orders.insert(
            order,
            Order {
                waiting,
                folded: Vec::new(),
            },
        );
        for (slice, expected) in free {
            let waiter = self.wait(env, Wait::Claim(slice, order));
            env.ask(Question::Claim(slice, expected, waiter));
        }
    }

    pub(super) fn is_folding(&self, slice: Slice) -> bool {
        let orders = self.orders.values();
        orders
            .flat_map(|order| &order.folded)
            .any(|part| Slice::Session(part.number) == slice)
    }

    /// The directory has answered. Until `Take` is stable the former owner's records still count.
    pub(super) fn claimed(&mut self, env: &mut Env, token: u64, epoch: Option<Epoch>) {
        let Some((_, Wait::Claim(slice, order))) = self.waiting.remove(&token) else {
            return;
        };
        let Some(epoch) = epoch else {
            return self.order_done(env, order, slice);
        };
        let node = NodeId(u16::try_from(self.number).expect("few nodes"));
        let (topic, partition, take) = match slice {
            Slice::Event(number) => (Topic::Events, number, encode(&EventsRecord::Take(node))),
            Slice::Session(number) => (Topic::Frames, number, encode(&FrameRecord::Take { node })),
        };
        let wait = Wait::Take(slice, epoch, order);
        self.append(env, (topic, partition, epoch), vec![take], wait);
    }

    pub(super) fn took(
        &mut self,
        env: &mut Env,
        slice: Slice,
        (epoch, taken): (Epoch, Position),
        order: u64,
    ) {
        match slice {
            Slice::Event(number) => self.take_events(env, (number, epoch, taken), order),
            Slice::Session(number) => self.fold(env, (number, epoch, taken), order),
        }
    }

    /// Brings the projection up to date, and appends what the outbox still holds.
    fn take_events(
        &mut self,
        env: &mut Env,
        (number, epoch, taken): (u16, Epoch, Position),
        order: u64,
    ) {
        project(env, number);
        let floor = env.store.messages.highest_id().max(self.ids.last());
        let bits = u16::try_from(self.number).expect("few nodes");
        self.ids = Generator::new(bits, floor);
        let mut missing: Vec<Arc<[u8]>> = Vec::new();
        let mut outbox = Vec::new();
        let guilds: Vec<GuildId> = env.store.guilds.keys().copied().collect();
        for guild in guilds
            .into_iter()
            .filter(|&id| env.partition_of(id) == number)
        {
            let in_log = env.store.messages.last_gseq(Source::Guild(guild));
            for record in env.outbox_of(guild) {
                outbox.push((guild, record.gseq));
                if in_log < record.gseq {
                    missing.push(encode(&EventsRecord::Event(Box::new((*record).clone()))));
                }
            }
        }
        let taken = Taken {
            number,
            epoch,
            end: after(taken),
            outbox,
        };
        if missing.is_empty() {
            self.caught_up(env, &taken, order);
        } else {
            env.tally.fault("outbox left behind");
            let to = (Topic::Events, number, epoch);
            self.append(env, to, missing, Wait::Outbox(taken, order));
        }
    }

    pub(super) fn caught_up(&mut self, env: &mut Env, taken: &Taken, order: u64) {
        let number = taken.number;
        let last = project(env, number);
        for &(guild, gseq) in &taken.outbox {
            env.store.outbox_done(guild, gseq);
        }
        let end = last.max(taken.end);
        self.events.insert(number, EventPart::new(taken.epoch, end));
        self.order_done(env, order, Slice::Event(number));
    }

    /// Folds the frames log from the newest snapshot on.
    fn fold(&mut self, env: &mut Env, (number, epoch, taken): (u16, Epoch, Position), order: u64) {
        let snapshots = env.store.snapshots.entry(number).or_default();
        let (mut machine, from) = match snapshots.last_key_value() {
            Some((&upto, bytes)) => {
                let machine = SessionPartition::from_snapshot(bytes)
                    .expect("only what was encoded is kept as a snapshot");
                (machine, upto)
            }
            None => (SessionPartition::default(), Position::START),
        };
        for record in env.frames.read(number, from) {
            if taken < record.position {
                break;
            }
            let decoded = decode(&record.payload);
            let is_take = matches!(decoded, FrameRecord::Take { .. });
            let counts_as = if is_take || !env.is_weak(Weakness::Epochs) {
                record.epoch
            } else {
                machine.epoch()
            };
            machine.fold(counts_as, &decoded);
        }
        let unsettled = machine
            .sessions()
            .filter(|(_, one)| one.settled_at.is_none());
        let mut entries: Vec<Entry> = unsettled.map(|(slot, _)| Entry::Close { slot }).collect();
        entries.extend(machine.audience_ids().map(|id| Entry::AudienceEnd { id }));
        let tidying = FrameRecord::Frame(Frame {
            entries,
            heard: Vec::new(),
        });
        let payload = encode(&tidying);
        let folded = Box::new(Folded {
            number,
            epoch,
            machine,
            tidying,
        });
        // Sessions that broke off during their start cannot be resumed, and no relay knows the
        // sets of sessions that a former owner has numbered.
        let to = (Topic::Frames, number, epoch);
        self.append(env, to, vec![payload], Wait::Tidy(folded, order));
    }

    pub(super) fn tidied(&mut self, env: &mut Env, folded: Folded, last: Position, order: u64) {
        let Folded {
            number,
            epoch,
            mut machine,
            tidying,
        } = folded;
        machine.fold(epoch, &tidying);
        let part = SessionPart::new(env, number, epoch, machine, after(last));
        if let Some(order) = self.orders.get_mut(&order) {
            order.folded.push(part);
        }
        self.order_done(env, order, Slice::Session(number));
    }

    /// One partition of an order is done, or given up. When all are, their relays start.
    pub(super) fn order_done(&mut self, env: &mut Env, number: u64, slice: Slice) {
        let Some(order) = self.orders.get_mut(&number) else {
            return;
        };
        order.waiting.remove(&slice);
        if !order.waiting.is_empty() {
            return;
        }
        let parts = self.orders.remove(&number).map(|order| order.folded);
        let parts = parts.unwrap_or_default();
        if !parts.is_empty() {
            self.start_group(env, parts);
        }
    }
}

/// Applies what the projection has not seen yet. Says where the events end.
pub(in crate::simulation) fn project(env: &mut Env, number: u16) -> Position {
    let applied = env.store.messages.applied(number);
    let compares = !env.is_weak(Weakness::Epochs);
    let tail = env.events.committed(number, applied, compares);
    let end = tail.last().map_or(applied, |last| after(last.position));
    debug_assert!(
        tail.iter()
            .all(|one| !matches!(one.record.event, Event::GuildDeleted))
    );
    env.store.messages.apply(number, &tail, end);
    end
}
