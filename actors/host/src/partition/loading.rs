//! Actors that are loaded when somebody first asks for them, one of each at a time.

use std::hash::Hash;
use std::sync::Arc;

use guildhall_ports::Failure;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

/// The way to an actor.
pub(crate) trait Handle: Clone + Send + Sync {
    /// Lets the actor finish what it is doing; nobody asks it for more.
    fn retire(&self);
}

/// Actors by what they are for. Two of the same that both take work would number the events of one stream
/// twice, so a handle is given out only while it is the one that the next caller gets, too.
pub(super) struct Loaded<K, V>(Mutex<FxHashMap<K, Cell<V>>>);

/// An actor, being loaded by the first of those who wait for it; `None` inside if there is no such thing.
type Cell<V> = Arc<OnceCell<Option<V>>>;

impl<K, V> Default for Loaded<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, V: Handle> Loaded<K, V> {
    /// The actor, loaded if need be. One that has stopped by itself, as that of a deleted guild does,
    /// or that goes by a log that was replaced, is loaded anew instead of being reported as down.
    pub(super) async fn get_or_load<F>(
        &self,
        key: K,
        is_current: impl Fn(&V) -> bool,
        load: impl FnOnce() -> F,
    ) -> Result<Option<V>, Failure>
    where
        F: Future<Output = Result<Option<V>, Failure>>,
    {
        let is_of_use = |handle: &V| {
            let is_of_use = is_current(handle);
            if !is_of_use {
                handle.retire();
            }
            is_of_use
        };
        let cell = self.cell(key, is_of_use);
        let loaded = cell.get_or_try_init(load).await.cloned();
        self.settle(key, &cell, loaded, is_of_use)
    }

    fn cell(&self, key: K, is_of_use: impl Fn(&V) -> bool) -> Cell<V> {
        let mut cells = self.0.lock();
        let cell = cells.entry(key).or_default();
        if matches!(cell.get(), Some(Some(handle)) if !is_of_use(handle)) {
            *cell = Arc::default();
        }
        Arc::clone(cell)
    }

    /// Keeps an actor that is of use, and gives it out if it is the one that was kept. Whatever is absent,
    /// failed or dead is asked for anew next time, and the map does not grow by what does not exist.
    fn settle(
        &self,
        key: K,
        cell: &Cell<V>,
        loaded: Result<Option<V>, Failure>,
        is_of_use: impl Fn(&V) -> bool,
    ) -> Result<Option<V>, Failure> {
        let mut cells = self.0.lock();
        let is_in_place = cells.get(&key).is_some_and(|it| Arc::ptr_eq(it, cell));
        let handle = match loaded {
            Ok(Some(handle)) => handle,
            absent => {
                // Others may wait at the cell, who load next: without it in its place somebody else would
                // load beside them. The clones are made under this lock: two are the map's and ours.
                if is_in_place && Arc::strong_count(cell) <= 2 {
                    cells.remove(&key);
                }
                return absent;
            }
        };
        let anew = || Failure::unavailable("the actor", "it is being restarted");
        if !is_of_use(&handle) {
            if is_in_place {
                cells.remove(&key);
            }
            return Err(anew());
        }
        if !is_in_place {
            // The cell was taken out while the actor was being loaded, when all were stopped.
            if cells.contains_key(&key) {
                handle.retire();
                return Err(anew());
            }
            cells.insert(key, Arc::clone(cell));
        }
        Ok(Some(handle))
    }

    /// What those that are loaded say of themselves.
    pub(super) fn observe<T>(&self, observe: impl Fn(&V) -> T) -> Vec<T> {
        let cells = self.0.lock();
        let loaded = cells.values().filter_map(|cell| cell.get()?.as_ref());
        loaded.map(observe).collect()
    }

    /// Takes all out.
    pub(super) fn drain(&self) -> Vec<V> {
        let mut cells = self.0.lock();
        let loaded = cells.drain().filter_map(|(_, cell)| cell.get()?.clone());
        loaded.collect()
    }

