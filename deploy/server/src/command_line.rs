//! The commands of the `guildhall` binary and what it exits with.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::certificates::Certificates;
use crate::config::{self, CommandLineSetting, Config, EXIT_BAD_CONFIG, Mistakes, Sources};
use crate::engines::Migration;
use crate::{serve, telemetry};

/// What is said where there is no cluster.
const NOTHING_TO_MIGRATE: &str =
    "there is nothing to migrate: the data directory is kept up by the node itself\n";

/// A self-hosted chat server.
#[derive(Debug, Parser)]
#[command(name = "guildhall", version, propagate_version = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a node: prints `ready http://HOST:PORT` on stdout when it serves, logs to stderr.
    Serve(ServeSettings),
    /// Prepares the engines of a cluster: tables, keyspace, topics.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Explains and checks the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Says how far the engines have come; exits with 1 if this version cannot work with them yet.
    Status(Settings),
    /// Prints what `apply` would do, and changes nothing.
    Plan(Settings),
    /// Brings all engines to where this version needs them. May be repeated.
    Apply(Settings),
}

impl MigrateCommand {
    fn parts(self) -> (Migration, Settings) {
        match self {
            Self::Status(settings) => (Migration::Status, settings),
            Self::Plan(settings) => (Migration::Plan, settings),
            Self::Apply(settings) => (Migration::Apply, settings),
        }
    }
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints a file with every setting, its documentation and its default.
    Example,
    /// Checks the configuration and reports all mistakes; exits with 64 if there are any.
    Check(Settings),
    /// Prints the settings as they hold, without secrets.
    Print(Settings),
    /// Prints the reference page of all settings as Markdown.
    Docs,
}

#[derive(Debug, Args)]
struct Settings {
    /// A TOML file with settings; `guildhall config example` prints one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port for REST and gateway; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The directory of all data.
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

#[derive(Debug, Args)]
struct ServeSettings {
    #[command(flatten)]
    settings: Settings,
    /// What the node does in a cluster: api, gateway, worker, or several of them, separated by commas.
    #[arg(long, value_name = "ROLES")]
    roles: Option<String>,
}

/// Runs the command that the arguments name.
pub fn main(
    args: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(args) {
        Ok(command_line) => command_line,
        Err(error) => {
            // A broken pipe is the reader's wish; there is nobody left to tell.
            let _ = error.print();
            let is_mistake = error.use_stderr();
            return ExitCode::from(if is_mistake { EXIT_BAD_CONFIG } else { 0 });
        }
    };
    match command_line.command {
        Command::Config(ConfigCommand::Example) => print(&config::example()),
        Command::Config(ConfigCommand::Docs) => print(&config::markdown()),
        Command::Config(ConfigCommand::Check(settings)) => {
            with_config(settings, environment, |_| {
                print("the configuration is valid\n")
            })
        }
        Command::Config(ConfigCommand::Print(settings)) => {
            with_config(settings, environment, |config| print(&config.redacted()))
        }
        Command::Migrate(command) => {
            let (wanted, settings) = command.parts();
            with_config(settings, environment, |config| migrate(&config, wanted))
        }
        Command::Serve(settings) => with_sources(&settings.into_sources(environment), serve),
    }
}

fn with_config(
    settings: Settings,
    environment: impl Iterator<Item = (OsString, OsString)>,
    use_config: impl FnOnce(Config) -> ExitCode,
) -> ExitCode {
    with_sources(&settings.into_sources(environment), use_config)
}

fn with_sources(sources: &Sources, use_config: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    let loaded = Config::load(sources).and_then(|config| {
        Certificates::read(&config.cluster)?;
        Ok(config)
    });
    match loaded {
        Ok(config) => use_config(config),
        Err(mistakes) => refuse(&mistakes),
    }
}

impl Settings {
    fn into_sources(self, environment: impl Iterator<Item = (OsString, OsString)>) -> Sources {
        let flags = [
            ("--listen", "listen", self.listen),
            ("--data", "data", self.data),
        ];
        Sources {
            file: self.config,
            environment: environment.collect(),
            command_line: flags
                .into_iter()
                .filter_map(|(flag, key, value)| {
                    Some(CommandLineSetting {
                        flag,
                        part: "server",
                        key,
                        value: value?,
                    })
                })
                .collect(),
        }
    }
}

impl ServeSettings {
    fn into_sources(self, environment: impl Iterator<Item = (OsString, OsString)>) -> Sources {
        let mut sources = self.settings.into_sources(environment);
        let roles = self.roles.map(|value| CommandLineSetting {
            flag: "--roles",
            part: "cluster",
            key: "roles",
            value,
        });
        sources.command_line.extend(roles);
        sources
    }
}

fn serve(config: Config) -> ExitCode {
    let outcome = telemetry::start(&config.log).and_then(|telemetry| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(serve::run(config, telemetry))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and whoever started the process reads stderr.
            let _ = writeln!(std::io::stderr(), "guildhall: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "cluster")]
fn migrate(config: &Config, wanted: Migration) -> ExitCode {
    use crate::engines::cluster::migrate::migrate;

    if !config.cluster.is_set() {
        return print(NOTHING_TO_MIGRATE);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(migrate(config, wanted)));
    match outcome {
        Ok(answer) if answer.is_ready => print(&answer.text),
        Ok(answer) => {
            print(&answer.text);
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "guildhall: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A configuration with a cluster has been refused before.
#[cfg(not(feature = "cluster"))]
fn migrate(_: &Config, _: Migration) -> ExitCode {
    print(NOTHING_TO_MIGRATE)
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn refuse(mistakes: &Mistakes) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "guildhall: {mistakes}");
    ExitCode::from(EXIT_BAD_CONFIG)
}
