//! How many durable messages a second can be created through each dialect, next to a loop that
//! only appends and syncs.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use guildhall_loadtest::client::gateway::Dialect;

use super::{Entrant, Groups, Settings, head, raise_open_files};
use crate::crowd::{Crowd, Guest};
use crate::load::Pace;
use crate::process::{Durability, Server};
use crate::publisher::{Desk, Publisher};
use crate::report::{Figure, Table, say};
use crate::town::{self, Plan};
use crate::usage;
use crate::written::Written;

/// Channels of each guild; each is posted in by somebody of its own.
const CHANNELS: usize = 2;
const COLUMNS: [&str; 7] = [
    "",
    "records/s",
    "ratio to the loop",
    "ratio to native",
    "records per sync",
    "CPU per record, µs",
    "client's CPU",
];

/// What the suite is run with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Crew {
    /// Posts that are under way at a time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) posters: u16,
    /// Guilds over which they are spread, each with two channels.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) guilds: u16,
    /// Members of each guild, all online.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) listeners: u16,
}

/// What is kept of the rounds of one dialect.
#[derive(Default)]
struct Kept {
    creates: Figure,
    /// Records of the loop.
    raw: Figure,
    /// Records per sync.
    group: Figure,
    cpu: Figure,
    client: Figure,
}

/// Runs the suite.
pub(crate) fn run(settings: &Settings, crew: &Crew) -> Result<()> {
    head("creates: durable messages per second")?;
    let mut entrants = [Dialect::Native, Dialect::Discord]
        .into_iter()
        .map(|dialect| entrant(settings, crew, dialect))
        .collect::<Result<Vec<_>>>()?;
    say(&format!(
        "{} posts under way over {} channels of {} guilds with {} online members each, content of {} \
         bytes, {} interleaved rounds of {} s; median (least-most). A server for each dialect: people \
         post in the native one, bots in Discord's; the members that listen are people in both. The \
         loop appends as many bytes and records as one sync of the server carried in the same round, \
         then calls fdatasync, on the same disk, in one file.\n",
        crew.posters,
        CHANNELS * usize::from(crew.guilds),
        crew.guilds,
        crew.listeners,
        settings.content_bytes,
        settings.rounds,
        settings.seconds
    ))?;
    let mut kept: Vec<Kept> = entrants.iter().map(|_| Kept::default()).collect();
    for _ in 0..settings.rounds {
        for (entrant, kept) in entrants.iter_mut().zip(&mut kept) {
            kept.round(entrant, settings, crew)?;
        }
    }
    let native = kept.first().map(|kept| kept.creates.clone());
    let native = native.unwrap_or_default();
    let mut table = Table::new(&COLUMNS);
    for (entrant, kept) in entrants.iter().zip(&kept) {
        for row in kept.rows(&entrant.name, &native) {
            table.row(row);
        }
    }
    table.print()?;
    let load = usage::load_average();
    Ok(say(&format!(
        "Every delivery arrived exactly once. Load average at the end: {load:.2}.\n"
    ))?)
}

impl Kept {
    fn round(&mut self, entrant: &mut Entrant, settings: &Settings, crew: &Crew) -> Result<()> {
        let operator = entrant.server.operator();
        let operator = operator.context("no operator's listener")?;
        let contestant = &mut entrant.contestant;
        let before = Written::of(operator, "events")?;
        let posters = crew.posters.into();
        let round = contestant.closed(posters, Pace::Acknowledged, settings.lasting())?;
        let written = Written::of(operator, "events")?.since(before);
        let syncs = written.syncs;
        ensure!(0.0 < syncs, "the server's metrics show no sync");
        let records = written.records / syncs;
        let bytes = written.bytes / syncs;
        self.creates.add(round.messages_per_second());
        self.cpu.add(round.cpu_per_message());
        self.client.add(round.client_share() * 100.0);
        self.group.add(records);
        let appends = append_loop(&settings.data, bytes, settings.lasting())?;
        self.raw.add(appends * records);
        Ok(())
    }

    /// The loop's row, and the server's.
    fn rows(&self, name: &str, native: &Figure) -> [Vec<String>; 2] {
        let none = String::new;
        let looped = vec![
            "append and fdatasync".into(),
            self.raw.show(0),
            "1".into(),
            none(),
            self.group.show(1),
            none(),
            none(),
        ];
        let ours = vec![
            name.to_owned(),
            self.creates.show(0),
            self.creates.over(&self.raw).show(2),
            self.creates.over(native).show(2),
            self.group.show(1),
            self.cpu.show(1),
            format!("{} %", self.client.show(0)),
        ];
        [looped, ours]
    }
}

/// A server at which posts go through `dialect`, warm.
fn entrant(settings: &Settings, crew: &Crew, dialect: Dialect) -> Result<Entrant> {
    let members = usize::from(crew.guilds) * usize::from(crew.listeners);
    raise_open_files(members + usize::from(crew.posters))?;
    let server = Server::guildhall(&settings.data, Durability::Fsync)?;
    let plan = Plan {
        guilds: crew.guilds.into(),
        members: crew.listeners.into(),
        bots: match dialect {
            Dialect::Native => 0,
            Dialect::Discord => CHANNELS,
        },
        channels: CHANNELS,
    };
    let town = town::build(server.address(), plan)?;
    let (mut desks, mut turns, mut guests) = (Vec::new(), Vec::new(), Vec::new());
    for channel in 0..CHANNELS {
        for (guild, group) in town.iter().zip(0..) {
            let posters = match dialect {
                Dialect::Native => &guild.tokens,
                Dialect::Discord => &guild.bots,
            };
            desks.push(Desk {
                channel: guild.channels[channel].clone(),
                token: posters[channel % posters.len()].clone(),
            });
            turns.push(group);
        }
    }
    for (guild, group) in town.into_iter().zip(0..) {
        guests.extend(guild.tokens.into_iter().map(|token| Guest {
            token: Some(token),
            group,
            ..Guest::default()
        }));
    }
    let (lines, bytes) = (crew.posters.into(), settings.content_bytes.into());
    let publisher = Publisher::rest((server.address(), dialect), desks, lines, bytes)?;
    let crowd = Crowd::gather(server.address(), &guests, publisher)?;
    let members = guests.into_iter().map(|guest| guest.group).collect();
    let name = format!("guildhall, {} dialect", dialect.name());
    let mut entrant = Entrant::new(name, server, crowd, Groups { members, turns });
    let warming = Duration::from_millis(500);
    entrant
        .contestant
        .closed(lines, Pace::Acknowledged, warming)?;
    Ok(entrant)
}

/// Appends of `bytes` bytes and syncs per second.
fn append_loop(home: &Path, bytes: f64, lasting: Duration) -> Result<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few kilobytes"
    )]
    let block = vec![b'x'; bytes as usize];
    let mut file = tempfile::tempfile_in(home)?;
    let start = Instant::now();
    let mut syncs = 0_u32;
    while start.elapsed() < lasting {
        file.write_all(&block)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / start.elapsed().as_secs_f64())
}
