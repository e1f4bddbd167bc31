//! Guilds of other nodes' partitions as their rows are: kept, and asked for anew once they changed.
//!
//! Rows are committed before their command is answered, so whoever asks after an answer finds what
//! was answered. One short question tells whether a copy is still the present one. While the store
//! is away nobody can change a guild, so a copy is at most older by what came just before that.
//! Where only this node is cut off from it, what others change is heard in the events log.

use std::sync::Arc;

use guildhall_model::event::{Record, Source};
use guildhall_model::{GuildId, Timestamp, limits};
use guildhall_ports::Failure;
use guildhall_state::guild::GuildState;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::node::Stores;
use crate::recall::Told;

/// Guilds that are kept. One more, and all are asked for anew.
const COPIES_MAX: usize = 1_000;

/// Copies of guilds by their ids.
#[derive(Default)]
pub(crate) struct Copies(Mutex<FxHashMap<GuildId, Copy>>);

#[derive(Clone)]
struct Copy {
    state: Arc<GuildState>,
    /// When it was last known to be the present one.
    confirmed: Timestamp,
}

impl Copies {
    /// A guild with everything that was answered before; `None` if there never was one.
    pub(crate) async fn present(
        &self,
        stores: &Stores,
        id: GuildId,
        now: Timestamp,
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        self.no_older_than(0, stores, id, now).await
    }

    /// The same, or as it was known lately while the store is away.
    pub(crate) async fn get(
        &self,
        stores: &Stores,
        id: GuildId,
        now: Timestamp,
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        self.no_older_than(limits::RECALLED_MS_MAX, stores, id, now)
            .await
    }

    /// The present one; while the store is away one that was so less than this time ago.
    async fn no_older_than(
        &self,
        age_ms: u64,
        stores: &Stores,
        id: GuildId,
        now: Timestamp,
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        let Some(known) = self.known(id) else {
            return self.load(stores, id, now).await;
        };
        let is_recent = now.ms_since(known.confirmed) < age_ms;
        let recalled = is_recent.then(|| Arc::clone(&known.state));
        let question = stores.guilds.last_gseq(Source::Guild(id));
        match stores.ask_or_recall(recalled, question).await? {
            Told::Before(state) => Ok(Some(state)),
            Told::Now(gseq) => self.newest(stores, id, now, (known, gseq)).await,
        }
    }

    /// An event was heard that counts. A node that is cut off from the store still hears what others
    /// change, and must not recall what was before it.
    pub(crate) fn hear(&self, record: &Record) {
        let Source::Guild(id) = record.source else {
            return;
        };
        if record.event.changes_access() {
            let mut copies = self.0.lock();
            if copies
                .get(&id)
                .is_some_and(|known| known.state.gseq() < record.gseq)
            {
                copies.remove(&id);
            }
        }
    }

    fn known(&self, id: GuildId) -> Option<Copy> {
        self.0.lock().get(&id).cloned()
    }

    /// What is known, if its place is the present one, or what stands there now.
    async fn newest(
        &self,
        stores: &Stores,
        id: GuildId,
        now: Timestamp,
        (known, gseq): (Copy, u64),
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        if known.state.gseq() != gseq {
            return self.load(stores, id, now).await;
        }
        Ok(Some(self.keep(id, known.state, now)))
    }

    async fn load(
        &self,
        stores: &Stores,
        id: GuildId,
        now: Timestamp,
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        let rows = stores.guilds.load(id).await?;
        let state = rows.map(|rows| Arc::new(GuildState::restore(rows)));
        Ok(state.map(|state| self.keep(id, state, now)))
    }

    fn keep(&self, id: GuildId, state: Arc<GuildState>, confirmed: Timestamp) -> Arc<GuildState> {
        let copy = Copy {
            state: Arc::clone(&state),
            confirmed,
        };
        let mut copies = self.0.lock();
        if copies.len() >= COPIES_MAX && !copies.contains_key(&id) {
            copies.clear();
        }
        copies.insert(id, copy);
        state
    }
}
