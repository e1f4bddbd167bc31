//! The line protocol between a bot and whoever runs it, for Rust; `../../README.md` describes it.

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::TcpStream;

/// Why a command failed.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What the runner hands over.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The bot's token.
    pub token: String,
    /// Host and port of REST.
    pub host: String,
    /// The gateway's address.
    pub gateway: String,
    /// How many shards the bot has.
    pub shards: u32,
}

impl Environment {
    /// Reads it.
    pub fn read() -> Result<Self, Failure> {
        let rest = std::env::var("BOT_REST")?;
        let host = rest
            .strip_prefix("http://")
            .and_then(|it| it.strip_suffix("/api"));
        Ok(Self {
            token: std::env::var("BOT_TOKEN")?,
            host: host.ok_or("BOT_REST is odd")?.to_owned(),
            gateway: std::env::var("BOT_GATEWAY")?,
            shards: std::env::var("BOT_SHARDS")?.parse()?,
        })
    }
}

/// The version of a package that these bots were built with.
pub fn version(package: &str) -> &'static str {
    let lock = include_str!("../../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let behind = lock.split_once(&name).map_or("", |(_, behind)| behind);
    behind.split('"').next().unwrap_or_default()
}

/// Tells the runner something.
pub fn say(line: Value) {
    let mut out = std::io::stdout().lock();
    // Without the runner nobody listens.
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// A bot that carries out what it is asked for.
pub trait Obeys: Send + Sync + 'static {
    /// Carries out one command and answers what came of it.
    fn carry_out(&self, name: &str, wanted: &Wanted) -> impl Future<Output = Done> + Send;
}

/// What came of a command.
pub type Done = Result<Value, Failure>;

/// The arguments of a command.
#[derive(Debug)]
pub struct Wanted(Value);

impl Wanted {
    /// A text.
    pub fn text(&self, key: &str) -> Result<&str, Failure> {
        let found = self.0[key].as_str();
        found.ok_or_else(|| format!("no {key}").into())
    }

    /// An id.
    pub fn id<I: From<std::num::NonZeroU64>>(&self, key: &str) -> Result<I, Failure> {
        Ok(self.text(key)?.parse::<std::num::NonZeroU64>()?.into())
    }
}

/// Carries out what the runner asks for until it is gone, then ends the process.
pub async fn obey<B: Obeys>(bot: Arc<B>) {
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let bot = Arc::clone(&bot);
        tokio::spawn(async move {
            let wanted: Value = serde_json::from_str(&line).unwrap_or_default();
            let name = wanted["do"].as_str().unwrap_or_default().to_owned();
            let wanted = Wanted(wanted);
            let done = bot.carry_out(&name, &wanted).await;
            let id = &wanted.0["id"];
            say(match done {
                Ok(ok) => json!({ "id": id, "ok": ok }),
                Err(why) => json!({ "id": id, "failed": chain(&*why).to_string() }),
            });
        });
    }
    std::process::exit(0);
}

fn chain(error: &dyn Error) -> impl fmt::Display {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text.replace('\n', " ")
}

/// The text at an address that a message gave.
pub async fn download(url: &str) -> Result<String, Failure> {
    let rest = url.strip_prefix("http://").ok_or("not plain http")?;
    let (host, path) = rest.split_once('/').ok_or("no path")?;
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        Ok(body.to_owned())
    } else {
        Err(format!("{status:?} for the file").into())
    }
}
