//! An event partition on its owner: its writer, its projection, and the actors of its sources.

pub(crate) mod channel_actor;
pub(crate) mod guild_actor;
mod loading;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guildhall_model::event::{Event, Source};
use guildhall_model::{ChannelId, EventPartition as Number, GuildId, Position, limits};
use guildhall_ports::Failure;
use guildhall_ports::guilds::{FencingToken, Home};
use parking_lot::{Mutex, RwLock};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::{OnceCell, mpsc, oneshot};

use crate::error::Refused;
use crate::event_log::{self, Stable};
use crate::node::{Inner, Node};
use crate::observe::{EventPartitionState, Fill, busiest};
use crate::projection::Projection;
use crate::relay;
use crate::stream::Stream;
use crate::writer::Writer;
use channel_actor::ChannelHandle;
use guild_actor::GuildHandle;
use loading::Loaded;

/// How often a partition that is handed over looks whether all is done.
const FINISH_LOOK: Duration = Duration::from_millis(5);

/// One event partition that this node owns.
pub(crate) struct EventPartition {
    pub(crate) number: Number,
    /// What its commits are accepted with.
    pub(crate) token: FencingToken,
    /// Everything before was projected when it was taken over.
    begins: Position,
    /// It is being handed over: nobody asks for anything any more.
    is_closing: AtomicBool,
    writer: RwLock<Writer>,
    pub(crate) projection: Projection,
    pub(crate) projected: mpsc::Sender<Vec<Stable>>,
    pub(crate) relay: mpsc::Sender<relay::Input>,
    guilds: Loaded<GuildId, GuildHandle>,
    channels: Loaded<ChannelId, ChannelHandle>,
    streams: Mutex<FxHashMap<Source, Arc<OnceCell<Arc<Stream>>>>>,
    /// Sources whose last commit nobody knows the outcome of, with the place that it would have taken.
    /// Whoever writes them next looks after it.
    interrupted: Mutex<FxHashMap<Source, u64>>,
    /// Channels that were made here.
    made: Mutex<FxHashSet<ChannelId>>,
}

/// The event partitions that a node owns; they come and go.
#[derive(Default)]
pub(crate) struct EventPartitions(RwLock<Arc<[Arc<EventPartition>]>>);

impl EventPartitions {
    /// Adds a partition, in place of the one of the same number.
    pub(crate) fn insert(&self, partition: Arc<EventPartition>) {
        let mut owned = self.0.write();
        let others = owned
            .iter()
            .filter(|other| other.number != partition.number);
        let mut all: Vec<_> = others.cloned().collect();
        all.push(partition);
        all.sort_unstable_by_key(|partition| partition.number);
        *owned = all.into();
    }

    /// Takes a partition out, unless another one has its number by now.
    pub(crate) fn remove(&self, partition: &Arc<EventPartition>) {
        let mut owned = self.0.write();
        let others = owned.iter().filter(|other| !Arc::ptr_eq(other, partition));
        *owned = others.cloned().collect();
    }

    /// One that may be asked for something.
    pub(crate) fn get(&self, number: Number) -> Option<Arc<EventPartition>> {
        let present = self.present(number);
        present.filter(|partition| !partition.is_closing.load(Ordering::Acquire))
    }

    /// One that is there, though it may be on its way out.
    pub(crate) fn present(&self, number: Number) -> Option<Arc<EventPartition>> {
        let owned = self.all();
        let at = owned.binary_search_by_key(&number, |partition| partition.number);
        owned.get(at.ok()?).cloned()
    }

    /// Those that there are at this moment, by number.
    pub(crate) fn all(&self) -> Arc<[Arc<EventPartition>]> {
        Arc::clone(&self.0.read())
    }
}

