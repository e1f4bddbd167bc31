//! Sessions: opening, resuming, ending, and how users appear.

mod open;
mod presence;
mod typing;

use std::sync::Arc;

use guildhall_model::account::Account;
use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::{Dispatch, MembersChunk, Shard, Viewer};
use guildhall_model::event::Source;
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::intent::Intents;
use guildhall_model::user::Status;
use guildhall_model::{ApplicationId, GuildId, LoginId, SessionPartition, UserId};
use guildhall_ports::Failure;
use guildhall_ports::directory::Partition;
use guildhall_state::relay::SessionRef;
use guildhall_state::session_partition::Refusal;
use tokio::sync::oneshot;
use tracing::warn;

use super::{Inner, Node};
use crate::relay;
use crate::session::handle::SessionHandle;
use crate::session::id::parse_session_id;
use crate::session::replay;
use crate::session::sequencer::{AttachError, Claim, Input, lost};
use crate::session::shared::Ending;

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
        let inner = &self.inner;
        let (partition, slot, secret) = parse_session_id(id).ok_or(Refusal::Unknown)?;
        let sequencer = inner.sequencers.get(partition).ok_or(Refusal::Unknown)?;
        self.confirm(partition).await?;
        let (reply, attached) = oneshot::channel();
        let claim = Claim {
            slot,
            secret,
            credential,
            seq,
        };
        let sent = sequencer.queue.send(Input::Attach { claim, reply }).await;
        sent.map_err(|_| Failure::Closing)?;
        let attached = attached.await.map_err(|_| Failure::Closing)??;
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

    /// A node that was taken over without noticing must not take sessions back.
    async fn confirm(&self, partition: SessionPartition) -> Result<(), ResumeError> {
        let sequencer = self.inner.sequencers.get(partition);
        let epoch = sequencer.ok_or(Refusal::Unknown)?.epoch()?;
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

    /// Ends the sessions of a login: its sockets close at once.
    pub fn close_login(&self, login: LoginId) {
        self.inner.registry.end_login(login);
    }

    /// Ends all sessions of a user.
    pub fn close_user(&self, user: UserId) {
        self.inner.registry.end_user(user);
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
        let partition = self.inner.event_partition(Source::Guild(guild_id));
        let (answer, snapshot) = oneshot::channel();
        let input = relay::Input::Snapshot {
            guild_id,
            user_id,
            answer,
        };
        partition
            .relay
            .send(input)
            .await
            .map_err(|_| Failure::Closing)?;
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
            if leaves && let Err(refused) = self.command(guild, user, GuildCommand::Leave).await {
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
            let (done, stopped) = oneshot::channel();
            if sequencer.queue.send(Input::Stop { done }).await.is_ok() {
                let _ = stopped.await;
            }
        }
    }
}

impl Inner {
    /// Takes a session that has ended out of the relays.
    pub(crate) async fn forget_session(&self, session: SessionRef, guilds: Vec<GuildId>) {
        for partition in self.event_partitions() {
            let here = guilds.iter().copied().filter(|&guild| {
                self.event_partition(Source::Guild(guild)).number == partition.number
            });
            let guilds: Vec<GuildId> = here.collect();
            if !guilds.is_empty() {
                let _ = partition
                    .relay
                    .send(relay::Input::Forget { session, guilds })
                    .await;
            }
        }
    }
}
