//! Lets a relay tell the end of its events log again: to all that have not heard it when a node
//! starts, to one session partition after its own log has refused a frame.

use std::sync::{Arc, Weak};
use std::time::Duration;

use guildhall_model::event::{Event, Source};
use guildhall_model::{Epoch, GuildId, Position, SessionPartition as Number, UserId};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_state::guild::GuildState;
use guildhall_state::relay::{Relay, SessionRef, Sessions, Subscriber};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::EventRef;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use tracing::warn;

use crate::event_log::{self, Stable, after};
use crate::guild_at;
use crate::node::{Inner, Node};
use crate::partition::EventPartition;
use crate::relay::{Input, RelayTask};
use crate::session::registry::Registry;
use crate::session::sequencer::{self, Shares};

/// Pause before a relay that could not read its log is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

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

/// Asks all relays to tell a session partition again what it has missed.
pub(crate) fn ask_for(
    inner: &Arc<Inner>,
    partition: Number,
    epoch: Epoch,
    machine: &SessionPartition,
) {
    let listens = machine.sessions().next().is_some();
    for events in inner.event_partitions() {
        let here = |guild| inner.number_of(Source::Guild(guild)) == events.number;
        let missed = Missed {
            partition,
            epoch,
            from: listens.then(|| machine.heard(events.number)),
            subscribers: subscribers(partition, machine)
                .filter(|(guild, ..)| here(*guild))
                .collect(),
        };
        tokio::spawn(ask(Arc::downgrade(inner), Arc::clone(events), missed));
    }
}

async fn ask(node: Weak<Inner>, events: Arc<EventPartition>, missed: Missed) {
    while node.strong_count() > 0 {
        let (done, told) = oneshot::channel();
        let missed = Box::new(missed.clone());
        let retell = Input::Retell { missed, done };
        if events.relay.send(retell).await.is_err() {
            return;
        }
        match told.await {
            Ok(Ok(())) | Err(_) => return,
            Ok(Err(failure)) => {
                warn!(partition = events.number.0, %failure, "what was missed is told later");
            }
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// All subscriptions of a session partition, each with the place after which the session hears.
pub(super) fn subscribers(
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

/// Tells a session partition again what it has missed up to the place where the relay stands. The
/// relay tells nothing else meanwhile, and knows the subscriptions that result: it has heard the
/// same events.
pub(crate) async fn retell(
    node: &Node,
    task: &mut RelayTask,
    missed: Missed,
) -> Result<(), Failure> {
    let (number, epoch) = (missed.partition, missed.epoch);
    if task.retold.get(&number).is_some_and(|&told| told >= epoch) {
        return Ok(());
    }
    let stores = node.stores();
    let mut tail = Vec::new();
    if let Some(from) = missed.from {
        (tail, _) = event_log::read_all(&*stores.events, task.partition, from).await?;
    }
    let mut relay = Relay::default();
    for (guild_id, subscriber, gseq) in missed.subscribers {
        if !relay.follows(guild_id) {
            let state = match task.relay.state(guild_id) {
                Some(state) => state.clone(),
                // All of them have left since.
                None => match stores.guilds.load(guild_id).await? {
                    Some(rows) => GuildState::restore(rows),
                    None => continue,
                },
            };
            relay.follow(guild_at::before(state, &tail));
        }
        relay.resubscribe(guild_id, subscriber, gseq);
    }
    // What the relay has not heard itself, it will tell as usual.
    tail.retain(|stable| stable.position < task.heard);
    let mut again = RelayTask {
        partition: task.partition,
        relay,
        heard: Position::START,
        registry: Arc::clone(&task.registry),
        sequencers: task.sequencers.clone(),
        retold: FxHashMap::default(),
    };
    let others = task.sequencers.all().map(|(other, _)| *other);
    let mut heard: FxHashMap<Number, Position> =
        others.map(|other| (other, Position(u64::MAX))).collect();
    heard.insert(number, missed.from.unwrap_or(task.heard));
    let from = task.partition;
    let begins = sequencer::Input::Retelling { from, epoch };
    task.sequencers.tell(number, begins).await;
    hear(node, &mut again, &tail, &heard, Some(&task.relay)).await;
    task.retold.insert(number, epoch);
    task.tell_heard(number).await;
    Ok(())
}

/// Hears a tail; what a session partition had heard before is not told to it twice. A relay that
/// stands at its end, if there is one, knows guilds that are joined in it.
pub(super) async fn hear(
    node: &Node,
    task: &mut RelayTask,
    tail: &[Stable],
    heard: &FxHashMap<Number, Position>,
    ahead: Option<&Relay>,
) {
    let registry = Arc::clone(&task.registry);
    for (n, stable) in tail.iter().enumerate() {
        task.heard = after(stable.position);
        let unheard = Unheard {
            registry: &registry,
            heard,
            position: stable.position,
        };
        if let Some(guild_id) = joined(stable, &unheard).filter(|&id| !task.relay.follows(id))
            && let Some(state) = ahead.and_then(|relay| relay.state(guild_id))
        {
            let then = guild_at::before(state.clone(), &tail[n + 1..]);
            task.relay.follow(then);
        }
        let mut steps = task.follow_for_joiner(node, stable, &unheard).await;
        steps.extend(task.relay.hear(&stable.record, &unheard));
        let at = EventRef {
            partition: task.partition,
            position: stable.position,
        };
        let mut shares = Shares::default();
        shares.add(at, stable, steps);
        shares.retain(|number| unheard.is_news_to(number));
        task.sequencers
            .send(shares, task.partition, task.heard)
            .await;
        crash::pass(Point::TailTold);
    }
}

/// The sessions of the partitions that had not heard an event yet: to all others it is not told
/// again, so they must not be thought to hear a guild because of it.
struct Unheard<'a> {
    registry: &'a Registry,
    heard: &'a FxHashMap<Number, Position>,
    position: Position,
}

impl Unheard<'_> {
    fn is_news_to(&self, number: Number) -> bool {
        let heard = self.heard.get(&number);
        heard.is_none_or(|&heard| heard <= self.position)
    }
}

impl Sessions for Unheard<'_> {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        let mut sessions = self.registry.of(user);
        sessions.retain(|subscriber| self.is_news_to(subscriber.session.partition));
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
