//! Which sessions each user has on this node.

use std::sync::Arc;

use guildhall_model::dispatch::{Shard, Viewer};
use guildhall_model::user::{Appearance, Status};
use guildhall_model::{LoginId, UserId, limits};
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

    /// Ends all sessions of a user.
    pub(crate) fn end_user(&self, user: UserId) {
        for session in self.users.read().get(&user).into_iter().flatten() {
            session.shared.end(Ending::Revoked);
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

/// Do not disturb wins over online, online over idle; invisible sessions do not count.
fn appearance(sessions: &[Registered]) -> Appearance {
    let shown = sessions
        .iter()
        .filter_map(|session| session.shared.status());
    let rank = |status: &Status| match status {
        Status::Dnd => 3,
        Status::Online => 2,
        Status::Idle => 1,
        Status::Invisible => 0,
    };
    shown
        .max_by_key(rank)
        .map_or(Appearance::Offline, Appearance::from)
}
