//! What one delivery to a bot costs the server with each transport compression, next to none.

use anyhow::Result;
use guildhall_loadtest::client::gateway::Dialect;

use super::fanout::rounds;
use super::{Entrant, Settings, guildhall, head};
use crate::link::{Compression, Link};
use crate::report::{Table, say};
use crate::usage;

const COLUMNS: [&str; 8] = [
    "messages under way",
    "compression",
    "bytes on the wire",
    "CPU per delivery, µs",
    "ratio to none",
    "messages/s",
    "deliveries/s",
    "client's CPU",
];

/// Runs the suite.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    head("bots: server CPU per delivery by compression")?;
    let mut entrants = [Compression::None, Compression::Zlib, Compression::Zstd]
        .into_iter()
        .map(|compression| entrant(settings, compression))
        .collect::<Result<Vec<_>>>()?;
    say(&format!(
        "{} bots in one channel, each with one session (Discord's dialect, JSON, intents for guilds, \
         messages and their content), posts by bots with {} bytes of a phrase over and over, a server for each \
         compression ({}), {} interleaved rounds of {} s in a closed loop; median (least-most). The \
         client decompresses every payload and reads all of it as JSON.\n",
        settings.members,
        settings.content_bytes,
        settings.durability.name(),
        settings.rounds,
        settings.seconds
    ))?;
    let mut table = Table::new(&COLUMNS);
    for in_flight in [1, 16] {
        let kept = rounds(&mut entrants, in_flight, settings)?;
        let plain = kept.first().map(|kept| kept.cpu.clone());
        let plain = plain.unwrap_or_default();
        for (entrant, kept) in entrants.iter().zip(&kept) {
            let bytes = entrant.contestant.crowd.payload_bytes();
            let mut row = vec![
                in_flight.to_string(),
                entrant.name.clone(),
                bytes.to_string(),
            ];
            row.extend(kept.cells(&plain));
            table.row(row);
        }
    }
    table.print()?;
    let load = usage::load_average();
    Ok(say(&format!(
        "Every delivery arrived exactly once, with the content that was posted. Load average at the \
         end: {load:.2}.\n"
    ))?)
}

/// A server whose bots all ask for this compression.
fn entrant(settings: &Settings, compression: Compression) -> Result<Entrant> {
    let link = Link {
        dialect: Dialect::Discord,
        compression,
    };
    let mut entrant = guildhall(settings, link)?;
    compression.name().clone_into(&mut entrant.name);
    Ok(entrant)
}
