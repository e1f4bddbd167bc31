//! How much memory a connection takes on which nothing happens.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use guildhall_loadtest::client::gateway::Dialect;

use super::{Settings, head, raise_open_files};
use crate::crowd::{Crowd, Guest};
use crate::peer::Style;
use crate::process::{Durability, Server};
use crate::publisher::Publisher;
use crate::report::{Table, say};
use crate::town::{self, Plan};
use crate::usage;

/// How long memory may go on growing after the last session is ready.
const SETTLING_MAX: Duration = Duration::from_secs(30);
/// Two looks that show the same are this far apart.
const LOOK_EVERY: Duration = Duration::from_millis(1500);

/// What the suite is run with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Idle connections at which memory is looked at, in growing order.
    #[arg(long, value_delimiter = ',', default_value = "2000,8000")]
    pub(crate) idle: Vec<u16>,
}

/// Runs the suite.
pub(crate) fn run(settings: &Settings, sizes: &Sizes) -> Result<()> {
    head("idle: resident bytes per idle connection")?;
    let counts: Vec<usize> = sizes.idle.iter().map(|n| usize::from(*n)).collect();
    let is_growing = counts.iter().is_sorted() && counts.first().is_some_and(|first| 0 < *first);
    ensure!(is_growing, "the numbers of connections must grow from 1 on");
    let most = counts.iter().copied().max().unwrap_or_default();
    raise_open_files(most)?;
    say(
        "Each connection is an identified session of a person who is alone in a guild; plain, JSON, \
         no compression. Growth of RSS, the kernel's socket buffers not counted.\n",
    )?;
    let bare = Server::peer(Style::Each, 0)?;
    let bare = grow(&bare, &vec![Guest::default(); most], &counts)?;
    // How durable a registration is changes nothing about connections.
    let ours = Server::guildhall(&settings.data, Durability::Os)?;
    let plan = Plan {
        guilds: most,
        members: 1,
        bots: 0,
        channels: 1,
    };
    let town = town::build(ours.address(), plan)?;
    let guests: Vec<Guest> = town
        .into_iter()
        .flat_map(|guild| guild.tokens)
        .map(|token| Guest {
            token: Some(token),
            ..Guest::default()
        })
        .collect();
    let ours = grow(&ours, &guests, &counts)?;
    let mut table = Table::new(&[
        "connections",
        "epoll, bytes each",
        "guildhall, bytes each",
        "ratio",
        "share of the aim of 16 KiB",
    ]);
    let mut from = 0;
    for ((upto, bare), ours) in counts.into_iter().zip(bare).zip(ours) {
        table.row(vec![
            format!("{from} to {upto}"),
            format!("{bare:.0}"),
            format!("{ours:.0}"),
            format!("{:.1}", ours / bare),
            format!("{:.2}", ours / 16384.0),
        ]);
        from = upto;
    }
    Ok(table.print()?)
}

/// Opens connections and says after each step by how much memory grew for each of its new ones.
#[expect(clippy::cast_precision_loss, reason = "memory stays below 2^52 bytes")]
fn grow(server: &Server, guests: &[Guest], counts: &[usize]) -> Result<Vec<f64>> {
    let mut before = settled(server)?;
    let mut open = 0;
    let mut crowds = Vec::new();
    let mut growth = Vec::new();
    for count in counts {
        // Nothing is published here; the one connection is part of what is counted.
        let publisher = Publisher::rest((server.address(), Dialect::Native), Vec::new(), 1, 0)?;
        crowds.push(Crowd::gather(
            server.address(),
            &guests[open..*count],
            publisher,
        )?);
        let now = settled(server)?;
        growth.push((now as f64 - before as f64) / (count - open) as f64);
        before = now;
        open = *count;
    }
    Ok(growth)
}

/// Resident bytes once they stay the same within one part in 200.
fn settled(server: &Server) -> Result<u64> {
    let start = Instant::now();
    let mut last = usage::resident(server.pid())?;
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = usage::resident(server.pid())?;
        if now.abs_diff(last) <= now / 200 || SETTLING_MAX < start.elapsed() {
            return Ok(now);
        }
        last = now;
    }
}
