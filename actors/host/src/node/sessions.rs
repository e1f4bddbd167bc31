//! Sessions: opening, resuming, ending, and how users appear.

mod open;
mod presence;
mod typing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guildhall_model::account::Account;
use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::{Dispatch, MembersChunk, Shard, Viewer};
use guildhall_model::event::Source;
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::intent::Intents;
use guildhall_model::user::Status;
use guildhall_model::{ApplicationId, GuildId, LoginId, NodeId, SessionPartition, UserId};
use guildhall_ports::Failure;
use guildhall_ports::directory::Partition;
use guildhall_state::relay::SessionRef;
use guildhall_state::session_partition::Refusal;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::{Inner, Node};
use crate::cluster::requests::Request;
use crate::relay;
use crate::session::handle::SessionHandle;
use crate::session::id::parse_session_id;
use crate::session::replay;
use crate::session::sequencer::{AttachError, Claim, Input, Sequencer, lost, recovering};
use crate::session::shared::Ending;

/// How long a returning client waits for its session's partition to have an owner that works.
const HOLDER_WITHIN: Duration = Duration::from_secs(5);
/// Pause before an owner is looked for again, unless one is known before.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A session that a client asks for, with its user known.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// Whose session it is.
    pub account: Account,
    /// What identifies the credential; a RESUME must bring the same.
    pub credential: [u8; 32],
    /// The person's login.
    pub login: Option<LoginId>,
    /// The bot's application, with the privileged intents that it may use.
    pub application: Option<(ApplicationId, Intents)>,
    /// The version of the protocol that the client speaks.
    pub version: u8,
    /// Whose session it is, and what it wants.
    pub viewer: Viewer,
    /// The shard that the client named.
    pub shard: Option<Shard>,
    /// What the session shows at first.
    pub status: Status,
}

/// Why a session was not resumed: op 9 for a refusal, a resumable close for a failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ResumeError {
    /// It cannot be exact, so it is not done.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// It may be tried again.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Another node holds the session.
    #[error("node {} holds the session", .0.0)]
    Elsewhere(NodeId),
}

impl From<AttachError> for ResumeError {
    fn from(error: AttachError) -> Self {
        match error {
            AttachError::Refusal(refusal) => Self::Refusal(refusal),
            AttachError::Failure(failure) => Self::Failure(failure),
        }
    }
}

/// A session as an operator sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionDescription {
    /// Sessions of this node, with or without a socket.
    pub sessions: usize,
    /// Those that have one.
    pub attached: usize,
}

impl Node {
    /// Brings a client back to its session. What it has missed waits in the handle.
    pub async fn resume_session(
        &self,
        id: &str,
        credential: [u8; 32],
        seq: u64,
    ) -> Result<SessionHandle, ResumeError> {
        let (partition, slot, secret) = parse_session_id(id).ok_or(Refusal::Unknown)?;
        let sequencer = self.holder_of(partition).await?;
        let claim = Claim {
            slot,
            secret,
            credential,
            seq,
        };
        match self.take_back(partition, &sequencer, id, claim).await {
            Err(ResumeError::Refusal(refusal)) => {
                // Who was taken over without noticing does not know what it refuses. Whom it takes
                // back, it takes back in the log, which would tell.
                self.confirm(partition).await?;
                Err(refusal.into())
            }
            taken => taken,
        }
    }

    /// Has the owner of a session's partition take a client back.
    async fn take_back(
        &self,
        partition: SessionPartition,
        sequencer: &Sequencer,
        id: &str,
        claim: Claim,
    ) -> Result<SessionHandle, ResumeError> {
        let inner = &self.inner;
        let (slot, seq) = (claim.slot, claim.seq);
        let (reply, attached) = oneshot::channel();
        let why = || sequencer.epoch().err().unwrap_or(Failure::Closing);
        let sent = sequencer.queue.send(Input::Attach { claim, reply }).await;
        sent.map_err(|_| why())?;
        let attached = attached.await.map_err(|_| why())??;
        let session = SessionRef { partition, slot };
        // `may_resume` has checked it against a 32-bit number.
        let seq = u32::try_from(seq).map_err(|_| Refusal::Beyond)?;
        let attachment = attached.shared.attach();
        let missed = replay::missed(inner, session, (seq, attached.s), attached.cursor).await?;
        let status = attached.shared.chosen();
        let handle = SessionHandle {
            node: self.clone(),
            session,
            session_id: id.to_owned(),
            viewer: attached.viewer,
            shared: attached.shared,
            ring: Arc::clone(&sequencer.ring),
            attachment,
            replay: missed.into(),
            cursor: attached.cursor,
            is_caught_up: false,
            s: seq,
        };
        handle.show(status);
        Ok(handle)
    }

