//! How changes of a message's reactions become rows and counts.

use std::collections::BTreeSet;

use guildhall_model::message::{Emoji, ReactionCount};
use serde::{Deserialize, Serialize};

use crate::plan::{Change, Place};

/// The counts of a message's reactions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The place of the last event in it; 0 if there was none.
    pub(super) place: Place,
    /// In order of first use. An emoji that nobody gives is not among them.
    counts: Vec<(Emoji, u32)>,
}

/// What happens to the rows of a message's reactions, each at its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RowChange {
    Give(String, i64, Place),
    Take(String, i64, Place),
    /// All rows of an emoji go.
    Clear(String, Place),
}

/// What names an emoji in the column `emoji`.
pub(super) fn key(emoji: &Emoji) -> String {
    match emoji {
        Emoji::Standard(text) => text.clone(),
        Emoji::Custom(custom) => custom.id.to_string(),
    }
}

impl State {
    /// The counts as they are shown.
    pub(super) fn counts(&self) -> Vec<ReactionCount> {
        let counts = self.counts.iter().cloned();
        counts
            .map(|(emoji, count)| ReactionCount { emoji, count })
            .collect()
    }

    /// Applies those of the changes that are not in it, and answers what they do to the rows.
    /// `given` says which of the reactions that the changes name are given.
    pub(super) fn fold(
        &mut self,
        given: &mut BTreeSet<(String, i64)>,
        changes: &[(Place, Change)],
    ) -> Vec<RowChange> {
        let mut rows = Vec::new();
        for (place, change) in changes {
            if *place <= self.place {
                continue;
            }
            self.place = *place;
            match change {
                Change::Give(emoji, user) => {
                    let (key, user) = (key(emoji), user.as_i64());
                    if given.insert((key.clone(), user)) {
                        self.raise(emoji);
                        rows.push(RowChange::Give(key, user, *place));
                    }
                }
                Change::Take(emoji, user) => {
                    let row = (key(emoji), user.as_i64());
                    if given.remove(&row) {
                        self.lower(emoji);
                        rows.push(RowChange::Take(row.0, row.1, *place));
                    }
                }
                Change::Clear(only) => {
                    let goes = |emoji: &Emoji| only.as_ref().is_none_or(|only| only == emoji);
                    for (emoji, _) in self.counts.iter().filter(|(emoji, _)| goes(emoji)) {
                        let key = key(emoji);
                        given.retain(|(given, _)| *given != key);
                        rows.push(RowChange::Clear(key, *place));
                    }
                    self.counts.retain(|(emoji, _)| !goes(emoji));
                }
            }
        }
        rows
    }

    fn raise(&mut self, emoji: &Emoji) {
        match self.counts.iter_mut().find(|(known, _)| known == emoji) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.counts.push((emoji.clone(), 1)),
        }
    }

    /// With the last user the emoji itself goes, and loses its place.
    fn lower(&mut self, emoji: &Emoji) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| known == emoji) {
            *count = count.saturating_sub(1);
        }
        self.counts.retain(|(_, count)| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{Id, UserId};

    use super::*;

    fn emoji(text: &str) -> Emoji {
        Emoji::Standard(text.to_owned())
    }

    fn user(number: u64) -> UserId {
        Id::new(number).expect("not zero")
    }

    #[test]
    fn what_is_in_a_state_is_not_added_again() {
        let changes = [
            (3, Change::Give(emoji("a"), user(1))),
            (4, Change::Give(emoji("a"), user(2))),
            (6, Change::Take(emoji("a"), user(1))),
        ];
        let (mut state, mut given) = (State::default(), BTreeSet::new());
        assert_eq!(state.fold(&mut given, &changes).len(), 3);
        let after = state.clone();
        assert_eq!(after.place, 6);
        assert_eq!(after.counts, [(emoji("a"), 1)]);
        assert_eq!(state.fold(&mut given, &changes), []);
        assert_eq!(state, after);
    }

    #[test]
    fn where_a_batch_is_cut_makes_no_difference() {
        let changes = [
            (1, Change::Give(emoji("a"), user(1))),
            (2, Change::Give(emoji("b"), user(1))),
            (3, Change::Give(emoji("a"), user(2))),
            (4, Change::Clear(Some(emoji("a")))),
            (5, Change::Give(emoji("a"), user(1))),
            (6, Change::Take(emoji("b"), user(1))),
        ];
        let (mut whole, mut given) = (State::default(), BTreeSet::new());
        whole.fold(&mut given, &changes);
        for cut in 0..changes.len() {
            let (mut state, mut given) = (State::default(), BTreeSet::new());
            state.fold(&mut given, &changes[..cut]);
            state.fold(&mut given, &changes[cut..]);
            assert_eq!(state, whole, "cut at {cut}");
        }
        assert_eq!(whole.counts, [(emoji("a"), 1)]);
    }
}
