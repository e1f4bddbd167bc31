//! The actor of a guild: decides commands one after the other, and commits rows and events
//! together.

use std::sync::Arc;

use guildhall_model::audit::By;
use guildhall_model::command::GuildCommand;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::rejection::Noun;
use guildhall_model::{GuildId, Rejection, Timestamp, limits};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::guilds::CommitError;
use guildhall_state::audit;
use guildhall_state::guild::GuildState;
use parking_lot::RwLock;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tracing::warn;

use super::EventPartition;
use super::loading::Handle;
use crate::error::Refused;
use crate::mailbox::{Envelope, Mailbox};
use crate::node::Node;
use crate::observe::GuildActorState;
use crate::stream::Stream;
use crate::writer::{OnStable, Place, Writer};

/// A guild on its owner, as its actor and its channels' actors share it.
pub(crate) struct GuildShared {
    pub(crate) id: GuildId,
    pub(crate) state: RwLock<GuildState>,
    pub(crate) stream: Arc<Stream>,
    /// The only way into the log that the stream goes by.
    pub(crate) writer: Writer,
}

/// Says that the actor has broken off, unless it has not: by a failure, or by a panic.
struct Unfinished<'a> {
    guild: &'a GuildShared,
    partition: &'a EventPartition,
    /// The last place that the commit under way takes.
    upto: u64,
}

impl Unfinished<'_> {
    fn finish(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let source = Source::Guild(self.guild.id);
        self.partition.note_interrupted(source, self.upto);
        self.guild.stream.end();
    }
}

/// The way to a guild's actor, and its state for reading.
#[derive(Clone)]
pub(crate) struct GuildHandle {
    pub(crate) shared: Arc<GuildShared>,
    mailbox: Mailbox<Ask>,
}

/// A command with the way back.
pub(crate) struct Ask {
    by: By,
    command: GuildCommand,
    reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
}

impl GuildHandle {
    /// Has a command decided, and waits until its events are stable.
    pub(crate) async fn command(
        &self,
        by: By,
        command: GuildCommand,
    ) -> Result<Vec<Event>, Refused> {
        self.mailbox.ask(|reply| Ask { by, command, reply }).await
    }

    pub(crate) fn observe(&self) -> GuildActorState {
        let state = self.shared.state.read();
        GuildActorState {
            id: self.shared.id,
            gseq: state.gseq(),
            members: state.members().count(),
            channels: state.channels().count(),
            mailbox: self.mailbox.fill(),
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.mailbox.is_alive() && !self.shared.stream.is_over()
    }

    pub(crate) async fn stop(&self, why: &str) {
        self.mailbox.stop(why).await;
    }
}

impl Handle for GuildHandle {
    fn retire(&self) {
        self.mailbox.retire("a successor has been loaded");
    }
}

/// Loads a guild from the store and starts its actor.
pub(crate) async fn load(
    node: Node,
    partition: Arc<EventPartition>,
    id: GuildId,
) -> Result<Option<GuildHandle>, Failure> {
    let source = Source::Guild(id);
    let writer = partition.writer();
    // As long as the log takes nothing the guild is loaded to be read, and nobody asks for its end.
    let last = if writer.is_working() {
        partition.append_committed(&node.inner, source).await?;
        partition.last_gseq(&node.inner, source).await?
    } else {
        0
    };
    let Some(rows) = node.inner.stores.guilds.load(id).await? else {
        return Ok(None);
    };
    if rows.deleted {
        return Ok(None);
    }
    let state = RwLock::new(GuildState::restore(rows));
    let shared = Arc::new(GuildShared {
        id,
        state,
        stream: Stream::new(source, last),
        writer,
    });
    let actor = GuildActor { node, partition };
    let (actor, _) = Actor::spawn(None, actor, Arc::clone(&shared))
        .await
        .map_err(|error| Failure::unavailable("guild actor", error))?;
    let mailbox = Mailbox::new(actor, limits::MAILBOX_MAX);
    Ok(Some(GuildHandle { shared, mailbox }))
}

struct GuildActor {
    node: Node,
    partition: Arc<EventPartition>,
}

impl Actor for GuildActor {
    type Msg = Envelope<Ask>;
    type State = Arc<GuildShared>;
    type Arguments = Arc<GuildShared>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        shared: Arc<GuildShared>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(shared)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        envelope: Envelope<Ask>,
        shared: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let Ask { by, command, reply } = envelope.message;
        let outcome = self.take(shared, by, command, reply).await;
        if shared.state.read().is_deleted() {
            myself.stop(Some("the guild has ended".to_owned()));
        } else if let Err(failure) = outcome {
            // What the store holds is not what this actor believes: a successor reads it anew.
            warn!(guild.id = %shared.id, %failure, "a guild's actor restarts from the store");
            myself.stop(Some("the store refused".to_owned()));
        }
        Ok(())
    }
}