    /// How many there are, those among them that are being loaded.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    /// An actor by its number, and whether it has retired.
    #[derive(Clone)]
    struct Fake(usize, Arc<AtomicBool>);

    impl Handle for Fake {
        fn retire(&self) {
            self.1.store(true, Ordering::Relaxed);
        }
    }

    #[derive(Default)]
    struct House {
        loaded: Loaded<u8, Fake>,
        made: AtomicUsize,
    }

    impl House {
        /// Asks for the actor; loading it waits for what the test says.
        async fn ask(
            &self,
            outcome: oneshot::Receiver<Result<bool, Failure>>,
        ) -> Result<Option<usize>, Failure> {
            let is_current = |fake: &Fake| !fake.1.load(Ordering::Relaxed);
            let load = || async {
                let exists = outcome.await.unwrap()?;
                let number = self.made.fetch_add(1, Ordering::Relaxed);
                Ok(exists.then(|| Fake(number, Arc::default())))
            };
            let got = self.loaded.get_or_load(7, is_current, load).await?;
            Ok(got.map(|fake| fake.0))
        }
    }

    fn away() -> Failure {
        Failure::unavailable("store", "away")
    }

    macro_rules! waiting {
        ($house:expr) => {{
            let (say, outcome) = oneshot::channel();
            let mut asked = Box::pin($house.ask(outcome));
            assert!((&mut asked).now_or_never().is_none());
            (say, asked)
        }};
    }

    #[tokio::test]
    async fn who_waits_behind_a_failure_and_who_comes_after_it_get_one_actor() {
        let house = House::default();
        let (first, mut fails) = waiting!(house);
        let (second, mut waits) = waiting!(house);
        first.send(Err(away())).unwrap();
        assert!((&mut fails).now_or_never().unwrap().is_err());
        // The second loads now. A third must not load beside it.
        assert!((&mut waits).now_or_never().is_none());
        let (third, mut comes) = waiting!(house);
        second.send(Ok(true)).unwrap();
        let got = (&mut waits).now_or_never().unwrap().unwrap();
        let _ = third.send(Ok(true));
        let same = (&mut comes).now_or_never().unwrap().unwrap();
        assert_eq!((got, same), (Some(0), Some(0)));
        assert_eq!(house.made.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_actor_that_was_being_loaded_when_all_were_stopped_is_the_one_or_is_not_given_out() {
        let house = House::default();
        let (say, mut asked) = waiting!(house);
        assert!(house.loaded.drain().is_empty());
        say.send(Ok(true)).unwrap();
        let got = (&mut asked).now_or_never().unwrap().unwrap();
        let (_say, mut again) = {
            let (say, outcome) = oneshot::channel();
            (say, Box::pin(house.ask(outcome)))
        };
        assert_eq!((&mut again).now_or_never().unwrap().unwrap(), got);

        let house = House::default();
        let (late, mut too_late) = waiting!(house);
        house.loaded.drain();
        let (say, mut asked) = waiting!(house);
        late.send(Ok(true)).unwrap();
        assert!((&mut too_late).now_or_never().unwrap().is_err());
        say.send(Ok(true)).unwrap();
        assert_eq!((&mut asked).now_or_never().unwrap().unwrap(), Some(1));
    }

    #[tokio::test]
    async fn what_does_not_exist_or_fails_leaves_nothing_behind() {
        for outcome in [Ok(false), Err(away())] {
            let house = House::default();
            let (first, mut one) = waiting!(house);
            let (second, mut other) = waiting!(house);
            first.send(outcome.clone()).unwrap();
            let is_absent = matches!((&mut one).now_or_never().unwrap(), Ok(None) | Err(_));
            assert!(is_absent);
            let _ = second.send(outcome);
            let _ = (&mut other).now_or_never().unwrap();
            assert_eq!(house.loaded.len(), 0);
        }
    }
}
