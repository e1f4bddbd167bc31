//! Users as the store described them lately, for posts while it is away.

use std::collections::HashMap;

use guildhall_host::Refused;
use guildhall_host::recall::Told;
use guildhall_model::user::User;
use guildhall_model::{Rejection, Timestamp, UserId, limits};
use guildhall_ports::Failure;
use parking_lot::Mutex;

use crate::{App, Context};

/// Users that are remembered at a time: a few MiB. One more, and all are looked up anew.
const PROFILES_MAX: usize = 10_000;

/// Users with when they were described so.
#[derive(Debug, Default)]
pub(crate) struct Profiles(Mutex<HashMap<UserId, (User, Timestamp)>>);

impl Profiles {
    fn recall(&self, id: UserId, now: Timestamp) -> Option<User> {
        let profiles = self.0.lock();
        let (user, seen) = profiles.get(&id)?;
        (now.ms_since(*seen) < limits::RECALLED_MS_MAX).then(|| user.clone())
    }

    fn keep(&self, user: &User, now: Timestamp) {
        let mut profiles = self.0.lock();
        if profiles.len() >= PROFILES_MAX && !profiles.contains_key(&user.id) {
            profiles.clear();
        }
        profiles.insert(user.id, (user.clone(), now));
    }

    fn forget(&self, id: UserId) {
        self.0.lock().remove(&id);
    }
}

impl App {
    /// The caller as others see it, or as it was lately while the store is away. A credential
    /// without an account is worth nothing.
    pub(crate) async fn author(&self, ctx: &Context) -> Result<User, Refused> {
        let (id, now, profiles) = (ctx.user_id(), ctx.now, &self.0.profiles);
        let question = self.accounts_store().account(id);
        let recalled = profiles.recall(id, now);
        let stores = self.node().stores();
        match stores.ask_or_recall(recalled, question).await? {
            Told::Before(user) => Ok(user),
            Told::Now(Some(account)) => {
                profiles.keep(&account.user, now);
                Ok(account.user)
            }
            Told::Now(None) => {
                profiles.forget(id);
                Err(Rejection::Unauthenticated.into())
            }
        }
    }

    /// The users that exist among these, or as they were lately while the store is away.
    pub(crate) async fn people(&self, ids: &[UserId]) -> Result<Vec<User>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (now, profiles) = (self.env().now(), &self.0.profiles);
        let recalled = ids.iter().map(|&id| profiles.recall(id, now));
        let recalled: Option<Vec<User>> = recalled.collect();
        let question = self.accounts_store().users(ids);
        let stores = self.node().stores();
        let users = match stores.ask_or_recall(recalled, question).await? {
            Told::Before(users) => return Ok(users),
            Told::Now(users) => users,
        };
        for user in &users {
            profiles.keep(user, now);
        }
        Ok(users)
    }
}
