//! Lets a relay tell a session partition the end of its events log again: what the partition has
//! not heard when it is taken over, from another node or, after its log has refused a frame, from
//! this one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use guildhall_model::event::{Event, Source};
use guildhall_model::{
    Epoch, EventPartition as EventPartitionNumber, GuildId, Position, SessionPartition as Number,
    UserId,
};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_state::relay::{Relay, SessionRef, Sessions, Subscriber};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::EventRef;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::event_log::{Stable, after};
use crate::guild_at;
use crate::node::{Inner, Node};
use crate::relay::{Input, RelayTask};
use crate::session::registry::Registry;
use crate::session::sequencer::{self, Shares};

/// Pause before a relay that could not tell what was missed is asked again; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What a session partition has missed of one event partition.
#[derive(Clone, Debug)]
pub(crate) struct Missed {
    pub(crate) partition: Number,
    /// Under which epoch it asks: a later one asks for more.
    pub(crate) epoch: Epoch,
    /// Everything before was heard; `None` if it has no sessions that could have missed anything.
    from: Option<Position>,
    /// Its sessions in the guilds of the event partition, each with the place after which it
    /// hears.
    subscribers: Vec<(GuildId, Subscriber, u64)>,
}

/// What a session partition has missed of each event partition, by its log.
pub(crate) fn missed(
    inner: &Inner,
    partition: Number,
    epoch: Epoch,
    machine: &SessionPartition,
) -> Vec<Missed> {
    let listens = machine.sessions().next().is_some();
    let of = |of| Missed {
        partition,
        epoch,
        from: listens.then(|| machine.heard(of)),
        subscribers: Vec::new(),
    };
    let numbers = (0..inner.config.event_partitions).map(EventPartitionNumber);
    let mut missed: Vec<Missed> = numbers.map(of).collect();
    for (guild, subscriber, gseq) in subscribers(partition, machine) {
        let of = usize::from(inner.number_of(Source::Guild(guild)).0);
        if let Some(missed) = missed.get_mut(of) {
            missed.subscribers.push((guild, subscriber, gseq));
        }
    }
    missed
}

/// Asks all relays to tell a session partition what it has missed.
pub(crate) fn ask_for(inner: &Arc<Inner>, missed: Vec<Missed>) {
    for (relay, missed) in inner.relays().iter().zip(missed) {
        tokio::spawn(ask(Arc::downgrade(inner), relay.clone(), missed));
    }
}

async fn ask(node: Weak<Inner>, relay: mpsc::Sender<Input>, missed: Missed) {
    let mut pause = PAUSE_MIN;
    while node.strong_count() > 0 {
        let (done, told) = oneshot::channel();
        let retell = Input::Retell {
            missed: Box::new(missed.clone()),
            done,
        };
        if relay.send(retell).await.is_err() {
            return;
        }
        match told.await {
            Ok(Ok(())) | Err(_) => return,
            Ok(Err(failure)) => {
                warn!(session.partition = missed.partition.0, %failure, "what was missed is told later");
            }
        }
        tokio::time::sleep(pause).await;
        pause = PAUSE_MAX.min(2 * pause);
    }
}

/// All subscriptions of a session partition, each with the place after which the session hears.
fn subscribers(
    partition: Number,
    machine: &SessionPartition,
) -> impl Iterator<Item = (GuildId, Subscriber, u64)> + '_ {
    machine.sessions().flat_map(move |(slot, session)| {
        let subscriber = Subscriber {
            session: SessionRef { partition, slot },
            viewer: session.opening.viewer,
            shard: session.opening.shard,
        };
        let guilds = session.guilds.iter();
        guilds.map(move |(&guild, &gseq)| (guild, subscriber, gseq))
    })
}

