//! The relay of one event partition as a task: hears committed events in order and tells the
//! session partitions who receives them.

use std::sync::Arc;
use std::time::Duration;

use guildhall_model::dispatch::{Dispatch, Typing};
use guildhall_model::event::{Audience, Event};
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::intent::Intents;
use guildhall_model::member::Member;
use guildhall_model::user::Appearance;
use guildhall_model::{
    ChannelId, Epoch, EventPartition, GuildId, Position, SessionPartition, Timestamp, UserId,
    limits,
};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_state::guild::GuildState;
use guildhall_state::relay::{Receivers, Relay, SessionRef, Sessions, Step, Steps, Subscriber};
use guildhall_state::session_partition::record::EventRef;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::event_log::{self, Stable, after};
use crate::guild_at;
use crate::node::{GuildView, Inner, Node};
use crate::recovery::tail::{self, Missed};
use crate::session::registry::Registry;
use crate::session::sequencer::{self, Sequencers, Shares};

/// What a relay is told.
pub(crate) enum Input {
    /// Events that have become stable; those that were heard before are passed over.
    Heard(Vec<Stable>),
    /// The log was read up to here, just behind a record that counts, and nothing else in it does.
    Reached(Position),
    /// A session that is starting wants to hear a guild. The view is copied if the relay does not
    /// follow the guild yet: only then the copy is not older than what the relay has heard. Without
    /// a view, because another node owns the guild, its rows are read at that moment.
    /// Answers whether the session hears it now.
    Subscribe {
        guild_id: GuildId,
        view: Option<GuildView>,
        subscriber: Subscriber,
        done: oneshot::Sender<Result<bool, Failure>>,
    },
    /// A session is about to be registered: the events before this are heard first, and those
    /// before a place of the log where other nodes write it too.
    CatchUp {
        upto: Option<Position>,
        done: oneshot::Sender<Result<(), Failure>>,
    },
    /// A session has ended.
    Forget {
        session: SessionRef,
        guilds: Vec<GuildId>,
    },
    /// A session partition belongs to another node from now on.
    ForgetPartition(SessionPartition),
    /// A user appears differently; volatile.
    Presence {
        guild_id: GuildId,
        user_id: UserId,
        appearance: Appearance,
    },
    /// A member writes a message in a channel; volatile.
    Typing {
        guild_id: GuildId,
        channel_id: ChannelId,
        user_id: UserId,
        since: Timestamp,
    },
    /// What a member sees of a guild at this point of the stream.
    Snapshot {
        guild_id: GuildId,
        user_id: UserId,
        answer: oneshot::Sender<Option<Box<GuildSnapshot>>>,
    },
    /// A session partition is about to have a new session: it is told how far this relay has
    /// heard, so that a successor does not tell the session what came before it.
    Mark {
        partition: SessionPartition,
        done: oneshot::Sender<()>,
    },
    /// A session partition's log has refused what it was told.
    Retell {
        missed: Box<Missed>,
        done: oneshot::Sender<Result<(), Failure>>,
    },
    /// A dispatch made for one session, in order with what the relay has told it so far.
    Tell {
        session: SessionRef,
        dispatch: Arc<Dispatch>,
    },
}

/// How often a relay says how far it has heard although nobody received anything.
const HEARD_EVERY: Duration = Duration::from_secs(2);

/// The task's own state.
pub(crate) struct RelayTask {
    pub(crate) partition: EventPartition,
    pub(crate) relay: Relay,
    pub(crate) heard: Position,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sequencers: Sequencers,
    /// The epochs of session partitions that were told again what their logs had refused.
    pub(crate) retold: FxHashMap<SessionPartition, Epoch>,
}

impl RelayTask {
    /// A relay that stands at this place of its log and follows nothing yet.
    pub(crate) fn new(node: &Inner, partition: EventPartition, heard: Position) -> Self {
        Self {
            partition,
            relay: Relay::default(),
            heard,
            registry: Arc::clone(&node.registry),
            sequencers: node.sequencers.clone(),
            retold: FxHashMap::default(),
        }
    }

