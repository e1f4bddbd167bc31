//! Which sessions each user has on this node.

use std::sync::Arc;

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::user::{Appearance, Status};
use guildhall_model::{LoginId, SessionPartition, UserId, limits};
use guildhall_state::relay::{SessionRef, Sessions, Subscriber};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::shared::{Ending, SessionShared};

/// All sessions of this node by user, with the way to their sockets.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    users: RwLock<FxHashMap<UserId, Vec<Registered>>>,
}

#[derive(Clone, Debug)]
struct Registered {
    subscriber: Subscriber,
    login: Option<LoginId>,
    shared: Arc<SessionShared>,
}

impl Sessions for Registry {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        let users = self.users.read();
        users.get(&user).map_or_else(Vec::new, |sessions| {
            sessions.iter().map(|session| session.subscriber).collect()
        })
    }
}

impl Registry {
    /// Adds a session; false when the user has too many.
    pub(crate) fn insert(
        &self,
        session: SessionRef,
        viewer: Viewer,
        shard: Shard,
        login: Option<LoginId>,
        shared: Arc<SessionShared>,
    ) -> bool {
        let mut users = self.users.write();
        let sessions = users.entry(viewer.user_id).or_default();
        if sessions.len() >= limits::SESSIONS_MAX {
            return false;
        }
        let subscriber = Subscriber {
            session,
            viewer,
            shard,
        };
        sessions.push(Registered {
            subscriber,
            login,
            shared,
        });
        true
    }

    /// Removes a session that has ended. Says whether it was the user's last.
    pub(crate) fn remove(&self, user: UserId, session: SessionRef) -> bool {
        let mut users = self.users.write();
        let Some(sessions) = users.get_mut(&user) else {
            return false;
        };
        sessions.retain(|other| other.subscriber.session != session);
        let was_last = sessions.is_empty();
        if was_last {
            users.remove(&user);
        }
        was_last
    }

    /// Ends the sessions of a login: its sockets close at once.
    pub(crate) fn end_login(&self, login: LoginId) {
        for session in self.users.read().values().flatten() {
            if session.login == Some(login) {
                session.shared.end(Ending::Revoked);
            }
        }
    }

    /// Sets what a session shows and says how its user appears from now on, if that changed.
    pub(crate) fn show(
        &self,
        user: UserId,
        session: SessionRef,
        status: Option<Status>,
    ) -> Option<Appearance> {
        let users = self.users.read();
        let sessions = users.get(&user)?;
        let before = appearance(sessions);
        let registered = sessions
            .iter()
            .find(|other| other.subscriber.session == session)?;
        registered.shared.set_status(status);
        let now = appearance(sessions);
        (before != now).then_some(now)
    }

    /// How a user appears now.
    pub(crate) fn appearance(&self, user: UserId) -> Appearance {
        self.users
            .read()
            .get(&user)
            .map_or(Appearance::Offline, |sessions| appearance(sessions))
    }

    /// How all users appear who are not offline.
    pub(crate) fn appearances(&self) -> Vec<(UserId, Appearance)> {
        let users = self.users.read();
        let all = users
            .iter()
            .map(|(&user, sessions)| (user, appearance(sessions)));
        all.filter(|(_, appearance)| *appearance != Appearance::Offline)
            .collect()
    }

    /// Whether a user has a session here.
    pub(crate) fn has_sessions(&self, user: UserId) -> bool {
        self.users.read().contains_key(&user)
    }

    /// Removes all sessions of a partition, and says whose they were.
    pub(crate) fn part_with(
        &self,
        partition: SessionPartition,
    ) -> Vec<(UserId, Arc<SessionShared>)> {
        let mut parted = Vec::new();
        self.users.write().retain(|&user, sessions| {
            let (gone, stay) = std::mem::take(sessions)
                .into_iter()
                .partition(|other| other.subscriber.session.partition == partition);
            *sessions = stay;
            let gone: Vec<Registered> = gone;
            parted.extend(gone.into_iter().map(|session| (user, session.shared)));
            !sessions.is_empty()
        });
        parted
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.users.read().values().map(Vec::len).sum()
    }

    /// Calls `each` with every session's shared part.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&Arc<SessionShared>)) {
        for session in self.users.read().values().flatten() {
            each(&session.shared);
        }
    }
}

/// As of all sessions together; invisible ones do not count.
fn appearance(sessions: &[Registered]) -> Appearance {
    let shown = sessions
        .iter()
        .filter_map(|session| session.shared.status());
    shown
        .map(Appearance::from)
        .fold(Appearance::Offline, Appearance::or)
}
