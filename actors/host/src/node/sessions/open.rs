//! The start of a session: READY, one GUILD_CREATE per guild, and from then on what happens.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use guildhall_model::channel::DirectChannel;
use guildhall_model::dispatch::{Dispatch, Ready, Shard, Viewer};
use guildhall_model::event::Source;
use guildhall_model::user::User;
use guildhall_model::{GuildId, Position, Rejection, SessionPartition, UserId, limits};
use guildhall_ports::Failure;
use guildhall_state::relay::{SessionRef, Subscriber};
use guildhall_state::session_partition::record::Slot;
use tokio::sync::oneshot;

use super::OpenRequest;
use crate::error::Refused;
use crate::node::{GuildView, Node};
use crate::relay;
use crate::session::handle::SessionHandle;
use crate::session::id::session_id;
use crate::session::sequencer::{Input, Request};

impl Node {
    /// Opens a session. READY and one GUILD_CREATE per guild wait in the handle.
    pub async fn open_session(&self, request: OpenRequest) -> Result<SessionHandle, Refused> {
        let inner = &self.inner;
        let user_id = request.account.user.id;
        let shard = request.shard.unwrap_or(Shard::WHOLE);
        let known = self.guilds_in(user_id, shard).await?;
        let directs = self.directs_of(&request.account.user, shard).await?;
        let (partition, sequencer) = inner.sequencers.least_loaded()?;
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
        // Relays let a session that they know of in where its user joins, and show it what was so
        // then: what was answered before must be behind them.
        self.catch_relays_up().await?;
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
        self.subscribe(session, viewer, shard, known.clone())
            .await?;
        // How far every relay has heard at the start of the session.
        self.ask_relays(|_, done| relay::Input::Mark { partition, done })
            .await?;
        if let Err(failure) = sequencer.settle(session.slot).await {
            self.abandon(session, viewer, known).await;
            return Err(failure.into());
        }
        handle.show(status);
        Ok(handle)
    }

    /// A session that was closed while it started: whatever was told of it since is taken back.
    async fn abandon(&self, session: SessionRef, viewer: Viewer, mut guilds: BTreeSet<GuildId>) {
        self.inner.registry.remove(viewer.user_id, session);
        guilds.extend(self.guilds_of(viewer.user_id).await.unwrap_or_default());
        let guilds = guilds.into_iter().collect();
        self.inner.forget_session(session, guilds).await;
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
                application: request.application,
                version: request.version,
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
            let is_owned = self.inner.owned(Source::Guild(guild_id)).is_some();
            let view = if is_owned {
                self.guild(guild_id).await?
            } else {
                None
            };
            let subscribed = if is_owned && view.is_none() {
                false
            } else {
                self.subscribe_to(guild_id, view, subscriber).await?
            };
            if !subscribed && told.contains(&guild_id) {
                // READY has named the guild, so its client waits for it.
                self.tell(guild_id, session, Dispatch::GuildGone(guild_id))
                    .await;
            }
        }
        Ok(())
    }

    /// Has every relay hear what was answered before.
    async fn catch_relays_up(&self) -> Result<(), Failure> {
        let ends = self.ends_of_others().await?;
        let catch_up = |number: usize, done| relay::Input::CatchUp {
            upto: ends.get(number).copied(),
            done,
        };
        let caught_up = self.ask_relays(catch_up).await?;
        caught_up.into_iter().collect()
    }

    /// Up to where the events log is stable, by partition, where other nodes write it too.
    async fn ends_of_others(&self) -> Result<Vec<Position>, Failure> {
        if self.inner.company.is_none() {
            return Ok(Vec::new());
        }
        let partitions: Vec<u16> = (0..self.inner.config.event_partitions).collect();
        self.inner.stores.events.ends(&partitions).await
    }

    /// Asks every relay for something, and waits for all their answers.
    async fn ask_relays<T>(
        &self,
        ask: impl Fn(usize, oneshot::Sender<T>) -> relay::Input,
    ) -> Result<Vec<T>, Failure> {
        let mut asked = Vec::new();
        for (number, relay) in self.inner.relays().iter().enumerate() {
            let (done, answer) = oneshot::channel();
            let sent = relay.send(ask(number, done)).await;
            sent.map_err(|_| Failure::Closing)?;
            asked.push(answer);
        }
        let mut answers = Vec::with_capacity(asked.len());
        for answer in asked {
            answers.push(answer.await.map_err(|_| Failure::Closing)?);
        }
        Ok(answers)
    }

    async fn subscribe_to(
        &self,
        guild_id: GuildId,
        view: Option<GuildView>,
        subscriber: Subscriber,
    ) -> Result<bool, Failure> {
        let relay = self.inner.relay_of(Source::Guild(guild_id));
        let (done, subscribed) = oneshot::channel();
        let input = relay::Input::Subscribe {
            guild_id,
            view,
            subscriber,
            done,
        };
        relay.send(input).await.map_err(|_| Failure::Closing)?;
        subscribed.await.map_err(|_| Failure::Closing)?
    }

    pub(super) async fn tell(&self, guild_id: GuildId, session: SessionRef, dispatch: Dispatch) {
        let relay = self.inner.relay_of(Source::Guild(guild_id));
        let dispatch = Arc::new(dispatch);
        // The relay ends only with the node.
        let _ = relay.send(relay::Input::Tell { session, dispatch }).await;
    }
}
