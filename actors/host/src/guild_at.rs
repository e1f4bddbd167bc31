//! A guild's state at a place of its stream.
//!
//! The rows of a guild are always its newest ones: a change is committed before its event is in
//! the log, and before messages that come earlier in the stream have been heard. Whoever begins
//! to hear a guild at some place takes the later events back.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use guildhall_model::event::{Record, Source};
use guildhall_model::{EventPartition, GuildId, Position};
use guildhall_ports::Failure;
use guildhall_state::guild::GuildState;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event_log::{self, Stable, after};
use crate::node::Stores;

/// Guilds that are loaded at a time.
const LOADED_AT_ONCE: usize = 8;

/// A guild just after this event; `None` if there is no such guild.
pub(crate) async fn load_after(
    stores: &Stores,
    partition: EventPartition,
    guild_id: GuildId,
    event: &Stable,
) -> Result<Option<GuildState>, Failure> {
    let Some(rows) = stores.guilds.load(guild_id).await? else {
        return Ok(None);
    };
    let mut state = GuildState::restore(rows);
    let gseq = event.record.gseq;
    if state.gseq() <= gseq {
        return Ok(Some(state));
    }
    // The outbox first: what leaves it meanwhile is in the log by then.
    let outbox = stores.guilds.outbox().await?;
    let from = after(event.position);
    let (tail, _) = event_log::read_all(&*stores.events, partition, from).await?;
    let source = Source::Guild(guild_id);
    let logged = tail.iter().map(|stable| &*stable.record);
    let of_guild = logged.chain(&outbox).filter(|it| it.source == source);
    let mut later: Vec<&Record> = of_guild.filter(|it| it.gseq > gseq).collect();
    later.sort_unstable_by_key(|record| std::cmp::Reverse(record.gseq));
    for record in later {
        state.revert(record);
    }
    // Messages between may not be in the log yet. They change no guild, and are still to come.
    state.stand_at(gseq);
    Ok(Some(state))
}

/// Guilds as their rows are now, and a tail of the log that begins at this place and holds
/// everything that is in the rows and follows it. Guilds that do not exist are left out.
/// `Unavailable` as long as it is not known whether a change of them has reached the log.
pub(crate) async fn load_with_tail(
    stores: &Stores,
    partition: EventPartition,
    guilds: Vec<GuildId>,
    from: Position,
) -> Result<(FxHashMap<GuildId, GuildState>, Vec<Stable>), Failure> {
    let rows = guilds.into_iter().map(|id| stores.guilds.load(id));
    let rows: Vec<_> = stream::iter(rows)
        .buffer_unordered(LOADED_AT_ONCE)
        .try_collect()
        .await?;
    let states = rows.into_iter().flatten().map(GuildState::restore);
    let states: FxHashMap<_, _> = states.map(|state| (state.guild().id, state)).collect();
    // Before the log: what leaves the outbox meanwhile is in the log by then.
    let outbox = if states.is_empty() {
        Vec::new()
    } else {
        stores.guilds.outbox().await?
    };
    let (tail, _) = event_log::read_all(&*stores.events, partition, from).await?;
    let is_in_rows = |record: &Record| {
        let guild = record.source.guild_id().and_then(|id| states.get(&id));
        guild.is_some_and(|state| record.gseq <= state.gseq())
    };
    let logged: FxHashSet<(Source, u64)> = tail
        .iter()
        .map(|stable| (stable.record.source, stable.record.gseq))
        .collect();
    let mut open = outbox.iter().filter(|record| is_in_rows(record));
    if open.any(|record| !logged.contains(&(record.source, record.gseq))) {
        let why = "a change is on its way into the events log";
        return Err(Failure::unavailable("the guild", why));
    }
    Ok((states, tail))
}

/// A guild's state before the first event of the tail, which holds everything that follows.
pub(crate) fn before(mut state: GuildState, tail: &[Stable]) -> GuildState {
    let source = Source::Guild(state.guild().id);
    let of_guild = tail.iter().filter(|stable| stable.record.source == source);
    for stable in of_guild.rev() {
        state.revert(&stable.record);
    }
    state
}
