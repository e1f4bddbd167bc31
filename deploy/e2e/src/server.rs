//! A server process with a data directory of its own.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::rest::{Answer, Rest};
use crate::{binary, soon};

/// Settings that every server of the tests has: quick password hashes, because nothing here is
/// worth protecting, ports that the system chooses, and no limits on how often one address calls.
const SETTINGS: [(&str, &str); 5] = [
    ("AUTH__ARGON2_MEMORY_KIB", "64"),
    ("AUTH__ARGON2_ITERATIONS", "1"),
    ("LOG__FILTER", "info"),
    ("GATEWAY__DRAIN_TIMEOUT", "5s"),
    ("LIMITS__RATE_LIMITS", "off"),
];

/// A server process. It is killed when this is dropped, and its data is removed.
#[derive(Debug)]
pub struct Server {
    running: Running,
    environment: Vec<(String, String)>,
    home: TempDir,
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    /// Starts a server with these settings (`PART__KEY` and value) and waits until it is ready.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(home(), &[], settings).await
    }

    /// As [`Self::start`], with a home that is there already, whose `data` may be a disk of its
    /// own, and with environment variables that are no settings.
    pub async fn start_in(
        home: TempDir,
        environment: &[(&str, &str)],
        settings: &[(&str, &str)],
    ) -> Self {
        let ip = own_address();
        let mut all: Vec<(String, String)> = Vec::new();
        let operator = format!("{ip}:0");
        let operator = [("OPERATOR__LISTEN", operator.as_str())];
        for (key, value) in SETTINGS.iter().chain(&operator).chain(settings) {
            all.push((format!("GUILDHALL__{key}"), (*value).to_owned()));
        }
        let plain = environment.iter();
        all.extend(plain.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let running = launch(home.path(), &format!("{ip}:0"), &all).await;
        Self {
            running: must_be_ready(running, home.path()),
            environment: all,
            home,
        }
    }

    /// Where REST and gateway are.
    pub const fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// The address as the server printed it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A REST client without credentials.
    pub fn rest(&self) -> Rest {
        Rest::new(self.address())
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Everything that was written to stderr by now, over all restarts.
    pub fn log(&self) -> String {
        read_log(self.home.path())
    }

    /// Asks the operator's listener.
    pub async fn operator(&self, path: &str) -> Answer {
        Rest::new(operator_address(&self.log())).get(path).await
    }

    /// Ends the process with SIGKILL.
    pub async fn kill(&mut self) {
        let killed = self.running.child.kill().await;
        killed.expect("the process is ours");
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is ours");
    }

    /// The process, which must run.
    pub fn pid(&self) -> Pid {
        let id = self.running.child.id().expect("the process runs");
        let id = id.try_into().expect("process numbers are small");
        Pid::from_raw(id).expect("no process has the number 0")
    }

    /// Bytes of memory that the process has at present.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(path).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the system tells a process's memory") * 1024
    }

    /// Waits for the process to end; also what it printed to stdout behind its first line.
    pub async fn ended(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        let read = soon(
            "the end of stdout",
            self.running.stdout.read_to_string(&mut rest),
        );
        read.await.expect("stdout is text");
        let status = soon("the end of the process", self.running.child.wait()).await;
        (status.expect("the process is ours"), rest)
    }

    /// How the process has ended, if it does so soon enough.
    pub async fn ended_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let ended = tokio::time::timeout(time, self.running.child.wait()).await;
        let ended = ended.ok()?;
        Some(ended.expect("the process is ours"))
    }

    /// The process still runs.
    pub fn is_alive(&mut self) -> bool {
        let status = self.running.child.try_wait();
        status.expect("the process is ours").is_none()
    }

    /// Starts the server again on the same port and data, after it has ended.
    pub async fn restart(&mut self) {
        let listen = self.address().to_string();
        let running = launch(self.home.path(), &listen, &self.environment).await;
        self.running = must_be_ready(running, self.home.path());
    }

    /// As [`Self::restart`], with one more environment variable for this once, where the server
    /// may end before it is ready.
    pub async fn try_restart(&mut self, (key, value): (&str, &str)) -> Result<(), ExitStatus> {
        let listen = self.address().to_string();
        let mut environment = self.environment.clone();
        environment.push((key.to_owned(), value.to_owned()));
        self.running = launch(self.home.path(), &listen, &environment).await?;
        Ok(())
    }

    /// The command that would start a second server on the same data, elsewhere.
    pub fn rival(&self) -> Command {
        let mut command = command(&self.data(), "127.0.0.1:0", &self.environment);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A loopback address that no other server has: a port that was free once is still free when its
/// server comes back, whatever runs beside it.
fn own_address() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    let n = COUNT.fetch_add(1, Ordering::Relaxed) % 200;
    format!("127.{}.{low}.{}", 1 + high % 250, 1 + n)
}

/// A folder for a server's data and log.
pub fn home() -> TempDir {
    TempDir::new().expect("the system has a place for temporary files")
}

fn command(data: &Path, listen: &str, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary::guildhall());
    command
        .args(["serve", "--listen", listen, "--data"])
        .arg(data)
        .env_clear()
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .kill_on_drop(true);
    command
}

/// Starts a process and waits until it is ready, or has ended.
async fn launch(
    home: &Path,
    listen: &str,
    environment: &[(String, String)],
) -> Result<Running, ExitStatus> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(home.join("log"))
        .expect("the home is writable");
    let mut child = command(&home.join("data"), listen, environment)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the binary was built");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let mut line = String::new();
    let read = soon("the ready line", stdout.read_line(&mut line)).await;
    if read.expect("stdout is text") == 0 {
        let ended = soon("the end of the process", child.wait()).await;
        return Err(ended.expect("the process is ours"));
    }
    let address = line
        .strip_prefix("ready http://")
        .and_then(|address| address.strip_suffix('\n')?.parse().ok());
    let address = address.unwrap_or_else(|| panic!("{line:?}; it said:\n{}", read_log(home)));
    Ok(Running {
        child,
        stdout,
        address,
    })
}

fn must_be_ready(launched: Result<Running, ExitStatus>, home: &Path) -> Running {
    launched.unwrap_or_else(|status| panic!("{status}; it said:\n{}", read_log(home)))
}

fn read_log(home: &Path) -> String {
    let bytes = std::fs::read(home.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Of the latest start.
fn operator_address(log: &str) -> SocketAddr {
    let address = log
        .rsplit("operator's listener: http://")
        .next()
        .and_then(|rest| rest.split('/').next()?.parse().ok());
    address.expect("the log says where the operator's listener is")
}
