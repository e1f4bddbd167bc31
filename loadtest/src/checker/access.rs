//! Who could see which channel when, as far as that is certain.

use std::collections::HashMap;

use super::names::Name;

/// What is known of a user's sight of a channel throughout a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The user could see it all the time.
    Open,
    /// The user could not see it at any time.
    Hidden,
    /// It changed meanwhile, or may have.
    Unclear,
}

/// A change of sight: it took effect somewhere between the request and the answer.
#[derive(Clone, Copy, Debug)]
struct Change {
    sent: u64,
    /// `None` until it is known: the request was never answered.
    acked: Option<u64>,
    view: bool,
}

/// Every change of every user's sight of every channel.
#[derive(Debug, Default)]
pub(super) struct Sights {
    changes: HashMap<(Name, Name), Vec<Change>>,
}

impl Sights {
    /// A request, sent at `sent`, that makes `user` see `channel`, or no longer see it. `acked` is absent
    /// if nobody knows whether it took effect.
    pub(super) fn change(
        &mut self,
        (user, channel): (Name, Name),
        sent: u64,
        acked: Option<u64>,
        view: bool,
    ) {
        let change = Change { sent, acked, view };
        self.changes
            .entry((user, channel))
            .or_default()
            .push(change);
    }

    /// Puts each pair's changes in order. An unanswered change is over when a later one has been
    /// acknowledged, because whoever changes a channel asks one thing at a time.
    pub(super) fn settle(&mut self) {
        for changes in self.changes.values_mut() {
            changes.sort_by_key(|change| change.sent);
            let mut next_acked = None;
            for change in changes.iter_mut().rev() {
                if change.acked.is_some() {
                    next_acked = change.acked;
                } else {
                    change.acked = next_acked;
                }
            }
        }
    }

    /// The sight of `channel` that `user` had from `from` to `to`, both included.
    pub(super) fn during(&self, user: Name, channel: Name, from: u64, to: u64) -> Sight {
        let Some(changes) = self.changes.get(&(user, channel)) else {
            return Sight::Unclear;
        };
        let done = |change: &&Change| change.acked.is_some_and(|acked| acked <= from);
        let Some(base) = changes
            .iter()
            .filter(done)
            .max_by_key(|change| change.acked)
        else {
            return Sight::Unclear;
        };
        // Whatever was under way together with the base, or begins before the end, must agree.
        let contested = changes.iter().any(|change| {
            let over = change.acked.is_some_and(|acked| acked <= base.sent);
            change.view != base.view && !over && change.sent <= to
        });
        match (contested, base.view) {
            (true, _) => Sight::Unclear,
            (false, true) => Sight::Open,
            (false, false) => Sight::Hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::Names;
    use super::*;

    fn pair() -> (Name, Name) {
        let mut names = Names::default();
        (names.of("user"), names.of("channel"))
    }

    fn sights(changes: &[(u64, Option<u64>, bool)]) -> impl Fn(u64, u64) -> Sight {
        let (user, channel) = pair();
        let mut sights = Sights::default();
        for &(sent, acked, view) in changes {
            sights.change((user, channel), sent, acked, view);
        }
        sights.settle();
        move |from, to| sights.during(user, channel, from, to)
    }

    #[test]
    fn nothing_is_clear_before_the_first_answer() {
        let during = sights(&[(10, Some(20), true)]);
        assert_eq!(during(5, 30), Sight::Unclear);
        assert_eq!(during(15, 30), Sight::Unclear);
        assert_eq!(during(20, 30), Sight::Open);
    }

    #[test]
    fn a_span_that_touches_a_change_is_unclear() {
        let during = sights(&[(10, Some(20), true), (40, Some(50), false)]);
        assert_eq!(during(20, 39), Sight::Open);
        assert_eq!(during(20, 40), Sight::Unclear);
        assert_eq!(during(45, 60), Sight::Unclear);
        assert_eq!(during(50, 60), Sight::Hidden);
        assert_eq!(during(20, 60), Sight::Unclear);
    }

    #[test]
    fn an_unanswered_change_is_open_until_a_later_one_is_answered() {
        let during = sights(&[(10, Some(20), true), (40, None, false)]);
        assert_eq!(during(20, 39), Sight::Open);
        assert_eq!(during(90, 99), Sight::Unclear);
        let during = sights(&[
            (10, Some(20), true),
            (40, None, false),
            (60, Some(70), false),
        ]);
        assert_eq!(during(65, 69), Sight::Unclear);
        assert_eq!(during(70, 99), Sight::Hidden);
    }

    #[test]
    fn changes_that_cross_leave_the_outcome_open() {
        let during = sights(&[(10, Some(40), true), (20, Some(30), false)]);
        assert_eq!(during(50, 60), Sight::Unclear);
    }

    #[test]
    fn an_equal_change_changes_nothing() {
        let during = sights(&[(10, Some(20), true), (30, Some(40), true)]);
        assert_eq!(during(25, 35), Sight::Open);
    }
}
