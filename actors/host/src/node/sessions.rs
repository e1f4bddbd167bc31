//! Sessions: opening, resuming, ending, and how users appear.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use guildhall_model::account::Account;
use guildhall_model::channel::DirectChannel;
use guildhall_model::command::GuildCommand;
use guildhall_model::dispatch::{Dispatch, MembersChunk, Ready, Shard, Viewer};
use guildhall_model::event::Source;
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::user::{Appearance, Status, User};
use guildhall_model::{
    ApplicationId, GuildId, LoginId, Rejection, SessionPartition, UserId, limits,
};
use guildhall_ports::Failure;
use guildhall_ports::directory::Partition;
use guildhall_state::relay::{SessionRef, Subscriber};
use guildhall_state::session_partition::Refusal;
use guildhall_state::session_partition::record::Slot;
use tokio::sync::oneshot;
use tracing::warn;

use super::{GuildView, Inner, Node};
use crate::error::Refused;
use crate::relay;
use crate::session::handle::SessionHandle;
use crate::session::replay;
use crate::session::sequencer::{AttachError, Claim, Input, Request};
use crate::session::shared::Ending;

/// The version of session ids; another one is of another topology.
const ID_VERSION: u8 = 1;
const ID_BYTES: usize = 1 + 2 + 4 + 16;

