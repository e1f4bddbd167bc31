//! The one writer of a database: writes that wait together share a transaction.
//!
//! A commit costs a sync of the disk, so it pays to put the writes of several callers into one.
//! If anything goes wrong in a shared transaction, it is rolled back and each of its writes gets
//! a transaction of its own: nobody suffers from another one's refusal.

use std::time::Instant;

use async_trait::async_trait;
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use parking_lot::Mutex;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::error::failure;
use super::metrics::Metrics;
use super::rows::write::Write;

/// Writes that wait for the writer; one more waits for room here.
const WAITING_MAX: usize = 256;
/// Writes that share a transaction at most, so that the first of them need not wait long.
const SHARING_MAX: usize = 64;

/// Where a transaction of this database may be cut off by the end of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) written: Point,
    pub(super) committed: Point,
}

/// Hands writes to the writing task.
pub(super) struct Writer {
    waiting: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writing task on `connection`. With `options` it opens another one where the
    /// state of a connection has become unknown.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        metrics: Metrics,
        ends: Ends,
    ) -> Self {
        let (tx, rx) = mpsc::channel(WAITING_MAX);
        let desk = Desk {
            connection: Some(connection),
            options,
            metrics,
            ends,
        };
        Self {
            waiting: Mutex::new(Some(tx)),
            task: Mutex::new(Some(tokio::spawn(desk.serve(rx)))),
        }
    }

    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Done, W::Error> {
        let waiting = self.waiting.lock().clone().ok_or(Failure::Closing)?;
        let (reply, answer) = oneshot::channel();
        let job = Waiting {
            write,
            result: None,
            reply,
        };
        let sent = waiting.send(Box::new(job)).await;
        sent.map_err(|_| Failure::Closing)?;
        answer.await.map_err(|_| Failure::Closing)?
    }

    /// Takes no more writes and resolves when those that wait are done.
    pub(super) async fn close(&self) {
        self.waiting.lock().take();
        let task = self.task.lock().take();
        if let Some(task) = task {
            // It only fails where the runtime itself is going down.
            let _ = task.await;
        }
    }
}

/// A write with the caller who waits for it.
#[async_trait]
trait Job: Send {
    /// Makes the change and keeps the answer. False if the change must be rolled back.
    async fn run(&mut self, tx: &mut SqliteConnection) -> bool;

    /// Tells the caller: what the change answered, or why the transaction failed.
    fn settle(self: Box<Self>, outcome: Result<(), Failure>);
}

struct Waiting<W: Write> {
    write: W,
    result: Option<Result<W::Done, W::Error>>,
    reply: oneshot::Sender<Result<W::Done, W::Error>>,
}

#[async_trait]
impl<W: Write> Job for Waiting<W> {
    async fn run(&mut self, tx: &mut SqliteConnection) -> bool {
        let result = self.write.run(tx).await;
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn settle(self: Box<Self>, outcome: Result<(), Failure>) {
        let answer = match (outcome, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Failure::Closing.into()),
            (Err(failure), _) => Err(failure.into()),
        };
        // Who no longer waits does not need the answer; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// The writing task's own: the connection, as long as its state is known.
struct Desk {
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    metrics: Metrics,
    ends: Ends,
}

impl Desk {
    async fn serve(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(SHARING_MAX);
        while waiting.recv_many(&mut batch, SHARING_MAX).await > 0 {
            if batch.len() > 1 && self.together(&mut batch).await {
                batch.drain(..).for_each(|job| job.settle(Ok(())));
            }
            for mut job in batch.drain(..) {
                let outcome = self.alone(job.as_mut()).await;
                job.settle(outcome);
            }
        }
        if let Some(connection) = self.connection {
            // What is committed is in the file or its log; closing only moves it from the one to
            // the other, which the next start would do as well.
            let _ = connection.close().await;
        }
    }

    /// All in one transaction. False if it was rolled back.
    async fn together(&mut self, batch: &mut [Box<dyn Job>]) -> bool {
        let Ok(mut tx) = self.begin().await else {
            return false;
        };
        let mut writes = 0;
        for job in batch {
            if !job.run(&mut tx).await {
                self.roll_back(tx).await;
                return false;
            }
            writes += 1;
        }
        self.commit(tx, writes).await.is_ok()
    }

    async fn alone(&mut self, job: &mut dyn Job) -> Result<(), Failure> {
        let mut tx = self.begin().await?;
        if job.run(&mut tx).await {
            self.commit(tx, 1).await
        } else {
            self.roll_back(tx).await;
            Ok(())
        }
    }

    /// Opens a transaction. The connection comes back by [`Self::commit`] or
    /// [`Self::roll_back`], or is dropped where neither worked: SQLite may end a transaction by
    /// itself when the disk is full or fails, and a fresh connection cannot be in one.
    ///
    /// The statements are written out because sqlx counts nesting on its own, and would be wrong
    /// about it after such an end.
    async fn begin(&mut self) -> Result<SqliteConnection, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(|e| failure(&e))?,
        };
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut connection)
            .await
            .map_err(|e| failure(&e))?;
        Ok(connection)
    }

    async fn commit(&mut self, mut tx: SqliteConnection, writes: u32) -> Result<(), Failure> {
        crash::pass(self.ends.written);
        let began = Instant::now();
        sqlx::query("COMMIT")
            .execute(&mut tx)
            .await
            .map_err(|e| failure(&e))?;
        crash::pass(self.ends.committed);
        self.metrics.committed(writes, began.elapsed());
        self.connection = Some(tx);
        Ok(())
    }

    async fn roll_back(&mut self, mut tx: SqliteConnection) {
        self.metrics.rolled_back();
        if sqlx::query("ROLLBACK").execute(&mut tx).await.is_ok() {
            self.connection = Some(tx);
        }
    }
}
