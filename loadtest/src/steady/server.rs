//! A server that the load tool starts itself, so that it may kill it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::client::Target;

/// Where the command may name its address: at first a free port, later the port that it got.
/// A command without it must name a fixed port itself.
pub const LISTEN: &str = "{listen}";

/// How long the server may take to print `ready http://HOST:PORT`.
const READY_TIMEOUT: Duration = Duration::from_mins(2);
/// The line that says so is at most this long.
const READY_BYTES_MAX: u64 = 4096;
/// How long it may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A running server, the only member of its process group besides its own children.
pub(super) struct Server {
    command: String,
    log: PathBuf,
    target: Target,
    process: Process,
}

struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Server {
    /// Starts `sh -c command` and waits until it is ready; its stderr goes to `log`.
    pub(super) async fn start(command: &str, log: &Path) -> Result<Self> {
        let (process, target) = spawn(&command.replace(LISTEN, "127.0.0.1:0"), log).await?;
        Ok(Self {
            command: command.to_owned(),
            log: log.to_owned(),
            target,
            process,
        })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// How it ended, if it did without being told to.
    pub(super) fn has_exited(&mut self) -> Option<ExitStatus> {
        self.process.child.try_wait().ok().flatten()
    }

    /// Kills the whole process group with SIGKILL, and starts it again on the same address.
    pub(super) async fn kill_and_restart(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL);
        self.process.child.wait().await?;
        let command = self.command.replace(LISTEN, &self.target.authority());
        let (process, target) = spawn(&command, &self.log).await?;
        self.process = process;
        if target != self.target {
            bail!(
                "the server came back as {target} instead of {}: name a port or {LISTEN}",
                self.target
            );
        }
        Ok(())
    }

    /// Lets it end in order.
    pub(super) async fn stop(mut self) {
        self.process.signal(Signal::TERM);
        // What does not end by itself is killed when the process is dropped.
        let _ = timeout(STOP_TIMEOUT, self.process.child.wait()).await;
    }
}

impl Process {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // An error means that nobody is left in the group.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

async fn spawn(command: &str, log: &Path) -> Result<(Process, Target)> {
    let stderr = OpenOptions::new().create(true).append(true).open(log)?;
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .context("starting the server")?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let stdout = child.stdout.take().context("the server has no stdout")?;
    let process = Process {
        child,
        group: pid.and_then(Pid::from_raw),
    };
    let target = timeout(READY_TIMEOUT, ready(stdout))
        .await
        .unwrap_or_else(|_| bail!("it did not get ready in {READY_TIMEOUT:?}"));
    let target =
        target.with_context(|| format!("`{command}` is no server; see {}", log.display()))?;
    Ok((process, target))
}

/// Waits for the line that tells the address; whatever is printed afterwards is read and dropped,
/// so that the server never waits for us.
async fn ready(stdout: ChildStdout) -> Result<Target> {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    let target = loop {
        line.clear();
        let read = (&mut stdout)
            .take(READY_BYTES_MAX)
            .read_line(&mut line)
            .await?;
        if read == 0 {
            bail!("it ended without being ready");
        }
        if let Some(address) = line.strip_prefix("ready ") {
            break Target::parse(address)?;
        }
    };
    tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_started_again_on_the_address_that_it_had() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        // Stands in for a server, and says where it was told to listen.
        let command = "echo {listen} >&2; echo ready http://127.0.0.1:4711; exec sleep 60";
        let mut server = Server::start(command, &log).await.unwrap();
        assert_eq!(server.target().authority(), "127.0.0.1:4711");
        assert!(server.has_exited().is_none());
        server.kill_and_restart().await.unwrap();
        server.stop().await;
        let log = std::fs::read_to_string(log).unwrap();
        assert_eq!(log, "127.0.0.1:0\n127.0.0.1:4711\n");
    }

    #[tokio::test]
    async fn what_never_gets_ready_is_an_error_that_names_the_log() {
        let home = tempfile::tempdir().unwrap();
        for command in ["exit 3", "echo ready nonsense", "echo ready; echo x"] {
            let error = Server::start(command, &home.path().join("log")).await;
            let error = format!("{:#}", error.err().unwrap());
            assert!(error.contains("log"), "{error}");
        }
    }
}
