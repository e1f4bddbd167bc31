//! Guilds as they stood at a place of their stream.

use guildhall_model::event::Source;
use guildhall_model::guild::GuildRows;
use guildhall_model::{GuildId, Position};
use guildhall_state::guild::GuildState;

use crate::simulation::env::Env;
use crate::simulation::log::Stable;
use crate::simulation::scenario::Weakness;

/// A guild's state before the first event at or after `from`: its rows, with the later events
/// taken back, those included that have not reached the log yet.
pub(super) fn state_before(
    env: &Env,
    guild: GuildId,
    number: u16,
    from: Position,
) -> Option<GuildState> {
    let mut state = env.store.guilds.get(&guild)?.state.clone();
    if env.is_weak(Weakness::NewestRows) {
        return Some(state);
    }
    let source = Source::Guild(guild);
    let logged = env
        .events
        .committed(number, Position::START, true)
        .into_iter();
    let logged: Vec<Stable> = logged.filter(|one| one.record.source == source).collect();
    let (before, mut later): (Vec<Stable>, Vec<Stable>) =
        logged.into_iter().partition(|one| one.position < from);
    let heard = before.iter().map(|one| one.record.gseq).max().unwrap_or(0);
    let in_log = later
        .iter()
        .map(|one| one.record.gseq)
        .max()
        .unwrap_or(heard);
    let outbox = env.outbox_of(guild).into_iter();
    later.extend(
        outbox
            .filter(|record| in_log < record.gseq)
            .map(|record| Stable {
                position: env.events.end(number),
                record,
            }),
    );
    // A record may stand twice in the log: the second does not count.
    later.retain(|one| heard < one.record.gseq);
    later.sort_by_key(|one| one.record.gseq);
    later.dedup_by_key(|one| one.record.gseq);
    for stable in later.iter().rev() {
        state.revert(&stable.record);
    }
    Some(GuildState::restore(rows_of(&state, heard)))
}

/// A state as rows that stand at `gseq`. Rows may be committed before a message that precedes
/// them in the stream is heard: such a state must not pass for one that knows the message.
fn rows_of(state: &GuildState, gseq: u64) -> GuildRows {
    GuildRows {
        guild: (**state.guild()).clone(),
        deleted: state.is_deleted(),
        roles: state.roles().map(|role| (**role).clone()).collect(),
        channels: state
            .channels()
            .map(|channel| (**channel).clone())
            .collect(),
        members: state.members().map(|member| (**member).clone()).collect(),
        bans: state.bans().map(|ban| (**ban).clone()).collect(),
        invites: state.invites().map(|invite| (**invite).clone()).collect(),
        webhooks: state
            .webhooks()
            .map(|webhook| (**webhook).clone())
            .collect(),
        emojis: state.emojis().map(|emoji| (**emoji).clone()).collect(),
        gseq,
    }
}