impl EventPartition {
    pub(crate) fn new(
        token: FencingToken,
        writer: Writer,
        (projection, projected): (Projection, mpsc::Sender<Vec<Stable>>),
        relay: mpsc::Sender<relay::Input>,
    ) -> Self {
        Self {
            number: token.partition,
            token,
            begins: writer.progress().borrow().end,
            is_closing: AtomicBool::new(false),
            writer: RwLock::new(writer),
            projection,
            projected,
            relay,
            guilds: Loaded::default(),
            channels: Loaded::default(),
            streams: Mutex::default(),
            interrupted: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// Notes the channels that events have made. Nobody can have posted there before.
    pub(crate) fn note_made<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let made = events.into_iter().filter_map(|event| match event {
            Event::ChannelCreated(channel) => Some(channel.id),
            Event::GuildCreated(founding) => Some(founding.channel.id),
            _ => None,
        });
        let mut known = self.made.lock();
        let room = limits::CHANNELS_MADE_MAX.saturating_sub(known.len());
        known.extend(made.take(room));
    }

    /// Whether it is known of a channel that it was made here.
    pub(crate) fn has_made(&self, channel: ChannelId) -> bool {
        self.made.lock().contains(&channel)
    }

    /// The way into the log. A refused append brings a new one.
    pub(crate) fn writer(&self) -> Writer {
        self.writer.read().clone()
    }

    /// Replaces the way into the log, after all actors have been stopped. Those that were loaded
    /// meanwhile to be read from are not asked any more.
    pub(crate) fn set_writer(&self, writer: Writer) {
        *self.writer.write() = writer;
        self.streams.lock().clear();
    }

    fn is_present(&self, writer: &Writer) -> bool {
        self.writer.read().is_same(writer)
    }

    /// The actor of a guild, loaded if need be; `None` if there is no such guild.
    pub(crate) async fn guild(
        self: &Arc<Self>,
        node: &Node,
        id: GuildId,
    ) -> Result<Option<GuildHandle>, Failure> {
        let is_current = |it: &GuildHandle| it.is_alive() && self.is_present(&it.shared.writer);
        let load = || guild_actor::load(node.clone(), Arc::clone(self), id);
        self.guilds.get_or_load(id, is_current, load).await
    }

    /// The actor of a channel, loaded if need be; `None` if there is no such channel.
    pub(crate) async fn channel(
        self: &Arc<Self>,
        node: &Node,
        id: ChannelId,
        home: Home,
    ) -> Result<Option<ChannelHandle>, Failure> {
        let is_current = |it: &ChannelHandle| it.is_alive() && self.is_present(it.writer());
        let load = || channel_actor::load(node.clone(), Arc::clone(self), id, home);
        self.channels.get_or_load(id, is_current, load).await
    }

    /// The stream of a source that has no actor of its own.
    pub(crate) async fn stream(
        &self,
        inner: &Inner,
        source: Source,
    ) -> Result<Arc<Stream>, Failure> {
        let cell = {
            let mut streams = self.streams.lock();
            let cell = streams.entry(source).or_default();
            if cell.get().is_some_and(|stream| stream.is_over()) {
                *cell = Arc::default();
            }
            Arc::clone(cell)
        };
        let stream = cell
            .get_or_try_init(|| async {
                self.append_committed(inner, source).await?;
                let last = self.last_gseq(inner, source).await?;
                Ok::<_, Failure>(Stream::new(source, last))
            })
            .await?;
        Ok(Arc::clone(stream))
    }

    /// The place of a source's last event. Everything that was committed before must be known.
    pub(crate) async fn last_gseq(&self, inner: &Inner, source: Source) -> Result<u64, Failure> {
        let in_log = self.logged_gseq(inner, source).await?;
        Ok(in_log.max(inner.stores.guilds.last_gseq(source).await?))
    }

    /// The place of a source's last event that is in the log.
    async fn logged_gseq(&self, inner: &Inner, source: Source) -> Result<u64, Failure> {
        let end = self.writer().barrier().await?;
        if let Some(last) = inner.heard(self.number).last_gseq(source) {
            return Ok(last);
        }
        let projected = || inner.stores.messages.last_gseq(source);
        let (projected, tail) = self.with_unprojected(inner, end, projected).await?;
        let of_source = tail.iter().filter(|stable| stable.record.source == source);
        let last = of_source.map(|stable| stable.record.gseq).max();
        Ok(projected.max(last.unwrap_or(0)))
    }

    /// Notes that nobody knows what became of a source's last commit, whose last event would stand at
    /// this place at most.
    pub(crate) fn note_interrupted(&self, source: Source, upto: u64) {
        let mut interrupted = self.interrupted.lock();
        let known = interrupted.entry(source).or_default();
        *known = upto.max(*known);
    }

    /// Appends what was committed by one who was interrupted, and not appended. Nobody else writes the
    /// source's rows. What is still on its way to the store comes too late: a connection that was cut
    /// may deliver it long after its sender has given it up.
    pub(crate) async fn append_committed(
        &self,
        inner: &Inner,
        source: Source,
    ) -> Result<(), Failure> {
        let Some(upto) = self.interrupted.lock().get(&source).copied() else {
            return Ok(());
        };
        let guilds = &inner.stores.guilds;
        if guilds.commits_may_be_late() {
            guilds.give_up(self.token, source, upto).await?;
        }
        let in_log = self.logged_gseq(inner, source).await?;
        let mut missing = guilds.outbox().await?;
        missing.retain(|record| record.source == source && record.gseq > in_log);
        if !missing.is_empty() {
            let writer = self.writer();
            let place = writer.place().map_err(|refused| match refused {
                Refused::Failure(failure) => failure,
                Refused::Rejection(rejection) => Failure::unavailable("events log", rejection),
            })?;
            let (done, stable) = oneshot::channel();
            place.submit(missing, Box::new(move |outcome| drop(done.send(outcome))));
            stable.await.map_err(|_| Failure::Closing)??;
        }
        self.interrupted.lock().remove(&source);
        Ok(())
    }

    pub(crate) fn observe(&self) -> EventPartitionState {
        let guilds = self.guilds.observe(GuildHandle::observe);
        let channels = self.channels.observe(ChannelHandle::observe);
        let writer = self.writer();
        let stable = writer.progress().borrow().end;
        EventPartitionState {
            number: self.number,
            epoch: self.token.epoch,
            is_working: writer.is_working(),
            stable,
            projected: self.projection.applied(),
            append_queue: writer.fill(),
            projection_queue: Fill::of(&self.projected),
            relay_queue: Fill::of(&self.relay),
            guilds: guilds.len(),
            channels: channels.len(),
            busiest_guilds: busiest(guilds, |guild| guild.mailbox.used),
            busiest_channels: busiest(channels, |channel| channel.mailbox.used),
        }
    }

    /// What the message store answers, and what is stable before `end` and not in it at that
    /// moment. A store that lags, because its disk is full, is not waited for.
    pub(crate) async fn with_unprojected<T, F>(
        &self,
        inner: &Inner,
        end: Position,
        ask: impl Fn() -> F + Send,
    ) -> Result<(T, Vec<Stable>), Failure>
    where
        T: Send,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let stores = &inner.stores;
        loop {
            let applied = stores.messages.applied(self.number).await?;
            let answer = ask().await?;
            if applied >= end {
                return Ok((answer, Vec::new()));
            }
            let (mut tail, _) = event_log::read_all(&*stores.events, self.number, applied).await?;
            tail.retain(|stable| stable.position < end);
            // Otherwise the answer may hold a part of the tail already. It ends, because the end
            // stays where it is.
            let begun = stores.messages.begun(self.number).await?;
            if begun == applied {
                return Ok((answer, tail));
            }
            // What has begun is finished soon, or the store has failed in the middle of it.
            self.projection.wait(begun.min(end)).await?;
        }
    }

