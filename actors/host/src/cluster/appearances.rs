//! How users appear by their sessions on other nodes, as these tell it, and for a while after they
//! were lost: whoever comes back in time is not shown as gone.

use guildhall_model::user::Appearance;
use guildhall_model::{NodeId, Timestamp, UserId};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// What other nodes have told of the users who are connected to them, and who was lost lately.
#[derive(Debug, Default)]
pub(crate) struct Appearances(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    users: FxHashMap<UserId, FxHashMap<NodeId, Appearance>>,
    lingering: FxHashMap<UserId, Lingering>,
}

/// A user who appears nowhere, but did a moment ago.
#[derive(Clone, Copy, Debug)]
struct Lingering {
    appearance: Appearance,
    since: Timestamp,
    /// The others believe that the user is here.
    is_told: bool,
}

impl Appearances {
    /// Notes how a user appears on another node. Says whether the others are to be told that this
    /// node has the user no more.
    pub(crate) fn note(&self, node: NodeId, user: UserId, appearance: Appearance) -> bool {
        let mut known = self.0.lock();
        if appearance == Appearance::Offline {
            if let Some(nodes) = known.users.get_mut(&user) {
                nodes.remove(&node);
                if nodes.is_empty() {
                    known.users.remove(&user);
                }
            }
            return false;
        }
        known
            .users
            .entry(user)
            .or_default()
            .insert(node, appearance);
        let lingered = known.lingering.remove(&user);
        lingered.is_some_and(|it| it.is_told)
    }

    /// A node is gone: its users are shown for a while as they were, unless they appear elsewhere or
    /// here. Of those it says how they appear from now on, where that is new.
    pub(crate) fn lose_node(
        &self,
        node: NodeId,
        now: Timestamp,
        here: impl Fn(UserId) -> Appearance,
    ) -> Vec<(UserId, Appearance)> {
        let mut known = self.0.lock();
        let Known { users, lingering } = &mut *known;
        let mut changed = Vec::new();
        users.retain(|&user, nodes| {
            let Some(there) = nodes.remove(&node) else {
                return true;
            };
            let shown = shown(nodes, here(user));
            if shown == Appearance::Offline {
                linger(lingering, (user, there), now, false);
            } else if shown.or(there) != shown {
                changed.push((user, shown));
            }
            !nodes.is_empty()
        });
        changed
    }

    /// A user's session goes from here to another node: the user is shown for a while as before.
    pub(crate) fn lose_session(&self, user: UserId, appearance: Appearance, now: Timestamp) {
        linger(&mut self.0.lock().lingering, (user, appearance), now, true);
    }

    /// A user appears here: nothing has to linger any more.
    pub(crate) fn come_back(&self, user: UserId) {
        self.0.lock().lingering.remove(&user);
    }

    /// Those who have not come back in time, each with how the user was shown. From now on they
    /// are not.
    pub(crate) fn over(&self, now: Timestamp, after_ms: u64) -> Vec<(UserId, Appearance)> {
        let mut known = self.0.lock();
        let is_over = |it: &Lingering| after_ms <= now.ms_since(it.since);
        let over = known.lingering.extract_if(|_, it| is_over(it));
        over.map(|(user, it)| (user, it.appearance)).collect()
    }

    /// How a user appears who appears like this here.
    pub(crate) fn with(&self, user: UserId, here: Appearance) -> Appearance {
        let known = self.0.lock();
        let elsewhere = known.users.get(&user);
        let shown = elsewhere.map_or(here, |nodes| shown(nodes, here));
        match known.lingering.get(&user) {
            Some(lingering) if shown == Appearance::Offline => lingering.appearance,
            _ => shown,
        }
    }
}

/// How somebody appears who appears like this here, and so elsewhere.
fn shown(elsewhere: &FxHashMap<NodeId, Appearance>, here: Appearance) -> Appearance {
    let elsewhere = elsewhere.values();
    elsewhere.fold(here, |shown, &other| shown.or(other))
}

fn linger(
    lingering: &mut FxHashMap<UserId, Lingering>,
    (user, appearance): (UserId, Appearance),
    since: Timestamp,
    is_told: bool,
) {
    let is_told = is_told || lingering.get(&user).is_some_and(|it| it.is_told);
    lingering.insert(
        user,
        Lingering {
            appearance,
            since,
            is_told,
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLINE: Appearance = Appearance::Online;
    const OFFLINE: Appearance = Appearance::Offline;
    const NOW: Timestamp = Timestamp(1_000);
    const LATER: Timestamp = Timestamp(NOW.0 + 15);
    const ONE: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    fn user() -> UserId {
        UserId::new(11).unwrap()
    }

    fn nobody(_: UserId) -> Appearance {
        OFFLINE
    }

    fn told() -> Appearances {
        let appearances = Appearances::default();
        appearances.note(ONE, user(), ONLINE);
        appearances
    }

    #[test]
    fn whose_node_is_gone_is_shown_for_a_while() {
        let appearances = told();
        assert!(appearances.lose_node(ONE, NOW, nobody).is_empty());
        assert_eq!(appearances.with(user(), OFFLINE), ONLINE);
        assert!(appearances.over(LATER, 16).is_empty());
        assert_eq!(appearances.over(LATER, 15), [(user(), ONLINE)]);
        assert_eq!(appearances.with(user(), OFFLINE), OFFLINE);
        assert!(appearances.over(LATER, 15).is_empty());
    }

    #[test]
    fn who_is_back_and_then_leaves_does_not_linger() {
        let appearances = told();
        appearances.lose_node(ONE, NOW, nobody);
        appearances.note(OTHER, user(), ONLINE);
        appearances.note(OTHER, user(), OFFLINE);
        assert_eq!(appearances.with(user(), OFFLINE), OFFLINE);
        appearances.note(ONE, user(), ONLINE);
        appearances.lose_node(ONE, NOW, nobody);
        appearances.come_back(user());
        assert_eq!(appearances.with(user(), OFFLINE), OFFLINE);
    }

    #[test]
    fn who_is_elsewhere_or_here_too_does_not_linger() {
        let idle = Appearance::Idle;
        let appearances = told();
        appearances.note(OTHER, user(), idle);
        assert_eq!(appearances.lose_node(ONE, NOW, nobody), [(user(), idle)]);
        let here = |_| idle;
        assert_eq!(told().lose_node(ONE, NOW, here), [(user(), idle)]);
        assert!(appearances.lose_node(OTHER, NOW, here).is_empty());
        assert_eq!(appearances.with(user(), OFFLINE), OFFLINE);
    }

    #[test]
    fn others_are_told_once_whom_they_believe_here_and_who_came_back_elsewhere() {
        let appearances = Appearances::default();
        appearances.lose_session(user(), ONLINE, NOW);
        assert_eq!(appearances.with(user(), OFFLINE), ONLINE);
        assert!(appearances.note(ONE, user(), ONLINE));
        assert!(!appearances.note(ONE, user(), ONLINE));
    }
}
