//! Guilds of other nodes' partitions as their rows are: kept, and asked for anew once they changed.
//!
//! Rows are committed before their command is answered, so whoever asks after an answer finds what
//! was answered. One short question tells whether a copy is still the present one.

use std::sync::Arc;

use guildhall_model::GuildId;
use guildhall_model::event::Source;
use guildhall_ports::{Failure, Guilds};
use guildhall_state::guild::GuildState;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Guilds that are kept. One more, and all are asked for anew.
const COPIES_MAX: usize = 1_000;

/// Copies of guilds by their ids.
#[derive(Default)]
pub(crate) struct Copies(Mutex<FxHashMap<GuildId, Arc<GuildState>>>);

impl Copies {
    /// A guild with everything that was answered before; `None` if there never was one.
    pub(crate) async fn get(
        &self,
        guilds: &dyn Guilds,
        id: GuildId,
    ) -> Result<Option<Arc<GuildState>>, Failure> {
        let known = self.0.lock().get(&id).cloned();
        if let Some(known) = known
            && known.gseq() == guilds.last_gseq(Source::Guild(id)).await?
        {
            return Ok(Some(known));
        }
        let Some(rows) = guilds.load(id).await? else {
            return Ok(None);
        };
        let copy = Arc::new(GuildState::restore(rows));
        let mut copies = self.0.lock();
        if copies.len() >= COPIES_MAX {
            copies.clear();
        }
        copies.insert(id, Arc::clone(&copy));
        Ok(Some(copy))
    }
}
