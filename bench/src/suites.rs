//! The suites, and what they share: their settings, and contestants that are ready to run.

pub(crate) mod bots;
pub(crate) mod creates;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod logged;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use guildhall_loadtest::client::gateway::Dialect;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::crowd::{Crowd, Guest};
use crate::link::Link;
use crate::load::{Contestant, Pace};
use crate::peer::Style;
use crate::process::{Durability, Server};
use crate::publisher::{Desk, Publisher};
use crate::report;
use crate::town::{self, Plan};
use crate::usage;

/// HTTP connections over which a fan-out's messages are posted.
const LINES: usize = 32;
/// People who post in a fan-out.
const POSTERS: usize = 4;
/// Descriptors of a process beside its members' sockets.
const DESCRIPTORS: usize = 600;

/// What all suites are run with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Members of the channel in `fanout`, `latency` and `bots`.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(4..=18_000))]
    pub(crate) members: u16,
    /// Rounds; medians are taken over them.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) rounds: u8,
    /// Seconds of each round.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=60))]
    pub(crate) seconds: u8,
    /// What an acknowledged message survives, except in `creates`, which always syncs.
    #[arg(long, value_enum, default_value_t = Durability::Fsync)]
    pub(crate) durability: Durability,
    /// Bytes of a message's content; the rest of a payload is what the server adds.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u16).range(20..=2000))]
    pub(crate) content_bytes: u16,
    /// Where the servers' data goes: the disk that is measured.
    #[arg(long, default_value = "/tmp")]
    pub(crate) data: PathBuf,
}

impl Settings {
    pub(crate) fn lasting(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

/// A server with the load on it.
struct Entrant {
    name: String,
    contestant: Contestant,
    server: Server,
}

impl Entrant {
    fn new(name: impl Into<String>, server: Server, crowd: Crowd, groups: Groups) -> Self {
        let Groups { members, turns } = groups;
        Self {
            name: name.into(),
            contestant: Contestant::new(server.pid(), crowd, members, turns),
            server,
        }
    }
}

/// Who gets what: the group of each member, and of each message in turn.
struct Groups {
    members: Vec<usize>,
    turns: Vec<usize>,
}

impl Groups {
    /// One group of all.
    fn one(members: usize) -> Self {
        Self {
            members: vec![0; members],
            turns: vec![0],
        }
    }
}

/// Prints what a suite is and under which conditions it runs.
fn head(title: &str) -> Result<()> {
    report::say(&format!("## {title}\n"))?;
    report::say(&format!("{}.", usage::conditions()))?;
    let load = usage::load_average();
    Ok(report::say(&format!(
        "Load average at the start: {load:.2}.\n"
    ))?)
}

/// Guildhall with one channel and all members in it, online and ready. In Discord's dialect they
/// are bots, and so are those who post.
fn guildhall(settings: &Settings, link: Link) -> Result<Entrant> {
    let members = usize::from(settings.members);
    raise_open_files(members)?;
    let server = Server::guildhall(&settings.data, settings.durability)?;
    let (people, bots) = match link.dialect {
        Dialect::Native => (members, 0),
        // A guild has an owner, who is not online here.
        Dialect::Discord => (1, members),
    };
    let plan = Plan {
        guilds: 1,
        members: people,
        bots,
        channels: 1,
    };
    let town = town::build(server.address(), plan)?;
    let guild = town.first().context("no guild was built")?;
    let tokens = match link.dialect {
        Dialect::Native => &guild.tokens,
        Dialect::Discord => &guild.bots,
    };
    let desks: Vec<Desk> = tokens[..POSTERS]
        .iter()
        .map(|token| Desk {
            channel: guild.channels[0].clone(),
            token: token.clone(),
        })
        .collect();
    let guests: Vec<Guest> = tokens
        .iter()
        .map(|token| Guest {
            token: Some(token.clone()),
            group: 0,
            link,
        })
        .collect();
    let content_bytes = usize::from(settings.content_bytes);
    let door = (server.address(), link.dialect);
    let publisher = Publisher::rest(door, desks, LINES, content_bytes)?;
    let crowd = Crowd::gather(server.address(), &guests, publisher)?;
    let name = format!("guildhall ({})", settings.durability.name());
    let mut entrant = Entrant::new(name, server, crowd, Groups::one(members));
    let contestant = &mut entrant.contestant;
    // What runs for the first time is slower, and the payload's length is known afterwards.
    contestant.closed(1, Pace::Delivered, Duration::from_millis(500))?;
    contestant.closed(LINES / 2, Pace::Delivered, Duration::from_millis(500))?;
    Ok(entrant)
}

/// A bare server with as many members.
fn peer(settings: &Settings, style: Style, payload_bytes: usize) -> Result<Entrant> {
    let members = usize::from(settings.members);
    raise_open_files(members)?;
    let server = Server::peer(style, payload_bytes)?;
    let guests = vec![Guest::default(); members];
    let publisher = Publisher::bare(server.address())?;
    let crowd = Crowd::gather(server.address(), &guests, publisher)?;
    let mut entrant = Entrant::new(style.name(), server, crowd, Groups::one(members));
    let contestant = &mut entrant.contestant;
    contestant.closed(1, Pace::Delivered, Duration::from_millis(500))?;
    Ok(entrant)
}

/// Each member is a socket here, and several crowds may be connected at a time. Servers inherit
/// the limit.
fn raise_open_files(members: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let mut raised = limit;
    raised.current = limit.maximum;
    setrlimit(Resource::Nofile, raised).context("raising the limit of open files")?;
    let needed = (members + DESCRIPTORS) as u64;
    let enough = limit.maximum.is_none_or(|maximum| needed <= maximum);
    ensure!(enough, "{needed} open files are needed: see ulimit -Hn");
    Ok(())
}
