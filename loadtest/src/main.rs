//! The load tool: applies load, listens, and judges recorded histories.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use guildhall_loadtest::client::gateway::Dialect;
use guildhall_loadtest::crooked::Sabotage;
use guildhall_loadtest::progress::Progress;
use guildhall_loadtest::simulation::{self, Scenario, Tally};
use guildhall_loadtest::{args, checker, history, listen, steady};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// Load, histories and the delivery checker for Guildhall.
///
/// Exits with 0 only if every promise was kept and there was something to keep, with 1 if not,
/// and with 2 if the run could not be made.
#[derive(Parser)]
#[command(name = "guildhall-loadtest", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Posts at a fixed rate to a town of listening users, and judges the history.
    Steady(Steady),
    /// Prints the dispatches of one session, one JSON object per line.
    Listen(Listen),
    /// Runs the server's machines in virtual time, with faults, once for each seed.
    Simulate(Simulate),
    /// Judges the history in a directory.
    Check {
        /// Where `steady --history` has put it.
        directory: PathBuf,
        /// Prints the verdict as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Steady {
    /// The server; not needed where --server-cmd starts one.
    #[arg(long, required_unless_present = "server_cmd")]
    url: Option<String>,
    /// Users to register.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    users: u32,
    /// Guilds to make, at most as many as users.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    guilds: u32,
    /// Gateway sessions, spread over the users; as many as users where left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    sessions: Option<u32>,
    /// More sessions that read a byte a second. What they miss is not judged.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    slow_readers: u32,
    /// Posts per second, whatever the server does.
    #[arg(long, default_value = "20", value_parser = args::rate)]
    rate: f64,
    /// How long posts are made: 30s, 5m, 1h.
    #[arg(long, default_value = "30s", value_parser = args::duration)]
    duration: Duration,
    /// Kills the server with SIGKILL and starts it again, or runs --fault-cmd, this often.
    #[arg(long, value_parser = args::duration, requires = "faults")]
    kill_every: Option<Duration>,
    /// How many kills; as many as fit into the duration where left out.
    #[arg(long, requires = "kill_every", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,
    /// A shell command that starts the server and prints `ready http://HOST:PORT`. `{listen}` in
    /// it becomes the address to listen on.
    #[arg(long, conflicts_with = "url", group = "faults")]
    server_cmd: Option<String>,
    /// A shell command that breaks something of a cluster and repairs it: it is run in place of each
    /// kill, with the number of the round in ROUND, and must end with 0.
    #[arg(long, requires_all = ["url", "kill_every"], group = "faults")]
    fault_cmd: Option<String>,
    /// Breaks one delivery between server and client. The run passes if the checker finds it.
    #[arg(long, value_enum, conflicts_with = "kill_every")]
    sabotage: Option<SteadySabotage>,
    /// Keeps the history here. Without it, only the history of a failed run is kept.
    #[arg(long)]
    history: Option<PathBuf>,
    /// Makes the choices of the run repeatable.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum SteadySabotage {
    Drop,
    Double,
    Swap,
    Leak,
}

#[derive(Args)]
struct Listen {
    /// The server: ws://HOST:PORT or http://HOST:PORT.
    #[arg(long, default_value = "ws://127.0.0.1:8080")]
    url: String,
    /// An access token, or a bot's token.
    #[arg(long)]
    token: String,
    /// How bodies look.
    #[arg(long, value_enum, default_value_t = ListenDialect::Native)]
    dialect: ListenDialect,
    /// A bot's intents, as a number.
    #[arg(long)]
    intents: Option<u64>,
    /// Ends after so many dispatches.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Prints only dispatches of this name, such as `MESSAGE_CREATE`.
    #[arg(long)]
    event: Option<String>,
}

