//! The store: reads on any connection, writes as transactions that are run until they are through.

use std::error::Error;
use std::sync::Arc;

use guildhall_ports::crash::{self, Point};
use guildhall_ports::standing::Asked;
use guildhall_ports::{Failure, Standing};
use sqlx::Connection as _;
use tokio::time::Instant;

use crate::config::{Config, SIGN_CONNECTIONS};
use crate::connections::{self, AWAY, LOOK, OPERATION, Suspicion, within};
use crate::error::{Sign, complaint, failure, sign};
use crate::lending::Pool;
use crate::metrics::Metrics;
use crate::migrations;
use crate::rows::error::SqlError;
use crate::rows::write::Write;

/// How often a write is run at most. A conflict on a unique constraint is decided at the second
/// attempt; deadlocks may come again, and each of them lets another write through.
const ATTEMPTS: u32 = 8;

/// The relational store of a cluster, its directory and the list of its nodes, shared by all of
/// them. Clones use the same connections.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    signs: Pool,
    suspicion: Suspicion,
    standing: Standing,
    metrics: Metrics,
}

impl PostgresStore {
    /// Reaches the engine once and looks at its tables. Refuses those that another version of the
    /// program made: [`migrations::apply`] brings older ones up to date.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        migrations::check(config).await?;
        let suspicion = Suspicion::default();
        let inner = Inner {
            pool: connections::pool(config, config.connections, &suspicion)?,
            signs: connections::pool(config, SIGN_CONNECTIONS, &suspicion)?,
            suspicion,
            standing: Standing::default(),
            metrics: Metrics::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Lets writes that have begun finish and closes all connections. Later calls answer that the
    /// store is closed.
    pub async fn close(&self) {
        // What hangs is cut off by its own deadline, and goodbyes are only polite.
        let _ = within(OPERATION, async {
            tokio::join!(self.inner.pool.close(), self.inner.signs.close())
        })
        .await;
    }

    /// Whether the engine can be reached, as what is asked of this store tells.
    pub fn standing(&self) -> Standing {
        self.inner.standing.clone()
    }

    /// Asks the engine for next to nothing, for the sake of [`Self::standing`], on connections that
    /// nobody else has to wait for. It takes two seconds at most.
    pub async fn look(&self) {
        let asking = async {
            let asked = sqlx::query("SELECT 1").execute(self.signs()).await;
            asked.map_err(|error| failure(&error))
        };
        let look = async { within(LOOK, asking).await? };
        // The outcome is noted.
        let _ = self.inner.standing.watch(look).await;
    }

    /// Connections that see all commits so far.
    pub(crate) fn readers(&self) -> &Pool {
        &self.inner.pool
    }

    /// Connections that nothing but signs of life waits for.
    pub(crate) fn signs(&self) -> &Pool {
        &self.inner.signs
    }

    /// Carries out a read, or a write of one statement.
    pub(crate) async fn read<T>(
        &self,
        reading: impl Future<Output = Result<T, SqlError>>,
    ) -> Result<T, Failure> {
        let asked = self.inner.standing.ask();
        let outcome = self.inner.bounded(reading).await?;
        self.inner.note(asked, &outcome);
        outcome.map_err(|error| {
            // This answer is lost; the next read is done on another connection.
            self.inner.learn(&error);
            error.into()
        })
    }

    /// Carries out a write. It goes on if the caller stops waiting for it: a transaction that is
    /// left halfway would keep its locks until the engine notices.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Done, W::Error> {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let asked = inner.standing.ask();
            let outcome = inner.bounded(inner.write(&write)).await?;
            inner.note(asked, &outcome);
            Ok::<_, Failure>(outcome)
        });
        match task.await {
            Ok(outcome) => outcome?,
            // The runtime is going down.
            Err(_) => Err(Failure::Closing.into()),
        }
    }
}

impl Inner {
    async fn write<W: Write>(&self, write: &W) -> Result<W::Done, W::Error> {
        let mut attempt = 1;
        loop {
            let outcome = self.transact(write).await;
            let Err(error) = &outcome else {
                return outcome;
            };
            match self.learn(error) {
                Sign::Conflict => self.metrics.conflicted(),
                Sign::Outdated => {}
                Sign::Broken | Sign::Nothing => return outcome,
            }
            if attempt == ATTEMPTS {
                return outcome;
            }
            attempt += 1;
        }
    }

    /// Takes what an error says about other connections to heart.
    fn learn(&self, error: &(dyn Error + 'static)) -> Sign {
        let sign = sign(error);
        if matches!(sign, Sign::Outdated | Sign::Broken) {
            self.suspicion.raise();
        }
        sign
    }

    /// One attempt. Who is not told that it was committed does not know: the connection may break
    /// between the commit and the word of it.
    async fn transact<W: Write>(&self, write: &W) -> Result<W::Done, W::Error> {
        let mut connection = self.pool.lend().await.map_err(SqlError::from)?;
        let mut tx = connection.begin().await.map_err(SqlError::from)?;
        let began = Instant::now();
        let done = match write.run(&mut tx).await {
            Ok(done) => done,
            Err(error) => {
                // If this fails too, the connection is closed, and the engine does the same.
                let _ = tx.rollback().await;
                return Err(error);
            }
        };
        crash::pass(Point::RelationalWritten);
        tx.commit().await.map_err(SqlError::from)?;
        crash::pass(Point::RelationalCommitted);
        self.metrics.committed(began.elapsed());
        Ok(done)
    }

    /// Notes what an outcome says of the engine. What is refused without a complaint of its was
    /// answered by it.
    fn note<T, E: Error + 'static>(&self, asked: Asked, outcome: &Result<T, E>) {
        let complaint = outcome.as_ref().err().and_then(|error| complaint(error));
        let noted = complaint.map_or(Ok(()), |complaint| Err(failure(complaint)));
        self.standing.note(asked, &noted);
    }

    async fn bounded<T>(&self, question: impl Future<Output = T>) -> Result<T, Failure> {
        let asked = self.standing.ask();
        // Nobody is kept waiting for what will most likely not come.
        let bound = if self.standing.is_away() {
            AWAY
        } else {
            OPERATION
        };
        let answer = within(bound, question).await;
        if answer.is_err() {
            self.suspicion.raise();
            self.standing.note(asked, &answer);
            self.metrics.overdue();
        }
        answer
    }
}
