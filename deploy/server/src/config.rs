//! The configuration: one typed tree, read from a TOML file, the environment and the command
//! line, in that order of growing precedence.
//!
//! Everything is checked before anything starts, and all mistakes are reported at once. The
//! example file and `deploy/docs/configuration.md` come from the same declaration, in [`tree`].

mod addresses;
mod declare;
mod document;
mod security;
mod setting;
mod source;
mod tree;
mod units;
mod values;

use std::fmt;

use guildhall_model::NodeRoles;

pub use addresses::{Password, PostgresUrl, RedisUrl, S3Address};
pub use document::{example, markdown};
pub use security::{CqlTls, KafkaMechanism, KafkaSecurity, UserName};
pub use source::{CommandLineSetting, Sources};
pub use tree::{
    AuthConfig, ClusterConfig, Config, DeliveryConfig, GatewayConfig, LimitsConfig, LogConfig,
    OperatorConfig, ServerConfig,
};
pub use units::ByteSize;
pub use values::{
    Durability, Hosts, LogFilter, LogFormat, Name, OperatorListen, PublicUrl, RateLimit,
    Registration, Secret, Switch,
};

use declare::Reader;

/// What the process exits with when its configuration is wrong: `EX_USAGE` of `sysexits.h`, which
/// service managers take for "do not restart".
pub const EXIT_BAD_CONFIG: u8 = 64;

impl Config {
    /// Reads and checks the whole configuration.
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(sources);
        let config = Self::read(&mut reader);
        let mut mistakes = reader.finish();
        // Relations between settings are judged only when each of them is what it seems to be.
        if mistakes.is_empty() {
            config.check_relations(&mut mistakes);
        }
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(Mistakes(mistakes))
        }
    }

    /// The settings as they hold, as TOML; secrets are shown as `***`.
    pub fn redacted(&self) -> String {
        document::redacted(self)
    }

    fn check_relations(&self, mistakes: &mut Vec<Mistake>) {
        let delivery = &self.delivery;
        let mut at_most = |low: (&str, std::time::Duration), high: (&str, std::time::Duration)| {
            if low.1 > high.1 {
                mistakes.push(Mistake {
                    origin: None,
                    path: low.0.to_owned(),
                    what: format!(
                        "expected at most {} ({}), found {}",
                        high.0,
                        units::duration_text(high.1),
                        units::duration_text(low.1)
                    ),
                });
            }
        };
        let resume = ("delivery.resume_window", delivery.resume_window);
        let frames = ("delivery.frames_retention", delivery.frames_retention);
        let events = ("delivery.events_retention", delivery.events_retention);
        // A session can be continued only while its frames are kept, and frames hold references
        // into the events log.
        at_most(resume, frames);
        at_most(frames, events);
        self.check_roles(mistakes);
        self.cluster.check(mistakes);
    }

    /// What a node leaves to others there must be others for, and clients must find them.
    fn check_roles(&self, mistakes: &mut Vec<Mistake>) {
        let roles = self.cluster.roles;
        if roles == NodeRoles::ALL {
            return;
        }
        let mut mistake = |path: &str, what: String| {
            mistakes.push(Mistake {
                origin: None,
                path: path.to_owned(),
                what,
            });
        };
        if !self.cluster.is_set() {
            mistake(
                "cluster.roles",
                format!(
                    "expected {}, found {roles}: a node that keeps everything in its data directory \
                     is alone, so it must have all roles",
                    NodeRoles::ALL
                ),
            );
        } else if self.server.public_url.is_none() {
            mistake(
                "server.public_url",
                format!(
                    "is needed where a node has only the roles {roles}: clients find the others there"
                ),
            );
        }
    }
}

impl ClusterConfig {
    /// Engines elsewhere are used, and not the data directory.
    pub const fn is_set(&self) -> bool {
        self.postgres.is_some()
    }

    /// All engines or none, but for S3 and Redis, and only in a binary that has their drivers.
    fn check(&self, mistakes: &mut Vec<Mistake>) {
        let engines = [
            ("cluster.postgres", self.postgres.is_some()),
            ("cluster.kafka", self.kafka.is_some()),
            ("cluster.cql", self.cql.is_some()),
        ];
        let beside = self.s3.is_some() || self.redis.is_some();
        if !beside && engines.iter().all(|(_, is_set)| !is_set) {
            return;
        }
        let mut mistake = |path: &str, what: &str| {
            mistakes.push(Mistake {
                origin: None,
                path: path.to_owned(),
                what: what.to_owned(),
            });
        };
        for (path, is_set) in engines {
            if !is_set {
                mistake(
                    path,
                    "is needed too where one of the cluster's engines is set",
                );
            }
        }
        let addresses = self.address.as_ref().map_or(1, |hosts| hosts.list().len());
        if addresses != 1 {
            mistake(
                "cluster.address",
                "expected one host and port, found several",
            );
        }
        if !cfg!(feature = "cluster") {
            mistake(
                "cluster",
                "this binary has no drivers for a cluster; build it with --features cluster",
            );
        }
        self.check_security(mistakes);
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::load(&Sources::default()).expect("the defaults are valid, a test holds it")
    }
}

/// Everything that is wrong with a configuration. Never empty.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Who said it: `guildhall.toml:12`, an environment variable or a flag. `None` where several
    /// settings do not go together.
    pub origin: Option<String>,
    /// Which setting, dotted: `gateway.heartbeat_interval`. Empty where the source as a whole
    /// cannot be read.
    pub path: String,
    /// What is expected and what was found. Never a secret's value.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.origin.as_deref(), Some(self.path.as_str())] {
            if let Some(part) = part.filter(|part| !part.is_empty()) {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} mistake(s):", self.0.len())?;
        for mistake in &self.0 {
            writeln!(f, "  {mistake}")?;
        }
        f.write_str("`guildhall config example` prints every setting with its documentation")
    }
}

#[cfg(test)]
mod tests;
