//! The one connection of a node, and who makes a new one when it is lost.

use std::sync::Arc;
use std::time::Duration;

use guildhall_model::Rate;
use guildhall_ports::Standing;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::script::Decision;

/// How long it may take to connect, to log in and to be answered once.
const CONNECT: Duration = Duration::from_secs(2);
/// How long nobody asks after a failure: at first, and at most, where it fails again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(4));
/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(10);
/// Questions that wait to be written. More wait for these, within their own time.
const WAITING_MAX: usize = 256;

/// The present connection, if there is one.
#[derive(Default)]
pub(crate) struct Line {
    state: Mutex<State>,
    lost: Notify,
    standing: Standing,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Which of the successive connections it is: who used a former one says nothing about it.
    number: u64,
    /// Why there is none.
    why: String,
}

impl Line {
    /// The connection and its number.
    pub(crate) fn current(&self) -> Option<(MultiplexedConnection, u64)> {
        let state = self.state.lock();
        let connection = state.connection.clone()?;
        Some((connection, state.number))
    }

    /// The connection of this number is of no use. Nobody is given it any more.
    pub(crate) fn lose(&self, number: u64, why: String) {
        let mut state = self.state.lock();
        if state.number == number && state.connection.take().is_some() {
            state.why = why;
            self.lost.notify_one();
        }
    }

    /// Whether the engine can be asked.
    pub(crate) const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The log has one line for an outage, which begins with its first reason.
    fn be_away(&self, why: &str) {
        if self.standing.failed(self.standing.ask(), why) {
            warn!(
                error = why,
                "Redis is away, so each node counts for rate limits by itself until it is back: {why}"
            );
        }
    }

    fn put(&self, connection: MultiplexedConnection) {
        let mut state = self.state.lock();
        state.number += 1;
        state.connection = Some(connection);
        if self.standing.worked() {
            info!("Redis is back: all nodes together count for rate limits");
        }
    }

    fn why(&self) -> String {
        self.state.lock().why.clone()
    }
}

/// What is asked for to see whether the engine works.
pub(crate) fn once() -> Rate {
    Rate::new(1, 1).expect("once per millisecond is a rate")
}

/// Connects, and tries whether the engine does what it will be asked for.
async fn dial(
    client: &Client,
    take: &Decision,
    key: &str,
) -> Result<MultiplexedConnection, String> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(WAITING_MAX);
    let dialled = async {
        let made = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = made.await?;
        take.ask(&mut connection, key, once()).await?;
        Ok(connection)
    };
    let speaks_tls = matches!(
        client.get_connection_info().addr(),
        ConnectionAddr::TcpTls { .. }
    );
    match timeout(CONNECT, dialled).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(why(&error, speaks_tls)),
        // What it does not understand it waits to hear the end of.
        Err(_) if speaks_tls => Err(format!("no answer in time; {NO_TLS}")),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Why somebody who listens at the address may not be understood.
const NO_TLS: &str = "if it speaks without TLS, its address begins with redis://";
const TLS_ALONE: &str = "if it speaks TLS alone, its address begins with rediss://";

/// Why there is no connection, with what may be wrong about the address.
fn why(error: &RedisError, speaks_tls: bool) -> String {
    let said = error.to_string();
    if speaks_tls && said.contains("InvalidContentType") {
        format!("{said}; {NO_TLS}")
    } else if !speaks_tls && error.is_connection_dropped() && !error.is_connection_refusal() {
        format!("{said}; {TLS_ALONE}")
    } else {
        said
    }
}

/// Keeps a connection for as long as it runs. `is_settled` is told when the first attempt is over. The
/// log has one line when the engine is lost, and one when it is back.
pub(crate) async fn keep(
    line: Arc<Line>,
    client: Client,
    take: Arc<Decision>,
    probe: String,
    is_settled: Arc<Notify>,
) {
    let mut pause = PAUSES.0;
    loop {
        match dial(&client, &take, &probe).await {
            Ok(connection) => {
                line.put(connection);
                is_settled.notify_one();
                let since = Instant::now();
                line.lost.notified().await;
                if since.elapsed() > GOOD {
                    pause = PAUSES.0;
                }
                line.be_away(&line.why());
            }
            Err(why) => {
                line.be_away(&why);
                is_settled.notify_one();
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