    /// Runs until the node ends.
    pub(crate) async fn run(
        mut self,
        node: std::sync::Weak<Inner>,
        mut inbox: mpsc::Receiver<Input>,
    ) {
        let mut tick = tokio::time::interval(HEARD_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = self.heard;
        loop {
            tokio::select! {
                // Cancel-safe: `recv` and `tick` lose nothing.
                input = inbox.recv() => match input {
                    Some(input) => {
                        let Some(inner) = node.upgrade() else { return };
                        self.take(&Node { inner }, input).await;
                    }
                    None => return,
                },
                _ = tick.tick(), if told < self.heard => {
                    self.tell_all_heard().await;
                    told = self.heard;
                }
            }
        }
    }

    async fn take(&mut self, node: &Node, input: Input) {
        match input {
            Input::Heard(events) => self.hear(node, events).await,
            Input::Reached(position) => self.heard = position.max(self.heard),
            Input::Subscribe {
                guild_id,
                view,
                subscriber,
                done,
            } => {
                let _ = done.send(self.subscribe(node, guild_id, view, subscriber).await);
            }
            // Its turn has come, so all before it is heard.
            Input::CatchUp { upto, done } => {
                let _ = done.send(self.catch_up(node, upto).await);
            }
            Input::Forget { session, guilds } => {
                for guild_id in guilds {
                    self.relay.forget(guild_id, session);
                }
            }
            Input::ForgetPartition(partition) => self.relay.forget_partition(partition),
            Input::Presence {
                guild_id,
                user_id,
                appearance,
            } => {
                self.tell_presence(guild_id, user_id, appearance).await;
            }
            Input::Typing {
                guild_id,
                channel_id,
                user_id,
                since,
            } => {
                self.tell_typing(guild_id, channel_id, user_id, since).await;
            }
            Input::Snapshot {
                guild_id,
                user_id,
                answer,
            } => {
                let _ = answer.send(self.relay.snapshot(guild_id, user_id).map(Box::new));
            }
            Input::Mark { partition, done } => {
                self.tell_heard(partition).await;
                let _ = done.send(());
            }
            Input::Retell { missed, done } => {
                let _ = done.send(tail::retell(node, self, *missed).await);
            }
            Input::Tell { session, dispatch } => {
                let step = Step::Made(Receivers::Few(vec![session.slot]), dispatch);
                self.send(vec![(session.partition, step)]).await;
            }
        }
    }

    async fn subscribe(
        &mut self,
        node: &Node,
        guild_id: GuildId,
        view: Option<GuildView>,
        subscriber: Subscriber,
    ) -> Result<bool, Failure> {
        if !self.relay.follows(guild_id) {
            let state = if let Some(view) = view {
                Some(view.copy())
            } else {
                let rows = node.stores().guilds.load(guild_id).await?;
                rows.map(GuildState::restore)
            };
            if let Some(state) = state {
                self.relay.follow(state);
            }
        }
        let steps = self.relay.subscribe(guild_id, subscriber);
        self.send(steps).await;
        // Perhaps an event has let it in before it was asked for.
        Ok(self.relay.is_heard_by(guild_id, subscriber.session))
    }

    /// Hears everything before this place of the log, of which some may be on its way still.
    pub(crate) async fn catch_up(
        &mut self,
        node: &Node,
        upto: Option<Position>,
    ) -> Result<(), Failure> {
        if upto.is_some_and(|upto| self.heard < upto) {
            let log = &*node.stores().events;
            let (events, next) = event_log::read_all(log, self.partition, self.heard).await?;
            self.hear(node, events).await;
            self.heard = next.max(self.heard);
        }
        Ok(())
    }

    /// Hears a batch of events and sends each session partition its share at once.
    async fn hear(&mut self, node: &Node, events: Vec<Stable>) {
        let registry = Arc::clone(&self.registry);
        let mut shares = Shares::default();
        for stable in events {
            if stable.position < self.heard {
                continue;
            }
            self.heard = after(stable.position);
            node.inner
                .forget_homes(std::slice::from_ref(&stable.record.event));
            shares.add_made(self.follow_for_joiner(node, &stable, &*registry).await);
            let steps = self.relay.hear(&stable.record, &*registry);
            let at = EventRef {
                partition: self.partition,
                position: stable.position,
            };
            shares.add(at, &stable, steps);
        }
        crash::pass(Point::RelayHeard);
        self.sequencers
            .send(shares, self.partition, self.heard)
            .await;
        crash::pass(Point::RelayTold);
    }

    /// A user with sessions here joins a guild that this node does not follow: from now on it
    /// does, beginning with the guild as the new member found it. The
    /// steps must reach each session partition together with those of the events before: what is
    /// told says how far the relay has heard.
    pub(crate) async fn follow_for_joiner(
        &mut self,
        node: &Node,
        stable: &Stable,
        sessions: &(dyn Sessions + Sync),
    ) -> Steps {
        let mut steps = Steps::new();
        let Event::MemberJoined { member, .. } = &stable.record.event else {
            return steps;
        };
        let Some(guild_id) = stable.record.source.guild_id() else {
            return steps;
        };
        let joiners = sessions.of(member.user.id);
        if joiners.is_empty() || self.relay.follows(guild_id) {
            return steps;
        }
        // From the store, not from the owner's actor: its loading waits for the writer, which may
        // wait for this relay. Rows are committed before their events are heard, never after.
        match guild_at::load_after(node.stores(), self.partition, guild_id, stable).await {
            Ok(Some(state)) => self.relay.follow(state),
            Ok(None) => return steps,
            Err(failure) => {
                warn!(%failure, guild.id = %guild_id, "a joined guild cannot be loaded");
                return steps;
            }
        }
        for joiner in joiners {
            steps.extend(self.relay.subscribe(guild_id, joiner));
        }
        steps
    }

    async fn send(&mut self, steps: Steps) {
        let mut shares = Shares::default();
        shares.add_made(steps);
        self.sequencers
            .send(shares, self.partition, self.heard)
            .await;
    }

    /// Says to one session partition how far this relay has heard.
    pub(crate) async fn tell_heard(&self, partition: SessionPartition) {
        let (from, heard) = (self.partition, self.heard);
        let told = sequencer::Input::Told {
            told: Vec::new(),
            from,
            heard,
        };
        self.sequencers.tell(partition, told).await;
    }

    async fn tell_all_heard(&mut self) {
        self.sequencers.tell_heard(self.partition, self.heard).await;
    }

    async fn tell_presence(&mut self, guild_id: GuildId, user_id: UserId, appearance: Appearance) {
        let Some(state) = self.relay.state(guild_id) else {
            return;
        };
        let is_small = state.members().count() <= limits::PRESENCE_MEMBERS_MAX;
        if state.member(user_id).is_none() || !is_small {
            return;
        }
        let reach = self
            .relay
            .reach(guild_id, Audience::Guild, Intents::GUILD_PRESENCES);
        let dispatch = Arc::new(Dispatch::Presence {
            guild_id,
            user_id,
            appearance,
        });
        if let Some(reach) = reach {
            self.sequencers.tell_volatile(&reach, &dispatch).await;
        }
    }

    async fn tell_typing(
        &mut self,
        guild_id: GuildId,
        channel_id: ChannelId,
        user_id: UserId,
        since: Timestamp,
    ) {
        let Some(state) = self.relay.state(guild_id) else {
            return;
        };
        // Who has left or lost sight of the channel meanwhile writes nothing there.
        let channel = state.channel(channel_id);
        let Some(member) = state
            .member(user_id)
            .filter(|_| channel.is_some_and(|channel| state.can_view(user_id, channel)))
        else {
            return;
        };
        let dispatch = Arc::new(Dispatch::Typing(Box::new(Typing {
            channel_id,
            user_id,
            since,
            member: Some((guild_id, Member::clone(member))),
        })));
        let (viewers, intent) = (Audience::Viewers(channel_id), Intents::GUILD_MESSAGE_TYPING);
        if let Some(reach) = self.relay.reach(guild_id, viewers, intent) {
            self.sequencers.tell_volatile(&reach, &dispatch).await;
        }
    }
}
