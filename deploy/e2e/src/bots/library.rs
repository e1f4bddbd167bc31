//! The libraries: what each is called, which version is pinned, and how its bot is started.

use std::path::Path;

use tokio::process::Command;

use crate::binary::repository;

/// One library, with its folder under `deploy/e2e/bots`.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// As its registry spells it.
    pub name: &'static str,
    folder: &'static str,
    runtime: Runtime,
    /// It begins a new session where its first two attempts to come back are refused, as they are
    /// while the only server starts again; behind a load balancer that waits it resumes.
    pub gives_up: bool,
    /// It handles each event in a task of its own, so that its bots report them in any order.
    pub is_parallel: bool,
}

#[derive(Clone, Copy, Debug)]
enum Runtime {
    Node,
    Python,
    /// With the package whose version counts.
    Rust(&'static str),
}

/// All libraries, in the order of the page.
pub const LIBRARIES: [Library; 6] = [
    Library {
        name: "discord.js",
        folder: "discordjs",
        runtime: Runtime::Node,
        gives_up: false,
        is_parallel: false,
    },
    Library {
        name: "oceanic.js",
        folder: "oceanic",
        runtime: Runtime::Node,
        gives_up: false,
        is_parallel: false,
    },
    Library {
        name: "discord.py",
        folder: "discordpy",
        runtime: Runtime::Python,
        gives_up: false,
        is_parallel: false,
    },
    Library {
        name: "hikari",
        folder: "hikari",
        runtime: Runtime::Python,
        gives_up: false,
        is_parallel: false,
    },
    Library {
        name: "twilight",
        folder: "twilight",
        runtime: Runtime::Rust("twilight-gateway"),
        gives_up: false,
        is_parallel: false,
    },
    Library {
        name: "serenity",
        folder: "serenity",
        runtime: Runtime::Rust("serenity"),
        gives_up: true,
        is_parallel: true,
    },
];

impl Library {
    /// Whether this is what somebody calls so.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.folder == name
    }

    /// The version that its manifest pins.
    pub fn version(&self) -> String {
        let bots = repository().join("deploy/e2e/bots");
        let (manifest, before, behind) = match self.runtime {
            Runtime::Node => ("package.json", format!("\"{}\": \"", self.name), "\""),
            Runtime::Python => ("requirements.txt", format!("{}==", self.name), "\n"),
            Runtime::Rust(package) => {
                let before = format!("\n{package} = {{ version = \"=");
                ("../Cargo.toml", before, "\"")
            }
        };
        let path = bots.join(self.folder).join(manifest);
        let text = std::fs::read_to_string(path);
        let text = text.unwrap_or_else(|error| panic!("{manifest}: {error}"));
        let version = text.split_once(&before).and_then(|(_, rest)| {
            let (version, _) = rest.split_once(behind)?;
            Some(version.to_owned())
        });
        version.unwrap_or_else(|| panic!("{manifest} pins no {}", self.name))
    }

    /// Whether `deploy/proof/bots` could install it below this folder.
    pub fn is_installed(&self, installed: &Path) -> bool {
        installed.join(self.folder).join("installed").exists()
    }

    /// Its bot as a command.
    pub fn command(&self, installed: &Path) -> Command {
        let folder = installed.join(self.folder);
        let mut command = match self.runtime {
            Runtime::Node => {
                let mut command = Command::new("node");
                command.arg(folder.join("bot.mjs"));
                command
            }
            Runtime::Python => {
                let mut command = Command::new(folder.join("venv/bin/python"));
                command.arg(folder.join("bot.py"));
                command
            }
            Runtime::Rust(_) => Command::new(folder.join("bot")),
        };
        command
            .env("PYTHONPATH", installed)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
