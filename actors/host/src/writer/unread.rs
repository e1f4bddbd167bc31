//! Appends that the log has taken and that were not read back yet.
//!
//! A former owner's append succeeds and is void. Whoever reads the log up to the append and finds
//! no later epoch before it knows that it counts: no other question has to be asked.

use std::collections::VecDeque;

use guildhall_model::Position;
use guildhall_ports::Failure;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{OnStable, Progress};

/// How far the log was read, and who waits for what.
pub(super) struct Unread {
    waiting: Mutex<Waiting>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Waiting {
    /// Everything before counts.
    read: Position,
    /// From here on nothing counts.
    superseded: Option<Position>,
    appends: VecDeque<Append>,
}

struct Append {
    end: Position,
    done: Vec<OnStable>,
}

impl Unread {
    pub(super) fn new(progress: watch::Sender<Progress>) -> Self {
        Self {
            waiting: Mutex::default(),
            progress,
        }
    }

    /// The log has taken an append that ends here.
    pub(super) fn appended(&self, end: Option<Position>, done: Vec<OnStable>) {
        let mut waiting = self.waiting.lock();
        let end = end.unwrap_or(waiting.read);
        waiting.appends.push_back(Append { end, done });
        self.settle(waiting);
    }

    pub(super) fn was_read(&self, upto: Position) {
        let mut waiting = self.waiting.lock();
        if waiting.superseded.is_none() {
            waiting.read = upto.max(waiting.read);
        }
        self.settle(waiting);
    }

    pub(super) fn was_superseded(&self, at: Position) {
        let mut waiting = self.waiting.lock();
        let first = waiting.superseded.map_or(at, |known| known.min(at));
        waiting.superseded = Some(first);
        waiting.read = first.max(waiting.read);
        self.settle(waiting);
        self.is_broken();
    }

    /// The log takes nothing any more.
    pub(super) fn is_broken(&self) {
        self.progress
            .send_modify(|progress| progress.is_broken = true);
    }

    /// So many submissions are settled, and the log is passed on up to here.
    pub(super) fn settled(&self, submissions: usize, end: Option<Position>) {
        self.progress.send_modify(|progress| {
            progress.settled += submissions as u64;
            progress.end = end.unwrap_or(progress.end).max(progress.end);
        });
    }

    fn settle(&self, mut waiting: parking_lot::MutexGuard<'_, Waiting>) {
        let (mut counting, mut void) = (Vec::new(), Vec::new());
        let (read, superseded) = (waiting.read, waiting.superseded);
        while let Some(append) = waiting.appends.front() {
            let of = match superseded {
                _ if append.end <= read => &mut counting,
                Some(_) => &mut void,
                None => break,
            };
            of.extend(waiting.appends.pop_front());
        }
        drop(waiting);
        // The answers first: whoever waits for the settled count relies on them.
        let end = counting.last().map(|append| append.end);
        let mut submissions = 0;
        for append in counting {
            submissions += append.done.len();
            append.done.into_iter().for_each(|tell| tell(Ok(())));
        }
        if end.is_some() {
            self.settled(submissions, end);
        }
        for append in void {
            append.done.into_iter().for_each(|tell| tell(Err(stale())));
        }
    }
}

fn stale() -> Failure {
    Failure::Stale {
        what: "the events log",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Told = Arc<Mutex<Vec<(u64, bool)>>>;

    fn unread() -> (Unread, watch::Receiver<Progress>, Told) {
        let (tell, progress) = watch::channel(Progress {
            settled: 0,
            end: Position(10),
            is_broken: false,
        });
        (Unread::new(tell), progress, Told::default())
    }

    fn append(unread: &Unread, told: &Told, end: u64) {
        let told = Arc::clone(told);
        let done: OnStable = Box::new(move |outcome| told.lock().push((end, outcome.is_ok())));
        unread.appended(Some(Position(end)), vec![done]);
    }

    #[test]
    fn an_append_counts_once_it_was_read_whatever_comes_first() {
        let (unread, progress, told) = unread();
        append(&unread, &told, 20);
        assert_eq!(*told.lock(), []);
        unread.was_read(Position(30));
        append(&unread, &told, 30);
        append(&unread, &told, 40);
        assert_eq!(*told.lock(), [(20, true), (30, true)]);
        assert_eq!(
            (progress.borrow().settled, progress.borrow().end),
            (2, Position(30))
        );
    }

    #[test]
    fn what_stands_behind_a_later_epoch_is_void_and_what_stands_before_it_counts() {
        let (unread, progress, told) = unread();
        append(&unread, &told, 20);
        append(&unread, &told, 40);
        unread.was_superseded(Position(25));
        append(&unread, &told, 50);
        unread.was_read(Position(60));
        assert_eq!(*told.lock(), [(20, true), (40, false), (50, false)]);
        assert!(progress.borrow().is_broken);
        assert_eq!(progress.borrow().settled, 1);
    }
}
