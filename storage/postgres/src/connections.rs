//! A node's connections to the engine, and how long it waits for anything.
//!
//! Three watches run. The engine ends statements that take long, and transactions whose node has
//! fallen silent, so that nobody waits for the locks of the dead. The node ends whatever takes
//! longer than that, because an engine that hangs does not look at its watch. And a connection that
//! was given up so is closed, not used again: an answer may still come on it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use guildhall_ports::Failure;
use parking_lot::Mutex;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::error::{ENGINE, failure};
use crate::lending::Pool;

/// How long a transaction of a node that has fallen silent keeps its locks. A node that is only
/// slow loses its transaction after this, and its caller is told.
const SILENCE_MS: u32 = 3_000;
/// How long a statement waits for a lock: longer than the silent keep theirs.
const LOCK_MS: u32 = 5_000;
/// How long a statement may take; those of the ports take milliseconds.
const STATEMENT_MS: u32 = 6_000;
/// How long the engine waits for a node to take what it sends.
const SEND_MS: u32 = 10_000;
/// How long a caller waits for a connection that is free or can be made.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a caller waits altogether, for a connection and for what is done on it.
pub(crate) const OPERATION: Duration = Duration::from_secs(10);
/// The same while the engine is known to be away.
pub(crate) const AWAY: Duration = Duration::from_secs(1);
/// How long a connection that comes back, or has lain idle, may take to show that it lives. One
/// that does not is replaced within the same [`ACQUIRE`].
const PING: Duration = Duration::from_secs(1);
/// How long the engine may take to show that it is there.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// A connection that was used within this time is taken to live: asking it first would double the
/// time of the shortest reads.
const FRESH: Duration = Duration::from_secs(1);

/// When something was last seen that makes all connections of that time suspect: the engine or the
/// way to it broke, or tables have changed under prepared statements.
#[derive(Clone, Default)]
pub(crate) struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    /// Connections that were made until now are not used again.
    pub(crate) fn raise(&self) {
        *self.0.lock() = Some(Instant::now());
    }

    /// Whether a connection of this age was there when it was last raised.
    fn covers(&self, age: Duration) -> bool {
        self.0.lock().is_some_and(|raised| raised.elapsed() < age)
    }
}

/// Sets the engine's own watches on a connection.
pub(crate) fn watched(options: PgConnectOptions) -> PgConnectOptions {
    options
        .options([
            ("idle_in_transaction_session_timeout", SILENCE_MS),
            ("lock_timeout", LOCK_MS),
            ("statement_timeout", STATEMENT_MS),
            ("tcp_user_timeout", SEND_MS),
        ])
        .options([("default_transaction_isolation", "read committed")])
}

/// So many connections at most, which are made when they are needed.
pub(crate) fn pool(
    config: &Config,
    connections: u32,
    suspicion: &Suspicion,
) -> Result<Pool, Failure> {
    let suspicion = suspicion.clone();
    let connections = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
        .before_acquire(move |connection, meta| {
            let is_suspect = suspicion.covers(meta.age);
            Box::pin(async move {
                if !is_suspect && FRESH < meta.idle_for {
                    alive(connection).await?;
                }
                Ok(!is_suspect)
            })
        })
        .connect_lazy_with(watched(config.options()?));
    // It is asked when it comes back.
    Ok(Pool::new(connections, PING))
}

/// Asks a connection whether anybody is still at its other end.
async fn alive(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let asked = timeout(PING, connection.ping()).await;
    asked.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// One connection beside the pool.
pub(crate) async fn connect(options: PgConnectOptions) -> Result<PgConnection, Failure> {
    let making = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        prepare(&mut connection).await?;
        Ok(connection)
    };
    within(ACQUIRE, making)
        .await?
        .map_err(|error: sqlx::Error| failure(&error))
}

/// A deadline for what is asked of the engine.
pub(crate) async fn within<T>(
    bound: Duration,
    asked: impl Future<Output = T>,
) -> Result<T, Failure> {
    timeout(bound, asked).await.map_err(|_| {
        let why = format!("no answer within {} s", bound.as_secs());
        Failure::unavailable(ENGINE, why)
    })
}

/// Refuses a standby, whose rows are those of an earlier moment, and sees to it that what is
/// committed survives the engine's end, whatever is usual in this database.
async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let is_standby: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(&mut *connection)
        .await?;
    if is_standby {
        let why = "a standby answers at its address: give the primary's";
        return Err(sqlx::Error::Configuration(why.into()));
    }
    sqlx::query(
        "SELECT set_config('synchronous_commit', 'on', FALSE)
         WHERE current_setting('synchronous_commit') = 'off'",
    )
    .execute(connection)
    .await?;
    Ok(())
}
