//! A guild's state at a place of its stream.
//!
//! The rows of a guild are always its newest ones: a change is committed before its event is in
//! the log, and before messages that come earlier in the stream have been heard. Whoever begins
//! to hear a guild at some place takes the later events back.

use guildhall_model::event::{Record, Source};
use guildhall_model::{EventPartition, GuildId};
use guildhall_ports::Failure;
use guildhall_state::guild::GuildState;

use crate::event_log::{self, Stable, after};
use crate::node::Stores;

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

/// A guild before the first event of the tail, which holds everything that follows; `None` if
/// there is no such guild.
pub(crate) async fn load_before(
    stores: &Stores,
    guild_id: GuildId,
    tail: &[Stable],
) -> Result<Option<GuildState>, Failure> {
    let rows = stores.guilds.load(guild_id).await?;
    Ok(rows.map(|rows| before(GuildState::restore(rows), tail)))
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
