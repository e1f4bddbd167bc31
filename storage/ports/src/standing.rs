//! How an engine stands: whether what was asked of it last worked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::Failure;

/// What whoever uses an engine has seen of it last. Clones share one state; one that nobody notes
/// anything in says that all is well.
///
/// An engine is away when what it was asked last failed as [`Failure::Unavailable`] and nothing that
/// was asked has worked since.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How much has worked.
    worked: u64,
    away: Option<Arc<str>>,
    /// When it last came back.
    back: Option<Instant>,
}

/// When something was asked, as seen by a [`Standing`].
#[derive(Clone, Copy, Debug)]
pub struct Asked(u64);

impl Standing {
    /// Something is asked from now on.
    pub fn ask(&self) -> Asked {
        Asked(self.0.lock().worked)
    }

    /// Something has worked. True if the engine was away until now.
    pub fn worked(&self) -> bool {
        let mut state = self.0.lock();
        state.worked = state.worked.wrapping_add(1);
        let is_news = state.away.take().is_some();
        if is_news {
            state.back = Some(Instant::now());
        }
        is_news
    }

    /// What was asked then has failed because the engine cannot be reached or does not work. It
    /// tells nothing if something else has worked meanwhile. True if the engine was not away until
    /// now.
    pub fn failed(&self, asked: Asked, why: &str) -> bool {
        let mut state = self.0.lock();
        if state.worked != asked.0 {
            return false;
        }
        let is_news = state.away.is_none();
        state.away = Some(why.into());
        is_news
    }

    /// Takes an outcome to heart. An engine that answers, whatever it says, is there; one that is
    /// full or being closed tells nothing.
    pub fn note<T>(&self, asked: Asked, outcome: &Result<T, Failure>) {
        match outcome {
            Ok(_) | Err(Failure::Stale { .. } | Failure::Damaged { .. }) => {
                self.worked();
            }
            Err(Failure::Unavailable { why, .. }) => {
                self.failed(asked, why);
            }
            Err(Failure::Full { .. } | Failure::Closing) => {}
        }
    }

    /// Asks something and takes the outcome to heart. A question that is given up tells nothing.
    pub async fn watch<T>(
        &self,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let asked = self.ask();
        let outcome = question.await;
        self.note(asked, &outcome);
        outcome
    }

    /// Why the engine is away, if it is; never a secret.
    pub fn away(&self) -> Option<Arc<str>> {
        self.0.lock().away.clone()
    }

    /// Whether the engine is away.
    pub fn is_away(&self) -> bool {
        self.0.lock().away.is_some()
    }

    /// Whether the engine is away, or has come back less than this time ago.
    pub fn was_away_within(&self, time: Duration) -> bool {
        let state = self.0.lock();
        state.away.is_some() || state.back.is_some_and(|back| back.elapsed() < time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(why: &str) -> Result<(), Failure> {
        Err(Failure::unavailable("engine", why))
    }

    #[test]
    fn an_engine_is_away_from_what_fails_until_something_works() {
        let standing = Standing::default();
        assert_eq!(standing.away(), None);
        for why in ["the first reason", "another one"] {
            standing.clone().note(standing.ask(), &failure(why));
            assert_eq!(standing.away().as_deref(), Some(why));
        }
        assert!(standing.was_away_within(Duration::ZERO));
        standing.note(standing.ask(), &Ok(()));
        assert!(!standing.is_away() && !standing.was_away_within(Duration::ZERO));
        assert!(standing.was_away_within(Duration::from_hours(1)));
    }

    #[test]
    fn what_fails_late_tells_nothing_of_an_engine_that_has_worked_meanwhile() {
        let standing = Standing::default();
        let early = standing.ask();
        standing.worked();
        standing.note(early, &failure("it took too long"));
        assert!(!standing.is_away());
    }

    #[test]
    fn an_engine_that_refuses_is_there_and_one_that_is_full_or_closed_tells_nothing() {
        let standing = Standing::default();
        let silent: [Failure; 2] = [Failure::Full { what: "engine" }, Failure::Closing];
        let answers = [
            Failure::Stale { what: "row" },
            Failure::damaged("row", "it has no columns"),
        ];
        for answer in answers {
            for silent in silent.clone() {
                standing.note::<()>(standing.ask(), &Err(silent));
                assert!(!standing.is_away());
            }
            standing.note(standing.ask(), &failure("away"));
            for silent in silent.clone() {
                standing.note::<()>(standing.ask(), &Err(silent));
                assert!(standing.is_away());
            }
            standing.note::<()>(standing.ask(), &Err(answer));
            assert!(!standing.is_away());
        }
    }
}