    /// The sequencer of a session partition, or who has it. Among several nodes a partition without
    /// an owner that works is waited for: it has one sooner than the client would be back.
    async fn holder_of(&self, partition: SessionPartition) -> Result<Sequencer, ResumeError> {
        let Some(company) = &self.inner.company else {
            let sequencer = self.inner.sequencers.get(partition);
            return Ok(sequencer.ok_or(Refusal::Unknown)?);
        };
        if partition.0 >= self.inner.config.session_partitions {
            return Err(Refusal::Unknown.into());
        }
        let deadline = Instant::now() + HOLDER_WITHIN;
        loop {
            if let Some(sequencer) = self.inner.sequencers.get(partition) {
                let works = timeout_at(deadline, sequencer.until_working()).await;
                if let Ok(Ok(())) = works {
                    return Ok(sequencer);
                }
            } else if let Some(owner) = company.owner(Partition::Session(partition))
                && owner.node != self.inner.config.node
                && company.reaches(owner.node)
            {
                return Err(ResumeError::Elsewhere(owner.node));
            }
            if deadline <= Instant::now() {
                return Err(recovering().into());
            }
            let mut owners = company.owners.subscribe();
            owners.mark_unchanged();
            // Whether it has changed or not, it is looked at again.
            let _ = timeout_at(deadline.min(Instant::now() + LOOK_AGAIN), owners.changed()).await;
        }
    }

    /// A node that was taken over without noticing must not take sessions back.
    async fn confirm(&self, partition: SessionPartition) -> Result<(), ResumeError> {
        let sequencer = self.inner.sequencers.get(partition);
        let epoch = sequencer.ok_or_else(lost)?.epoch()?;
        let node = self.inner.config.node;
        let directory = &self.inner.stores.directory;
        if directory
            .confirm(Partition::Session(partition), node, epoch)
            .await?
        {
            Ok(())
        } else {
            Err(lost().into())
        }
    }

    /// Ends the sessions of a login: its sockets close at once, those on other nodes as soon as
    /// they hear of it.
    pub fn close_login(&self, login: LoginId) {
        self.inner.registry.end_login(login);
        self.insist_on_others(&Request::EndLogin(login));
    }

    /// Answers a request for members: chunks in order, as dispatches of the session.
    pub async fn tell_members(&self, session: SessionRef, chunks: Vec<MembersChunk>) {
        for chunk in chunks {
            self.tell(
                chunk.guild_id,
                session,
                Dispatch::MembersChunk(Box::new(chunk)),
            )
            .await;
        }
    }

    /// Answers something that a session has asked about a guild, as a dispatch of the session.
    pub async fn tell_session(&self, session: SessionRef, guild_id: GuildId, answer: Dispatch) {
        self.tell(guild_id, session, answer).await;
    }

    /// What a member sees of a guild at the point that this node's sessions have reached.
    pub async fn snapshot(
        &self,
        guild_id: GuildId,
        user_id: UserId,
    ) -> Result<Option<Box<GuildSnapshot>>, Failure> {
        let relay = self.inner.relay_of(Source::Guild(guild_id));
        let (answer, snapshot) = oneshot::channel();
        let input = relay::Input::Snapshot {
            guild_id,
            user_id,
            answer,
        };
        relay.send(input).await.map_err(|_| Failure::Closing)?;
        snapshot.await.map_err(|_| Failure::Closing)
    }

    /// Temporary members leave with their last session, unless they were given a role.
    pub(crate) async fn end_temporary(&self, user: UserId, guilds: Vec<GuildId>) {
        for guild in guilds {
            let Ok(Some(view)) = self.guild(guild).await else {
                continue;
            };
            let leaves = view.read(|state| {
                state
                    .member(user)
                    .is_some_and(|m| m.temporary && m.roles.is_empty())
            });
            if leaves
                && !self.is_connected_elsewhere(user).await
                && let Err(refused) = self.command(guild, user, GuildCommand::Leave).await
            {
                warn!(%refused, guild.id = %guild, "a temporary member stays");
            }
        }
    }

    /// How many sessions there are.
    pub fn describe_sessions(&self) -> SessionDescription {
        let mut attached = 0;
        self.inner
            .registry
            .for_each(|shared| attached += usize::from(shared.is_attached()));
        SessionDescription {
            sessions: self.inner.registry.len(),
            attached,
        }
    }

    /// Asks all sockets to go elsewhere; their sessions may be resumed.
    pub fn drain(&self) {
        self.inner
            .registry
            .for_each(|shared| shared.end(Ending::Draining));
    }

    /// Writes last snapshots and stops the sequencers. Nothing is delivered afterwards.
    pub async fn stop(&self) {
        for (_, sequencer) in self.inner.sequencers.all().iter() {
            sequencer.stop().await;
        }
    }
}

impl Inner {
    /// Takes a session that has ended out of the relays.
    pub(crate) async fn forget_session(&self, session: SessionRef, guilds: Vec<GuildId>) {
        let mut by_partition: BTreeMap<_, Vec<GuildId>> = BTreeMap::new();
        for guild in guilds {
            let number = self.number_of(Source::Guild(guild));
            by_partition.entry(number).or_default().push(guild);
        }
        for (number, guilds) in by_partition {
            let relay = &self.relays()[usize::from(number.0)];
            let forget = relay::Input::Forget { session, guilds };
            let _ = relay.send(forget).await;
        }
    }
}