/// A session that a client asks for, with its user known.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    /// Whose session it is.
    pub account: Account,
    /// What identifies the credential; a RESUME must bring the same.
    pub credential: [u8; 32],
    /// The person's login.
    pub login: Option<LoginId>,
    /// The bot's application.
    pub application_id: Option<ApplicationId>,
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
    /// Opens a session. READY and one GUILD_CREATE per guild wait in the handle.
    pub async fn open_session(&self, request: OpenRequest) -> Result<SessionHandle, Refused> {
        let inner = &self.inner;
        let user_id = request.account.user.id;
        let shard = request.shard.unwrap_or(Shard::WHOLE);
        let known = self.guilds_in(user_id, shard).await?;
        let directs = self.directs_of(&request.account.user, shard).await?;
        let (partition, sequencer) = inner
            .sequencers()
            .least_loaded()
            .ok_or(Failure::Closing)?
            .clone();
        // Counted at once, so that a storm of new sessions spreads over the partitions.
        sequencer.load.fetch_add(1, Ordering::Relaxed);
        let secret = inner.env.bytes::<16>();
        let (viewer, login, status) = (request.viewer, request.login, request.status);
        let credential = request.credential;
        let ready = self.ready(request, known.iter().copied().collect(), directs, secret);
        let (reply, opened) = oneshot::channel();
        let request = Box::new(Request {
            secret,
            credential,
            login,
            viewer,
            shard,
            ready,
        });
        let sent = sequencer.queue.send(Input::Open { request, reply }).await;
        sent.map_err(|_| Failure::Closing)?;
        let opened = opened.await.map_err(|_| Failure::Closing)??;
        let session = SessionRef {
            partition,
            slot: opened.slot,
        };
        let attachment = opened.shared.attach();
        let handle = SessionHandle {
            node: self.clone(),
            session,
            session_id: session_id(partition, opened.slot, &secret),
            viewer,
            ring: Arc::clone(&sequencer.ring),
            attachment,
            replay: VecDeque::new(),
            cursor: opened.cursor,
            is_caught_up: false,
            s: 0,
            shared: Arc::clone(&opened.shared),
        };
        let shared = Arc::clone(&opened.shared);
        if !inner.registry.insert(session, viewer, shard, login, shared) {
            opened.shared.set_over();
            let limit = limits::SESSIONS_MAX;
            return Err(Rejection::LimitReached {
                what: "sessions",
                limit,
            }
            .into());
        }
        self.subscribe(session, viewer, shard, known).await?;
        self.mark(partition).await?;
        let settle = Input::Settle { slot: session.slot };
        sequencer
            .queue
            .send(settle)
            .await
            .map_err(|_| Failure::Closing)?;
        handle.show(status);
        Ok(handle)
    }

    async fn guilds_in(&self, user: UserId, shard: Shard) -> Result<BTreeSet<GuildId>, Failure> {
        let guilds = self.guilds_of(user).await?;
        Ok(guilds
            .into_iter()
            .filter(|&guild| shard.has_guild(guild))
            .collect())
    }

    async fn directs_of(
        &self,
        user: &User,
        shard: Shard,
    ) -> Result<Vec<(DirectChannel, User)>, Failure> {
        if user.bot || !shard.has_directs() {
            return Ok(Vec::new());
        }
        let stores = &self.inner.stores;
        let channels = stores.guilds.directs_of(user.id, 100).await?;
        let others: Vec<UserId> = channels
            .iter()
            .map(|channel| channel.other(user.id))
            .collect();
        let others = stores.accounts.users(&others).await?;
        let known = channels.into_iter().filter_map(|channel| {
            let other = others
                .iter()
                .find(|other| other.id == channel.other(user.id))?;
            Some((channel, other.clone()))
        });
        Ok(known.collect())
    }

    fn ready(
        &self,
        request: OpenRequest,
        guilds: Vec<GuildId>,
        direct_channels: Vec<(DirectChannel, User)>,
        secret: [u8; 16],
    ) -> Box<dyn FnOnce(SessionPartition, Slot) -> Dispatch + Send> {
        let resume_url = self.inner.config.resume_url.clone();
        Box::new(move |partition, slot| {
            Dispatch::Ready(Box::new(Ready {
                user: request.account.user,
                email: request.account.email,
                session_id: session_id(partition, slot, &secret),
                resume_url,
                guilds,
                direct_channels,
                shard: request.shard,
                application_id: request.application_id,
            }))
        })
    }

    /// Subscribes a starting session to its guilds. Those that the user has joined since READY
    /// was made are included: from its registration on, relays subscribe the session themselves.
    async fn subscribe(
        &self,
        session: SessionRef,
        viewer: Viewer,
        shard: Shard,
        mut guilds: BTreeSet<GuildId>,
    ) -> Result<(), Failure> {
        let told = guilds.clone();
        guilds.extend(self.guilds_in(viewer.user_id, shard).await?);
        let subscriber = Subscriber {
            session,
            viewer,
            shard,
        };
        for guild_id in guilds {
            let subscribed = match self.guild(guild_id).await? {
                Some(view) => self.subscribe_to(guild_id, view, subscriber).await?,
                None => false,
            };
            if !subscribed && told.contains(&guild_id) {
                // READY has named the guild, so its client waits for it.
                self.tell(guild_id, session, Dispatch::GuildGone(guild_id))
                    .await;
            }
        }
        Ok(())
    }

    /// Takes down how far every relay has heard at the start of a session.
    async fn mark(&self, partition: SessionPartition) -> Result<(), Failure> {
        let mut marked = Vec::new();
        for events in self.inner.event_partitions() {
            let (done, answer) = oneshot::channel();
            let mark = relay::Input::Mark { partition, done };
            events
                .relay
                .send(mark)
                .await
                .map_err(|_| Failure::Closing)?;
            marked.push(answer);
        }
        for answer in marked {
            answer.await.map_err(|_| Failure::Closing)?;
        }
        Ok(())
    }

    async fn subscribe_to(
        &self,
        guild_id: GuildId,
        view: GuildView,
        subscriber: Subscriber,
    ) -> Result<bool, Failure> {
        let partition = self.inner.event_partition(Source::Guild(guild_id));
        let (done, subscribed) = oneshot::channel();
        let input = relay::Input::Subscribe {
            guild_id,
            view,
            subscriber,
            done,
        };
        partition
            .relay
            .send(input)
            .await
            .map_err(|_| Failure::Closing)?;
        subscribed.await.map_err(|_| Failure::Closing)
    }

    async fn tell(&self, guild_id: GuildId, session: SessionRef, dispatch: Dispatch) {
        let partition = self.inner.event_partition(Source::Guild(guild_id));
        let dispatch = Arc::new(dispatch);
        // The relay ends only with the node.
        let _ = partition
            .relay
            .send(relay::Input::Tell { session, dispatch })
            .await;
    }

    /// Brings a client back to its session. What it has missed waits in the handle.
    pub async fn resume_session(
        &self,
        id: &str,
        credential: [u8; 32],
        seq: u64,
    ) -> Result<SessionHandle, ResumeError> {
        let inner = &self.inner;
        let (partition, slot, secret) = parse_session_id(id).ok_or(Refusal::Unknown)?;
        let sequencer = inner.sequencers().get(partition).ok_or(Refusal::Unknown)?;
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
        let epochs = self
            .inner
            .session_epochs
            .get()
            .map_or(&[][..], Vec::as_slice);
        let epoch = epochs.iter().find(|(number, _)| *number == partition);
        let (_, epoch) = epoch.ok_or(Refusal::Unknown)?;
        let node = self.inner.config.node;
        let directory = &self.inner.stores.directory;
        if directory
            .confirm(Partition::Session(partition), node, *epoch)
            .await?
        {
            Ok(())
        } else {
            Err(Failure::Stale {
                what: "the session partition",
            }
            .into())
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

    /// Shows a user differently in one session; `None` when its socket is gone.
    pub(crate) fn show(&self, user: UserId, session: SessionRef, status: Option<Status>) {
        let Some(appearance) = self.inner.registry.show(user, session, status) else {
            return;
        };
        let node = self.clone();
        tokio::spawn(async move { node.announce(user, appearance).await });
    }

    /// Presence is volatile: a guild whose relay is busy is not told.
    async fn announce(&self, user_id: UserId, appearance: Appearance) {
        let Ok(guilds) = self.guilds_of(user_id).await else {
            return;
        };
        for guild_id in guilds {
            let partition = self.inner.event_partition(Source::Guild(guild_id));
            let input = relay::Input::Presence {
                guild_id,
                user_id,
                appearance,
            };
            let _ = partition.relay.try_send(input);
        }
    }

    /// How a user appears to others.
    pub fn appearance(&self, user: UserId) -> Appearance {
        self.inner.registry.appearance(user)
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
        for (_, sequencer) in self.inner.sequencers().all() {
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

/// A session's name for its client: where it is, which it is, and a secret.
fn session_id(partition: SessionPartition, slot: Slot, secret: &[u8; 16]) -> String {
    let mut bytes = Vec::with_capacity(ID_BYTES);
    bytes.push(ID_VERSION);
    bytes.extend(partition.0.to_be_bytes());
    bytes.extend(slot.to_be_bytes());
    bytes.extend(secret);
    let mut id = String::with_capacity(2 * ID_BYTES);
    for byte in bytes {
        write!(id, "{byte:02x}").expect("a string takes every write");
    }
    id
}

fn parse_session_id(id: &str) -> Option<(SessionPartition, Slot, [u8; 16])> {
    if id.len() != 2 * ID_BYTES || !id.is_ascii() {
        return None;
    }
    let mut bytes = [0_u8; ID_BYTES];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(id.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    let partition = u16::from_be_bytes([bytes[1], bytes[2]]);
    let slot = u32::from_be_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
    let secret = bytes[7..].try_into().ok()?;
    (bytes[0] == ID_VERSION).then_some((SessionPartition(partition), slot, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_names_partition_slot_and_secret() {
        let id = session_id(SessionPartition(7), 70_000, &[9; 16]);
        assert_eq!(
            parse_session_id(&id),
            Some((SessionPartition(7), 70_000, [9; 16]))
        );
        assert_eq!(parse_session_id(""), None);
        assert_eq!(parse_session_id(&id[1..]), None);
        assert_eq!(parse_session_id(&"é".repeat(ID_BYTES)), None);
        assert_eq!(
            parse_session_id(&format!("02{}", &id[2..])),
            None,
            "another version"
        );
    }
}
