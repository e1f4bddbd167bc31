//! Benchmarks: each figure is a ratio to a limit or a peer that is measured in the same run.

mod crowd;
mod frame;
mod link;
mod load;
mod peer;
mod process;
mod publisher;
mod report;
mod suites;
mod town;
mod usage;
mod written;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use suites::{Settings, bots, creates, fanout, idle, latency, logged};

/// Benchmarks of Guildhall next to bare limits; results are printed as Markdown.
#[derive(Parser)]
#[command(name = "guildhall-bench", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Server CPU per delivery, with 1 and 16 messages under way.
    Fanout(Settings),
    /// Resident bytes per idle connection.
    Idle {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        sizes: idle::Sizes,
    },
    /// POST-to-socket latency at half load.
    Latency(Settings),
    /// Server CPU per delivery to bots, by transport compression.
    Bots(Settings),
    /// Durable messages per second, in both dialects.
    Creates {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        crew: creates::Crew,
    },
    /// Bytes in the logs per message, by how many read it.
    Logged {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        readers: logged::Readers,
    },
    /// All suites, one after the other.
    All {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        sizes: idle::Sizes,
        #[command(flatten)]
        crew: creates::Crew,
        #[command(flatten)]
        readers: logged::Readers,
    },
    /// Runs a bare broadcast server, as the suites do.
    #[command(hide = true)]
    Peer(PeerOptions),
}

#[derive(Args)]
struct PeerOptions {
    #[arg(long, value_enum)]
    style: peer::Style,
    #[arg(long)]
    payload_bytes: usize,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guildhall-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if let Command::Peer(options) = command {
        let peer = peer::Peer::bind(options.style, options.payload_bytes)?;
        report::say(&format!("ready http://{}", peer.address()?))?;
        return Ok(peer.run()?);
    }
    process::become_client()?;
    match command {
        Command::Fanout(settings) => fanout::run(&settings),
        Command::Idle { settings, sizes } => idle::run(&settings, &sizes),
        Command::Latency(settings) => latency::run(&settings),
        Command::Bots(settings) => bots::run(&settings),
        Command::Creates { settings, crew } => creates::run(&settings, &crew),
        Command::Logged { settings, readers } => logged::run(&settings, &readers),
        Command::All {
            settings,
            sizes,
            crew,
            readers,
        } => {
            fanout::run(&settings)?;
            bots::run(&settings)?;
            latency::run(&settings)?;
            creates::run(&settings, &crew)?;
            logged::run(&settings, &readers)?;
            idle::run(&settings, &sizes)
        }
        Command::Peer(_) => Ok(()),
    }
}
