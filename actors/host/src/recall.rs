//! Questions to the relational store that could be answered from memory while it is away.

use std::time::Duration;

use guildhall_ports::Failure;
use tokio::time::timeout;

use crate::node::Stores;

/// How long the store is waited for by who knows an earlier answer, before it is known to be away.
const NEWER_WITHIN: Duration = Duration::from_secs(2);

/// Where an answer comes from.
#[derive(Debug)]
pub enum Told<T, K> {
    /// The store has answered now.
    Now(T),
    /// The store is away: this is known from before.
    Before(K),
}

impl Stores {
    /// Asks the relational store, or recalls what it answered before where that is known and the
    /// store is away. While it is known to be away nobody waits who can recall; whether it is back is
    /// for its adapter to find out. How old `known` may be is the caller's business, in
    /// [`guildhall_model::limits::RECALLED_MS_MAX`].
    pub async fn ask_or_recall<T, K>(
        &self,
        known: Option<K>,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Told<T, K>, Failure> {
        let Some(known) = known else {
            return Ok(Told::Now(question.await?));
        };
        if self.relational.is_away() {
            return Ok(Told::Before(known));
        }
        match timeout(NEWER_WITHIN, question).await {
            Err(_) | Ok(Err(Failure::Unavailable { .. })) => Ok(Told::Before(known)),
            Ok(answer) => Ok(Told::Now(answer?)),
        }
    }
}