/// Tells a session partition what it has missed up to the place where the relay stands. The relay
/// tells nothing else meanwhile, and takes over the subscriptions that result.
pub(crate) async fn retell(
    node: &Node,
    task: &mut RelayTask,
    missed: Missed,
) -> Result<(), Failure> {
    let (number, epoch) = (missed.partition, missed.epoch);
    if task.retold.get(&number).is_some_and(|&told| told >= epoch) {
        return Ok(());
    }
    // Its former owner's relay may have been ahead of this one.
    task.catch_up(node, missed.from).await?;
    let (relay, tail) = as_it_was(node, task, missed).await?;
    let mut again = RelayTask::new(&node.inner, task.partition, Position::START);
    again.relay = relay;
    let from = task.partition;
    let begins = sequencer::Input::Retelling { from, epoch };
    task.sequencers.tell(number, begins).await;
    hear(node, &mut again, &tail, number, &task.relay).await;
    task.relay.absorb(again.relay);
    task.retold.insert(number, epoch);
    task.tell_heard(number).await;
    Ok(())
}

/// A relay with a session partition's subscriptions as they were where it stopped hearing, and
/// what has happened from there to where this relay stands.
async fn as_it_was(
    node: &Node,
    task: &mut RelayTask,
    missed: Missed,
) -> Result<(Relay, Vec<Stable>), Failure> {
    let mut relay = Relay::default();
    let Some(from) = missed.from else {
        return Ok((relay, Vec::new()));
    };
    let stores = node.stores();
    let guilds = missed.subscribers.iter().map(|(guild, ..)| *guild);
    let mut unknown: Vec<GuildId> = guilds.filter(|&id| !task.relay.follows(id)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let (mut loaded, mut tail) =
        guild_at::load_with_tail(stores, task.partition, unknown, from).await?;
    for (guild_id, subscriber, gseq) in missed.subscribers {
        if !relay.follows(guild_id) {
            let known = task.relay.state(guild_id).cloned();
            let Some(state) = known.or_else(|| loaded.remove(&guild_id)) else {
                continue;
            };
            relay.follow(guild_at::before(state, &tail));
        }
        relay.resubscribe(guild_id, subscriber, gseq);
    }
    // What the relay has not heard itself, it will tell as usual.
    tail.retain(|stable| stable.position < task.heard);
    Ok((relay, tail))
}

/// Hears a tail for one session partition. The relay that stands at its end knows guilds that are
/// joined in it.
async fn hear(node: &Node, task: &mut RelayTask, tail: &[Stable], number: Number, ahead: &Relay) {
    let registry = Arc::clone(&task.registry);
    let sessions = OfPartition(&registry, number);
    for (n, stable) in tail.iter().enumerate() {
        task.heard = after(stable.position);
        if let Some(guild_id) = joined(stable, &sessions).filter(|&id| !task.relay.follows(id))
            && let Some(state) = ahead.state(guild_id)
        {
            let then = guild_at::before(state.clone(), &tail[n + 1..]);
            task.relay.follow(then);
        }
        let mut steps = task.follow_for_joiner(node, stable, &sessions).await;
        steps.extend(task.relay.hear(&stable.record, &sessions));
        let at = EventRef {
            partition: task.partition,
            position: stable.position,
        };
        let mut shares = Shares::default();
        shares.add(at, stable, steps);
        task.sequencers
            .send(shares, task.partition, task.heard)
            .await;
        crash::pass(Point::TailTold);
    }
}

/// The sessions of one partition: to all others nothing is told again, so they must not be thought
/// to hear a guild because of it.
struct OfPartition<'a>(&'a Registry, Number);

impl Sessions for OfPartition<'_> {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        let mut sessions = self.0.of(user);
        sessions.retain(|subscriber| subscriber.session.partition == self.1);
        sessions
    }
}

/// The guild that a user with such sessions has joined with this event.
fn joined(stable: &Stable, sessions: &dyn Sessions) -> Option<GuildId> {
    let Event::MemberJoined { member, .. } = &stable.record.event else {
        return None;
    };
    let is_here = !sessions.of(member.user.id).is_empty();
    stable.record.source.guild_id().filter(|_| is_here)
}
