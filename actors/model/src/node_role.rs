//! What a node of a cluster does: its roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of the work of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeRole {
    /// Answers requests over HTTP.
    Api,
    /// Accepts WebSockets and owns partitions of sessions.
    Gateway,
    /// Owns partitions of events: decides, writes and projects what happens in guilds.
    Worker,
}

impl NodeRole {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Api, Self::Gateway, Self::Worker];

    /// Its name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Gateway => "gateway",
            Self::Worker => "worker",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for NodeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a node does, one role at least. Written as names that commas separate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NodeRoles(u8);

impl NodeRoles {
    /// Everything: what a node does that is alone.
    pub const ALL: Self = Self::only(NodeRole::Api)
        .and(NodeRole::Gateway)
        .and(NodeRole::Worker);

    /// This one.
    pub const fn only(role: NodeRole) -> Self {
        Self(role.bit())
    }

    /// These and one more.
    #[must_use]
    pub const fn and(self, role: NodeRole) -> Self {
        Self(self.0 | role.bit())
    }

    /// Whether this is one of them.
    pub const fn contains(self, role: NodeRole) -> bool {
        self.0 & role.bit() != 0
    }

    /// Each of them, in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = NodeRole> {
        let all = NodeRole::ALL.into_iter();
        all.filter(move |role| self.contains(*role))
    }
}

impl Default for NodeRoles {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for NodeRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, role) in self.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{role}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for NodeRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeRoles({self})")
    }
}

/// A text does not say what a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected api, gateway, worker, or several of them, separated by commas")]
pub struct NodeRolesError;

impl FromStr for NodeRoles {
    type Err = NodeRolesError;

    fn from_str(text: &str) -> Result<Self, NodeRolesError> {
        let mut roles = Self(0);
        for name in text.split(',').map(str::trim) {
            let mut all = NodeRole::ALL.into_iter();
            let role = all.find(|role| role.name() == name).ok_or(NodeRolesError)?;
            roles = roles.and(role);
        }
        Ok(roles)
    }
}

impl TryFrom<String> for NodeRoles {
    type Error = NodeRolesError;

    fn try_from(text: String) -> Result<Self, NodeRolesError> {
        text.parse()
    }
}

impl From<NodeRoles> for String {
    fn from(roles: NodeRoles) -> Self {
        roles.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn a_node_does_everything_unless_told_otherwise() {
        assert_eq!(NodeRoles::default().to_string(), "api,gateway,worker");
        assert!(
            NodeRole::ALL
                .iter()
                .all(|role| NodeRoles::ALL.contains(*role))
        );
    }

    #[test]
    fn what_names_no_role_is_refused() {
        for text in [
            "",
            ",",
            "api,",
            "Api",
            "api worker",
            "voice",
            "api,,worker",
            "all",
        ] {
            assert_eq!(text.parse::<NodeRoles>(), Err(NodeRolesError), "{text:?}");
            let read: StrDeserializer<'_, Error> = text.into_deserializer();
            assert!(NodeRoles::deserialize(read).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_order_of_the_names_and_blanks_make_no_difference() {
        let roles: NodeRoles = " worker, api,worker".parse().unwrap();
        assert_eq!(roles.to_string(), "api,worker");
        assert!(!roles.contains(NodeRole::Gateway));
    }

    proptest! {
        #[test]
        fn reading_inverts_writing(bits in 1_u8..8) {
            let roles = NodeRoles(bits);
            prop_assert_eq!(roles.to_string().parse(), Ok(roles));
            prop_assert_eq!(NodeRoles::try_from(String::from(roles)), Ok(roles));
            let one_by_one = roles.iter().map(NodeRoles::only).fold(0, |all, it| all | it.0);
            prop_assert_eq!(one_by_one, bits);
        }
    }
}
