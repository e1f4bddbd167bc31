//! `steady`: a town of users posts at a fixed rate while its sessions listen, optionally through
//! `kill -9` of the server, and the recorded history is judged.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::checker;
use crate::client::session::{Identity, Session};
use crate::client::{Api, Target};
use crate::crooked::{Crook, Sabotage};
use crate::history::writer;
use crate::progress::Progress;

mod calls;
mod crowd;
mod ear;
mod end;
mod gatekeeper;
mod load;
mod meter;
mod report;
mod server;
mod snails;
mod town;

pub use report::{Latency, Report};
pub use server::LISTEN;

use ear::Ear;
use end::Stop;
use load::Load;
use meter::Meter;
use server::Server;
use town::Town;

/// Files that a run's history is spread over.
const WORKERS: usize = 8;
/// How long the server may take to accept a first connection.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long all sessions together may take to be there.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(2);

/// What a run is to do. Counts and times are bounded by the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, unless `server_cmd` starts one.
    pub url: Option<String>,
    /// Users to register.
    pub users: usize,
    /// Guilds to make, each with an open and a closed channel; at most as many as users.
    pub guilds: usize,
    /// Gateway sessions, spread over the users.
    pub sessions: usize,
    /// More sessions that take a byte a second, and are not judged.
    pub slow_readers: usize,
    /// Posts per second, whatever the server does.
    pub rate: f64,
    /// How long posts are made, unless `rounds` takes longer.
    pub duration: Duration,
    /// How often the server is killed, or `fault_cmd` is run.
    pub kill_every: Option<Duration>,
    /// How often in all; as many as fit into `duration` where left out.
    pub rounds: Option<u32>,
    /// A shell command that starts the server; see [`LISTEN`].
    pub server_cmd: Option<String>,
    /// A shell command that is run in place of each kill.
    pub fault_cmd: Option<String>,
    /// Breaks one delivery on its way; the run passes if the checker finds just that.
    pub sabotage: Option<Sabotage>,
    /// Where the history goes; a temporary directory, kept only if the verdict is bad, otherwise.
    pub history: Option<PathBuf>,
    /// What makes choices repeatable.
    pub seed: u64,
}

/// Runs and judges. An error means that the run could not be made, not that a promise was broken.
pub async fn run(options: &Options, progress: &Progress) -> Result<Report> {
    let (directory, temporary) = if let Some(directory) = &options.history {
        (directory.clone(), None)
    } else {
        let temporary = tempfile::Builder::new()
            .prefix("guildhall-history-")
            .tempdir()?;
        (temporary.path().to_owned(), Some(temporary))
    };
    let recorders = writer::open(&directory, WORKERS)?;
    let mut server = match &options.server_cmd {
        Some(command) => Some(Server::start(command, &directory.join("server.log")).await?),
        None => None,
    };
    let target = match (&server, &options.url) {
        (Some(server), _) => server.target().clone(),
        (None, Some(url)) => reachable(Target::parse(url)?).await?,
        (None, None) => bail!("either --url or --server-cmd must say which server"),
    };
    let meter = Arc::new(Meter::new(WORKERS));
    let stage = calls::Stage::new(Api::new(target), recorders, Arc::clone(&meter));
    let played = play(options, &stage, server.as_mut(), progress).await;
    if let Some(server) = server {
        server.stop().await;
    }
    let drained = played?;
    stage.flush().context("the history could not be written")?;
    progress.phase("judging the history", None);
    let judged = directory.clone();
    let verdict = tokio::task::spawn_blocking(move || checker::judge(&judged)).await??;
    let report = Report::new(options, &meter, drained, verdict);
    // What convicts the server is kept, wherever it is.
    let kept = match temporary {
        Some(temporary) if report.holds() => {
            drop(temporary);
            None
        }
        Some(temporary) => Some(temporary.keep()),
        None => Some(directory),
    };
    Ok(report.kept_in(kept))
}

/// Fails at once where nobody listens: calls are patient only with a server that was there.
async fn reachable(target: Target) -> Result<Target> {
    let connected = timeout(REACH_TIMEOUT, TcpStream::connect(target.authority())).await;
    connected
        .context("timed out")
        .and_then(|connected| Ok(connected?))
        .with_context(|| format!("{target} cannot be reached"))?;
    Ok(target)
}

/// Sets the town up, plays the load and reads everything back; tells whether every session caught
/// up in time.
async fn play(
    options: &Options,
    stage: &Arc<calls::Stage>,
    server: Option<&mut Server>,
    progress: &Progress,
) -> Result<bool> {
    let target = stage.api.target();
    let crowd = crowd::register(stage, options.users, progress).await?;
    let town = Arc::new(Town::build(stage, crowd, options, progress).await?);
    let crook = match options.sabotage {
        Some(sabotage) => Some(Crook::open(target.clone(), town.plan(sabotage)?).await?),
        None => None,
    };
    let gateway = crook.as_ref().map_or(target, Crook::target);
    let (stop, stopped) = Stop::new();
    let mut sessions = listen(options, stage, &town, gateway, &stopped);
    progress.phase("sessions come in", Some(options.sessions as u64));
    let all = u32::try_from(options.sessions).context("too many sessions")?;
    let arrival = timeout(SETTLE_TIMEOUT, stage.meter.settled.acquire_many(all)).await;
    if arrival.is_err() {
        bail!(
            "the sessions did not all come in; {}",
            stage.meter.complaints()
        );
    }
    let mut snails = snails::start(options, stage, &town, gateway, &stopped);
    let load = Load::new(options, stage, &town);
    let played = load.play(options, server, progress).await;
    let drained = match played {
        Ok(played) => end::drain(stage, &town, options, &played, progress).await,
        Err(error) => Err(error),
    };
    stop.now();
    while let Some(ended) = sessions.join_next().await {
        let (ear, ended): (Ear, _) = ended?;
        ear.leave();
        if let Err(error) = ended {
            stage.meter.complain(format!("a session ended: {error}"));
        }
    }
    while snails.join_next().await.is_some() {}
    let drained = drained?;
    if crook.is_some_and(|crook| !crook.is_done()) {
        bail!("the load gave no opportunity for the sabotage");
    }
    end::read_back(stage, &town, progress).await?;
    Ok(drained)
}

type Ended = (Ear, Result<(), crate::client::SessionError>);

fn listen(
    options: &Options,
    stage: &Arc<calls::Stage>,
    town: &Arc<Town>,
    gateway: &Target,
    stopped: &end::Stopped,
) -> JoinSet<Ended> {
    let mut sessions = JoinSet::new();
    for index in 0..options.sessions {
        let person = town.person(index % options.users).clone();
        let ear = Ear::new(stage, index);
        let session = Session::new(
            gateway.clone(),
            crate::client::gateway::Dialect::Native,
            Identity::Person(person),
            ear,
            options.seed.wrapping_add(index as u64),
        );
        sessions.spawn(session.run(stopped.clone().wait()));
    }
    sessions
}
