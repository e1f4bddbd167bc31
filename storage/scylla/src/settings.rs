//! Where the engine is and how it is used.

use std::fmt;

use guildhall_ports::Failure;

use crate::error::ENGINE;
use crate::tls::Tls;

/// Where the engine is and how it is used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Nodes to begin with, each `HOST:PORT`; the others are learnt from them.
    pub nodes: Vec<String>,
    /// The keyspace: a lower-case letter, then up to 47 of those, digits and underscores.
    pub keyspace: String,
    /// The datacenter whose nodes are asked; any where it is absent.
    pub datacenter: Option<String>,
    /// Who we are, where the engine asks for it.
    pub credentials: Option<Credentials>,
    /// Whom we believe, where the engine is reached by TLS.
    pub tls: Option<Tls>,
    /// How many replicas have to answer.
    pub consistency: Consistency,
    /// How many replicas of a row each datacenter has, where the keyspace is still to be made.
    pub replication_factor: u8,
}

/// A user of the engine.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, ***)", self.user)
    }
}

/// How many replicas have to answer. What was acknowledged is seen by every later read only with
/// more than half of them, on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// More than half of those in this datacenter. All owners of a cluster must then be in it.
    #[default]
    LocalQuorum,
    /// More than half of all.
    Quorum,
}

/// Characters of a keyspace's name: the engines allow 48.
const KEYSPACE_CHARS_MAX: usize = 48;

impl Settings {
    /// The usual settings for these nodes.
    pub fn new(nodes: Vec<String>, keyspace: impl Into<String>) -> Self {
        Self {
            nodes,
            keyspace: keyspace.into(),
            datacenter: None,
            credentials: None,
            tls: None,
            consistency: Consistency::default(),
            replication_factor: 3,
        }
    }

    /// Checks what becomes part of statements.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let name = &self.keyspace;
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || name.len() > KEYSPACE_CHARS_MAX || !name.chars().all(is_plain) {
            let why = format!(
                "\"{name}\" is no name for a keyspace: use a lower-case letter, then up to 47 of \
                 them, digits and underscores"
            );
            return Err(Failure::unavailable(ENGINE, why));
        }
        if self.nodes.is_empty() {
            return Err(Failure::unavailable(ENGINE, "no node is named"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyspace_cannot_smuggle_in_a_statement() {
        let long = "a".repeat(KEYSPACE_CHARS_MAX + 1);
        for name in ["", "1a", "a-b", "A", "a; DROP KEYSPACE b", "_a", &long] {
            let settings = Settings::new(vec!["127.0.0.1:9042".to_owned()], name);
            assert!(settings.check().is_err(), "{name}");
        }
        let settings = Settings::new(vec!["127.0.0.1:9042".to_owned()], "guildhall_2");
        assert!(settings.check().is_ok());
        assert!(Settings::new(Vec::new(), "guildhall").check().is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Credentials {
            user: "guildhall".to_owned(),
            password: "hunter2".to_owned(),
        };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
