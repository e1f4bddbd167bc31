//! Connections are lent, and come back within a bound.
//!
//! The pool asks a connection that comes back whether it lives, and would wait for the answer for
//! ever: a way to the engine that forgets its connections would take their places with them.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Where statements borrow a connection, each for itself.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connections: PgPool,
    back_within: Duration,
}

/// A connection that goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: PoolConnection<Postgres>,
    back_within: Duration,
}

impl Pool {
    /// A connection that does not show that it lives within this time is not taken back: another
    /// one may be made in its place.
    pub(crate) const fn new(connections: PgPool, back_within: Duration) -> Self {
        Self {
            connections,
            back_within,
        }
    }

    /// Waits for a connection that is free, or can be made.
    pub(crate) async fn lend(&self) -> Result<Lent, Error> {
        Ok(Lent {
            connection: self.connections.acquire().await?,
            back_within: self.back_within,
        })
    }

    /// Lends nothing more and closes what is not lent.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Without a runtime nothing can be asked of it any more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(self.back_within, self.connection.return_to_pool()));
        }
    }
}

impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        // All at once: whoever asks for rows wants them all, and the connection is free sooner.
        let rows = async move {
            let mut lent = pool.lend().await?;
            let rows: Vec<_> = lent.fetch_many(query).collect().await;
            Ok::<_, Error>(stream::iter(rows))
        };
        Box::pin(stream::once(rows).try_flatten())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        Box::pin(async move { pool.lend().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.lend().await?.prepare_with(sql, parameters).await })
    }
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.lend().await?.describe(sql).await })
    }
}
