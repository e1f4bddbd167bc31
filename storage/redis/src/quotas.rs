//! The port `Quotas`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_model::Rate;
use guildhall_ports::quotas::{Count, KEY_BYTES_MAX};
use guildhall_ports::{Failure, Quotas, Standing};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::config::{Config, ENGINE};
use crate::connection::{Line, keep, once};
use crate::metrics::Metrics;
use crate::script::Decision;

/// What is asked for to see whether the engine works. No key of a caller is this one.
const PROBE: &str = "probe";
/// What the keys of callers begin with, after the installation's own prefix.
const LIMIT: &str = "limit:";
/// How long the engine may take to show that it is there. A decision has less time.
const LOOK: Duration = Duration::from_secs(1);

/// Counts for all nodes, for as long as the engine answers.
pub struct RedisQuotas {
    line: Arc<Line>,
    take: Arc<Decision>,
    seen: Decision,
    probe: String,
    prefix: String,
    decision: Duration,
    metrics: Metrics,
    keeper: JoinHandle<()>,
}

impl RedisQuotas {
    /// Connects to the engine, where every key begins with `prefix`: each installation has its own, so
    /// that several can share an engine. Where that does not work within two seconds it goes on trying, and
    /// says so in the log: an engine that is away is no error, only an address that is none.
    pub async fn open(config: &Config, prefix: &str) -> Result<Self, Failure> {
        let client = config.client()?;
        let (line, take) = (Arc::new(Line::default()), Arc::new(Decision::take()));
        let is_settled = Arc::new(Notify::new());
        let probe = format!("{prefix}{PROBE}");
        let keeping = keep(
            Arc::clone(&line),
            client,
            Arc::clone(&take),
            probe.clone(),
            Arc::clone(&is_settled),
        );
        let quotas = Self {
            line,
            take,
            seen: Decision::look(),
            probe,
            prefix: format!("{prefix}{LIMIT}"),
            decision: config.decision,
            metrics: Metrics::new(),
            keeper: tokio::spawn(keeping),
        };
        is_settled.notified().await;
        Ok(quotas)
    }

    /// Whether the engine can be asked; as long as it cannot, each node counts by itself.
    pub fn standing(&self) -> Standing {
        self.line.standing().clone()
    }

    /// Asks the engine for next to nothing, for the sake of [`Self::standing`]: nobody else may be
    /// asking it. While it is away it is looked for anyway.
    pub async fn look(&self) {
        let Some((mut connection, number)) = self.line.current() else {
            return;
        };
        let asked = self.take.ask(&mut connection, &self.probe, once());
        let why = match timeout(LOOK, asked).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.line.lose(number, why);
    }

    async fn decide(&self, decision: &Decision, key: &str, rate: Rate) -> Result<Count, Failure> {
        if key.len() > KEY_BYTES_MAX {
            return Err(Failure::unavailable(ENGINE, "the key is too long"));
        }
        let Some((mut connection, number)) = self.line.current() else {
            return Err(Failure::unavailable(ENGINE, "it was away a moment ago"));
        };
        let key = format!("{}{key}", self.prefix);
        let asked = decision.ask(&mut connection, &key, rate);
        let why = match timeout(self.decision, asked).await {
            Ok(Ok(count)) => return Ok(count),
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                self.metrics.overdue();
                "no answer in time".to_owned()
            }
        };
        self.line.lose(number, why.clone());
        Err(Failure::unavailable(ENGINE, why))
    }
}

impl RedisQuotas {
    async fn measured(&self, decision: &Decision, key: &str, rate: Rate) -> Result<Count, Failure> {
        let began = Instant::now();
        let decided = self.decide(decision, key, rate).await;
        match &decided {
            Ok(_) => self.metrics.taken(began.elapsed()),
            Err(_) => self.metrics.alone(),
        }
        decided
    }
}

#[async_trait]
impl Quotas for RedisQuotas {
    async fn take(&self, key: &str, rate: Rate) -> Result<Count, Failure> {
        self.measured(&self.take, key, rate).await
    }

    async fn look(&self, key: &str, rate: Rate) -> Result<Count, Failure> {
        self.measured(&self.seen, key, rate).await
    }
}

impl Drop for RedisQuotas {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl fmt::Debug for RedisQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQuotas")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
