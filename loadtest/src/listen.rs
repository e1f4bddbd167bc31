//! `listen`: prints every dispatch of one session as a line of JSON.

use std::io::{self, Write, stdout};

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::client::gateway::Dialect;
use crate::client::session::Identity;
use crate::client::{Listener, News, Session, Target};

/// Who listens to what.
#[derive(Clone)]
pub struct Options {
    /// The server.
    pub url: String,
    /// An access token or a bot's token.
    pub token: String,
    /// How bodies look.
    pub dialect: Dialect,
    /// A bot's intents.
    pub intents: Option<u64>,
    /// Ends after so many dispatches.
    pub count: Option<u64>,
    /// Prints only dispatches of this name.
    pub event: Option<String>,
}

/// Prints until `count` is reached, stdout is closed or `interrupted` ends.
pub async fn run(options: Options, interrupted: impl Future<Output = ()>) -> Result<()> {
    let target = Target::parse(&options.url)?;
    let (done, mut is_done) = watch::channel(false);
    let printer = Printer {
        left: options.count,
        event: options.event,
        done,
        failure: None,
    };
    let identity = Identity::Token {
        token: options.token,
        intents: options.intents,
    };
    let seed = crate::clock::now_ns();
    let session = Session::new(target, options.dialect, identity, printer, seed);
    let stop = async move {
        tokio::select! {
            _ = is_done.wait_for(|is_done| *is_done) => {}
            () = interrupted => {}
        }
    };
    let (printer, ended) = session.run(stop).await;
    ended?;
    match printer.failure {
        // Whoever reads us has had enough, as `head` does.
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => bail!(error),
        _ => Ok(()),
    }
}

struct Printer {
    left: Option<u64>,
    event: Option<String>,
    done: watch::Sender<bool>,
    failure: Option<io::Error>,
}

/// As documented for the gateway, without `op`, which is always 0.
#[derive(Serialize)]
struct Printed<'a> {
    t: &'a str,
    s: u64,
    d: &'a RawValue,
}

fn print(t: &str, s: u64, d: &RawValue) -> io::Result<()> {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, &Printed { t, s, d })?;
    out.write_all(b"\n")?;
    out.flush()
}

impl Listener for Printer {
    fn hear(&mut self, news: News<'_>) {
        let News::Dispatch { s, event, body, .. } = news else {
            return;
        };
        let is_wanted = self.event.as_deref().is_none_or(|wanted| wanted == event);
        if !is_wanted || *self.done.borrow() {
            return;
        }
        if let Err(error) = print(event, s, body) {
            self.failure = Some(error);
            self.done.send_replace(true);
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.done.send_replace(true);
            }
        }
    }
}