#[derive(Args)]
struct Simulate {
    /// How many seeds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed; a fresh one where left out.
    #[arg(long)]
    seed: Option<u64>,
    /// What goes wrong, and what is asked for.
    #[arg(long, value_enum, default_value_t = SimulateMode::Liveness)]
    mode: SimulateMode,
    /// Keeps the history of a run that fails here, for `check`.
    #[arg(long)]
    history: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum SimulateMode {
    /// Faults without end: nothing wrong may arrive.
    Safety,
    /// Then the world heals: everything must arrive.
    Liveness,
    /// Nodes are killed only when they are to be replaced: no session may be lost.
    Crashes,
}

#[derive(Clone, Copy, ValueEnum)]
enum ListenDialect {
    Native,
    Discord,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Steady(steady) => run_steady(steady).await,
        Command::Listen(listen) => run_listen(listen).await,
        Command::Simulate(simulate) => run_simulate(&simulate),
        Command::Check { directory, json } => run_check(&directory, json),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("guildhall-loadtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run_steady(steady: Steady) -> Result<bool> {
    if steady.users < steady.guilds {
        bail!("there must be at least as many users as guilds");
    }
    let sessions = steady.sessions.unwrap_or(steady.users) as usize;
    let slow_readers = steady.slow_readers as usize;
    raise_open_files(sessions + slow_readers)?;
    let options = steady::Options {
        url: steady.url,
        users: steady.users as usize,
        guilds: steady.guilds as usize,
        sessions,
        slow_readers,
        rate: steady.rate,
        duration: steady.duration,
        kill_every: steady.kill_every,
        rounds: steady.rounds,
        server_cmd: steady.server_cmd,
        fault_cmd: steady.fault_cmd,
        sabotage: steady.sabotage.map(|sabotage| match sabotage {
            SteadySabotage::Drop => Sabotage::Drop,
            SteadySabotage::Double => Sabotage::Double,
            SteadySabotage::Swap => Sabotage::Swap,
            SteadySabotage::Leak => Sabotage::Leak,
        }),
        history: steady.history,
        seed: steady.seed,
    };
    let progress = Progress::new();
    let interrupted = interrupted()?;
    // On an interrupt the run is dropped, and with it the server that it started.
    let report = tokio::select! {
        report = steady::run(&options, &progress) => report?,
        () = interrupted => bail!("interrupted"),
    };
    progress.finish();
    print(&report, steady.json)?;
    Ok(report.holds())
}

async fn run_listen(listen: Listen) -> Result<bool> {
    let options = listen::Options {
        url: listen.url,
        token: listen.token,
        dialect: match listen.dialect {
            ListenDialect::Native => Dialect::Native,
            ListenDialect::Discord => Dialect::Discord,
        },
        intents: listen.intents,
        count: listen.count,
        event: listen.event,
    };
    listen::run(options, interrupted()?).await?;
    Ok(true)
}

/// Ends at the first SIGINT or SIGTERM.
fn interrupted() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn run_check(directory: &std::path::Path, json: bool) -> Result<bool> {
    let verdict = checker::judge(directory)?;
    print(&verdict, json)?;
    Ok(verdict.holds())
}

/// Stops at the first seed that fails.
fn run_simulate(simulate: &Simulate) -> Result<bool> {
    let scenario = match simulate.mode {
        SimulateMode::Safety => Scenario::safety(),
        SimulateMode::Liveness => Scenario::liveness(),
        SimulateMode::Crashes => Scenario::crashes(),
    };
    let first = simulate.seed.unwrap_or_else(|| fastrand::u64(..1 << 48));
    let mut out = stdout().lock();
    let began = Instant::now();
    let mut tally = Tally::default();
    for seed in first..first.saturating_add(simulate.seeds) {
        let outcome = simulation::run(seed, scenario);
        if !outcome.holds() {
            writeln!(out, "{outcome}")?;
            if let Some(directory) = &simulate.history {
                history::writer::write_all(directory, &outcome.lines)?;
            }
            return Ok(false);
        }
        tally.add(&outcome.tally);
    }
    let seconds = began.elapsed().as_secs_f64();
    writeln!(out, "{tally}")?;
    writeln!(
        out,
        "seeds      {} from {first} in {seconds:.1} s, {:.0} per minute",
        simulate.seeds,
        rate_per_minute(simulate.seeds, seconds)
    )?;
    Ok(true)
}

#[expect(clippy::cast_precision_loss, reason = "nobody runs 2^52 seeds")]
fn rate_per_minute(seeds: u64, seconds: f64) -> f64 {
    seeds as f64 * 60.0 / seconds
}

fn print<T: serde::Serialize + std::fmt::Display>(outcome: &T, json: bool) -> Result<()> {
    let mut out = stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, outcome)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{outcome}")?;
    }
    Ok(())
}

/// Every session is a socket, and so is every call under way.
fn raise_open_files(sessions: usize) -> Result<()> {
    const CALLS_AND_FILES: u64 = 400;
    let needed = sessions as u64 + CALLS_AND_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit).context("raising the limit of open files")?;
    }
    match getrlimit(Resource::Nofile).current {
        Some(current) if current < needed => {
            bail!("{needed} open files are needed, {current} are allowed: see ulimit -n")
        }
        _ => Ok(()),
    }
}