    /// Everything before was projected when it was taken over.
    pub(crate) const fn begins(&self) -> Position {
        self.begins
    }

    /// From now on nobody asks for anything any more.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    /// Projects events that count, where that has not been done yet.
    pub(crate) async fn project(&self, mut events: Vec<Stable>) {
        events.retain(|stable| stable.position >= self.begins);
        if !events.is_empty() {
            // It ends only with the partition.
            let _ = self.projected.send(events).await;
        }
    }

    /// Waits until everything that was asked for is carried out, provided that nobody asks anew.
    pub(crate) async fn finish(&self) {
        loop {
            let writer = self.writer();
            let guilds = self.guilds.observe(|guild| guild.observe().mailbox.used);
            let channels = self.channels.observe(|it| it.observe().mailbox.used);
            let waiting: usize = guilds.into_iter().chain(channels).sum();
            if writer.barrier().await.is_err() || (waiting == 0 && writer.is_idle()) {
                return;
            }
            tokio::time::sleep(FINISH_LOOK).await;
        }
    }

    /// How many actors there are, guilds and channels.
    pub(crate) fn actors(&self) -> (usize, usize) {
        (self.guilds.len(), self.channels.len())
    }

    /// Stops all actors and waits until they are gone; whoever asks for them next loads them anew.
    pub(crate) async fn stop_actors(&self, why: &str) {
        let (guilds, channels) = (self.guilds.drain(), self.channels.drain());
        for handle in channels {
            handle.stop(why).await;
        }
        for handle in guilds {
            handle.stop(why).await;
        }
        self.streams.lock().clear();
    }
}
