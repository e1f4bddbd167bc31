//! Allowances that all nodes of a cluster count together, where there is something that does.

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use guildhall_model::Rate;
use guildhall_ports::{Env, Quotas};

use super::Taken;
use super::table::Tables;

/// Allowances of many keys. Each node counts for itself, too: what is used up here nobody is asked
/// about, and while nobody answers a node goes on by itself.
#[derive(Debug)]
pub struct Shared<K> {
    /// What the keys begin with where all nodes count.
    kind: &'static str,
    own: Tables<K>,
    all: Option<Arc<dyn Quotas>>,
}

impl<K: Eq + Hash + Copy + Display> Shared<K> {
    /// Where there is nothing that counts for all, this node counts alone. What is counted together begins
    /// with the same word, which nothing else begins with.
    pub fn new(kind: &'static str, all: Option<Arc<dyn Quotas>>) -> Self {
        let own = Tables::default();
        Self { kind, own, all }
    }

    /// Uses the key's allowance once, if it is not used up. A key has always the same rate.
    pub async fn take(&self, key: K, rate: Rate, env: &Env) -> Taken {
        let taken = self.own.take(key, rate, env.steady());
        let Some(all) = self.all.as_ref().filter(|_| taken.is_allowed) else {
            return taken;
        };
        let name = self.name(&key);
        match all.take(&name, rate).await {
            Ok(count) => self.own.settle(key, rate, count, env.steady()),
            // It has said so itself.
            Err(_) => taken,
        }
    }

    /// Whether the key's allowance is used up as far as this node knows, without using it.
    pub fn look(&self, key: &K, rate: Rate, env: &Env) -> Taken {
        self.own.look(key, rate, env.steady())
    }

    /// How the key's allowance stands for all nodes, without using it; as far as this node knows where
    /// nobody answers.
    pub async fn look_at_all(&self, key: &K, rate: Rate, env: &Env) -> Taken {
        let Some(all) = &self.all else {
            return self.look(key, rate, env);
        };
        let seen = all.look(&self.name(key), rate).await;
        let own = self.look(key, rate, env);
        match seen {
            Ok(count) => own.or_tighter(rate, count, env.steady()),
            Err(_) => own,
        }
    }

    fn name(&self, key: &K) -> String {
        format!("{}:{key}", self.kind)
    }
}