impl GuildActor {
    /// A place in the log for what will be committed. A commit of which nothing is heard ends the
    /// actor, and with it what goes on without the store: while that is away there is none.
    fn place<'a>(&self, shared: &'a GuildShared) -> Result<Place<'a>, Refused> {
        match self.node.inner.stores.relational.away() {
            Some(why) => Err(Failure::unavailable("the store", why).into()),
            None => shared.writer.place(),
        }
    }

    async fn take(
        &self,
        shared: &Arc<GuildShared>,
        by: By,
        command: GuildCommand,
        reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
    ) -> Result<(), Failure> {
        let inner = &self.node.inner;
        let partition = &*self.partition;
        let place = match self.place(shared) {
            Ok(place) => place,
            Err(refused) => {
                let _ = reply.send(Err(refused));
                return Ok(());
            }
        };
        let mut head = match shared.stream.head().await {
            Ok(head) => head,
            Err(failure) => {
                let _ = reply.send(Err(failure.clone().into()));
                return Err(failure);
            }
        };
        // Given up before the head is: nobody writes in between.
        let mut unfinished = Unfinished {
            guild: shared,
            partition,
            upto: 0,
        };
        let now = inner.env.now();
        let (events, entries) = match self.decide(shared, &by, command, now) {
            Ok((events, entries)) if !events.is_empty() => (events, entries),
            decided => {
                unfinished.finish();
                let _ = reply.send(
                    decided
                        .map(|(events, _)| events)
                        .map_err(Refused::Rejection),
                );
                return Ok(());
            }
        };
        let records = head.records(now, events.iter().cloned().chain(entries).collect());
        unfinished.upto = records.last().map_or(0, |record| record.gseq);
        crash::pass(Point::GuildDecided);
        match inner.stores.guilds.commit(partition.token, &records).await {
            Ok(()) => {}
            Err(error) => {
                let refused = refuse(error, reply);
                if refused.is_ok() {
                    unfinished.finish();
                }
                return refused;
            }
        }
        crash::pass(Point::GuildCommitted);
        head.advance(&records);
        {
            let mut state = shared.state.write();
            for record in &records {
                state.apply(record);
            }
        }
        unfinished.finish();
        inner.forget_homes(&events);
        partition.note_made(&events);
        let on_stable = self.when_stable(&records, events, reply);
        place.submit(records, on_stable);
        Ok(())
    }

    /// The events of a command, and what goes into the audit log about them.
    fn decide(
        &self,
        shared: &GuildShared,
        by: &By,
        command: GuildCommand,
        now: Timestamp,
    ) -> Result<(Vec<Event>, Vec<Event>), Rejection> {
        self.node.inner.minting(now, |mint| {
            let state = shared.state.read();
            let events = state.decide(by.user_id, command, mint)?;
            let entries = audit::of_guild(&state, by, &events, mint);
            Ok((events, entries))
        })
    }

    /// Says what has been decided, and that the outbox is done with it.
    fn when_stable(
        &self,
        records: &[Record],
        events: Vec<Event>,
        reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
    ) -> OnStable {
        let node = self.node.clone();
        let last = records.last().map(|record| (record.source, record.gseq));
        Box::new(move |stable| {
            if let (Ok(()), Some((source, gseq))) = (&stable, last) {
                node.inner.outbox_done(source, gseq);
            }
            let _ = reply.send(stable.map(|()| events).map_err(Refused::from));
        })
    }
}

/// A commit that did not happen. Only a stale or failing store ends the actor.
fn refuse(
    error: CommitError,
    reply: oneshot::Sender<Result<Vec<Event>, Refused>>,
) -> Result<(), Failure> {
    match error {
        CommitError::Taken(_) | CommitError::PairExists(_) => {
            let _ = reply.send(Err(Rejection::Unknown(Noun::Guild).into()));
            Ok(())
        }
        CommitError::Failure(failure @ Failure::Full { .. }) => {
            let _ = reply.send(Err(failure.into()));
            Ok(())
        }
        CommitError::Failure(failure) => {
            let _ = reply.send(Err(failure.clone().into()));
            Err(failure)
        }
    }
}
