//! Servers as processes of their own, pinned to a CPU and ended with the benchmark.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;

use crate::peer::Style;

/// Where servers run.
const SERVER_CPU: usize = 0;
/// Where the client runs.
const CLIENT_CPU: usize = 1;

/// What an acknowledged message survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Durability {
    /// A killed process.
    Os,
    /// Loss of power.
    Fsync,
}

impl Durability {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Fsync => "fsync",
        }
    }
}

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    operator: Option<SocketAddr>,
    /// Its data, which goes with it.
    _data: Option<TempDir>,
}

impl Server {
    /// Starts a bare broadcast server: this binary in another mode.
    pub(crate) fn peer(style: Style, payload_bytes: usize) -> Result<Self> {
        let this = std::env::current_exe()?;
        let mut command = Command::new(this);
        let style = match style {
            Style::Each => "each",
            Style::Batched => "batched",
        };
        command.args(["peer", "--style", style, "--payload-bytes"]);
        command.arg(payload_bytes.to_string());
        let (child, address) = start(command)?;
        Ok(Self {
            child,
            address,
            operator: None,
            _data: None,
        })
    }

    /// Starts Guildhall with its data in a new directory under `home`.
    pub(crate) fn guildhall(home: &Path, durability: Durability) -> Result<Self> {
        Self::guildhall_with(home, durability, &[])
    }

    /// The same with more settings, as the environment has them.
    pub(crate) fn guildhall_with(
        home: &Path,
        durability: Durability,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let data = tempfile::Builder::new()
            .prefix("guildhall-bench-")
            .tempdir_in(home)?;
        let operator = free_port()?;
        let mut command = Command::new(guildhall_binary()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data.path());
        command.envs([
            ("GUILDHALL__OPERATOR__LISTEN", operator.to_string().as_str()),
            ("GUILDHALL__LOG__FILTER", "warn"),
            ("GUILDHALL__DELIVERY__DURABILITY", durability.name()),
            // No heartbeats fall into a round, and no token runs out.
            ("GUILDHALL__GATEWAY__HEARTBEAT_INTERVAL", "5m"),
            ("GUILDHALL__AUTH__ACCESS_TOKEN_LIFETIME", "24h"),
            // Thousands of people are registered before anything is measured.
            ("GUILDHALL__AUTH__ARGON2_MEMORY_KIB", "64"),
            ("GUILDHALL__AUTH__ARGON2_ITERATIONS", "1"),
            // All load comes from one address; the peers have no limits either.
            ("GUILDHALL__LIMITS__RATE_LIMITS", "off"),
        ]);
        command.envs(settings.iter().copied());
        let (child, address) = start(command)?;
        Ok(Self {
            child,
            address,
            operator: Some(operator),
            _data: Some(data),
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` is, if it has any.
    pub(crate) const fn operator(&self) -> Option<SocketAddr> {
        self.operator
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to save, and may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Binds this process to the client's CPU.
pub(crate) fn become_client() -> Result<()> {
    pin(CLIENT_CPU)
}

fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("two CPUs are needed: pinning to {cpu}"))
}

/// Starts a server on its CPU and waits for the line `ready http://HOST:PORT`.
fn start(mut command: Command) -> Result<(Child, SocketAddr)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    // Children inherit the CPUs of the thread that starts them.
    pin(SERVER_CPU)?;
    let child = command.spawn();
    pin(CLIENT_CPU)?;
    let mut child =
        child.with_context(|| format!("starting {}", command.get_program().display()))?;
    let stdout = child.stdout.take().context("the server has no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if let Some(address) = line.trim().strip_prefix("ready http://") {
        return Ok((child, address.parse()?));
    }
    let _ = child.kill();
    let _ = child.wait();
    bail!("the server did not get ready: {line:?}")
}

/// A port that was free a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The release binary beside this one, built if it is missing.
fn guildhall_binary() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent);
    let binary = target
        .context("no target directory")?
        .join("release/guildhall");
    if !binary.exists() {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root);
        cargo.args([
            "build",
            "--release",
            "-p",
            "guildhall-server",
            "--bin",
            "guildhall",
        ]);
        ensure!(cargo.status()?.success(), "guildhall could not be built");
    }
    Ok(binary)
}
