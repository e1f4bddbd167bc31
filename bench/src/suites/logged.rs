//! How many bytes a message costs in both logs as the number of its readers grows.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Groups, POSTERS, Settings, head, raise_open_files};
use crate::crowd::{Crowd, Guest};
use crate::load::{Contestant, Pace};
use crate::process::Server;
use crate::publisher::{Desk, Publisher};
use crate::report::{Table, say};
use crate::town::{self, Plan};
use crate::written::Written;

/// Session partitions, each with a frames log of its own, as a cluster has them by default.
const PARTITIONS: u16 = 64;
/// Messages under way: one, so that every message has frames of its own, and many.
const UNDER_WAY: [usize; 2] = [1, 32];

/// What the suite is run with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Readers {
    /// Online members of the channel, in growing order.
    #[arg(long, value_delimiter = ',', default_value = "20,200,2000")]
    pub(crate) readers: Vec<u16>,
}

/// Bytes in each log for one message.
struct Logged {
    events: f64,
    frames: f64,
}

/// Runs the suite.
pub(crate) fn run(settings: &Settings, readers: &Readers) -> Result<()> {
    head("logged: bytes in the logs per message")?;
    say(&format!(
        "One channel, {PARTITIONS} session partitions, content of {} bytes, {} s each. The peer is \
         arithmetic: a log that holds a copy of the event for every session partition that has a reader, \
         {PARTITIONS} * (1 - (1 - 1/{PARTITIONS})^readers) of them at random.\n",
        settings.content_bytes, settings.seconds
    ))?;
    let mut table = Table::new(&[
        "readers",
        "under way",
        "events, bytes",
        "frames, bytes",
        "partitions with readers",
        "frames, bytes per partition",
        "all, ratio to copies",
        "all, bytes per reader",
    ]);
    for count in &readers.readers {
        for (under_way, logged) in measure(settings, (*count).into())? {
            table.row(row(*count, under_way, &logged));
        }
    }
    Ok(table.print()?)
}

fn row(readers: u16, under_way: usize, logged: &Logged) -> Vec<String> {
    let partitions = f64::from(PARTITIONS);
    let interested = partitions * (1.0 - (1.0 - 1.0 / partitions).powi(readers.into()));
    let all = logged.events + logged.frames;
    vec![
        readers.to_string(),
        under_way.to_string(),
        format!("{:.0}", logged.events),
        format!("{:.0}", logged.frames),
        format!("{interested:.1}"),
        format!("{:.1}", logged.frames / interested),
        format!("{:.3}", all / (logged.events * interested)),
        format!("{:.2}", all / f64::from(readers)),
    ]
}

/// The costs with so many readers, by how many messages are under way.
fn measure(settings: &Settings, readers: usize) -> Result<Vec<(usize, Logged)>> {
    ensure!(POSTERS <= readers, "at least {POSTERS} readers are needed");
    raise_open_files(readers)?;
    let partitions = PARTITIONS.to_string();
    let server = Server::guildhall_with(
        &settings.data,
        settings.durability,
        &[("GUILDHALL__DELIVERY__SESSION_PARTITIONS", &partitions)],
    )?;
    let operator = server.operator().context("no operator's listener")?;
    let plan = Plan {
        guilds: 1,
        members: readers,
        bots: 0,
        channels: 1,
    };
    let town = town::build(server.address(), plan)?;
    let guild = town.first().context("no guild was built")?;
    let desks: Vec<Desk> = guild.tokens[..POSTERS]
        .iter()
        .map(|token| Desk {
            channel: guild.channels[0].clone(),
            token: token.clone(),
        })
        .collect();
    let guests: Vec<Guest> = guild
        .tokens
        .iter()
        .map(|token| Guest {
            token: Some(token.clone()),
            ..Guest::default()
        })
        .collect();
    let door = (server.address(), Guest::default().link.dialect);
    let most = UNDER_WAY.into_iter().max().unwrap_or(1);
    let publisher = Publisher::rest(door, desks, most, settings.content_bytes.into())?;
    let crowd = Crowd::gather(server.address(), &guests, publisher)?;
    let Groups { members, turns } = Groups::one(readers);
    let mut contestant = Contestant::new(server.pid(), crowd, members, turns);
    contestant.closed(most, Pace::Delivered, Duration::from_millis(500))?;
    let mut costs = Vec::new();
    for under_way in UNDER_WAY {
        let before = (
            Written::of(operator, "events")?,
            Written::of(operator, "frames")?,
        );
        contestant.closed(under_way, Pace::Delivered, settings.lasting())?;
        let events = Written::of(operator, "events")?.since(before.0);
        let frames = Written::of(operator, "frames")?.since(before.1);
        ensure!(0.0 < events.records, "nothing was written");
        costs.push((
            under_way,
            Logged {
                events: events.bytes / events.records,
                frames: frames.bytes / events.records,
            },
        ));
    }
    Ok(costs)
}
