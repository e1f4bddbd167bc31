//! Who may do what by which route: one row per route, of both dialects.
//!
//! `rest` registers a route together with its row and refuses to start without one. The row's
//! credential is checked there, before the body is read; what the row says about guilds, roles and
//! channels is decided in `state` and held by a test that walks every row as every kind of caller.
//!
//! What a caller may not see is answered like what does not exist: strangers and banned users get
//! `Unknown`, never `MissingPermission`.

mod table;

use guildhall_model::Permissions;
use guildhall_model::rejection::Noun;

pub use table::{DISCORD_ROWS, ROWS};

/// One route and what it takes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How it is called.
    pub method: Method,
    /// The path as a template.
    pub path: &'static str,
    /// What the caller must be or hold.
    pub need: Need,
    /// What callers get who may not know of the object: not found, and this noun.
    pub hidden: Noun,
}

/// How a route is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are HTTP's")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a caller must be or hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing, not even a credential; one that is sent is not looked at.
    Nobody,
    /// The token of the webhook or interaction, which stands in the path; a credential is not
    /// looked at.
    Token,
    /// A person or a bot.
    Anyone,
    /// A person.
    Person,
    /// A bot.
    Bot,
    /// The bot of the application that the route names; in a guild that it names, a member of it.
    OwnApplication,
    /// A member of the guild, or anybody who is not banned if the guild is public.
    Preview,
    /// A person who is not banned, with an open invite unless the guild is public.
    Entry,
    /// A member of the guild.
    Member,
    /// A member who does not own the guild.
    MemberButOwner,
    /// A member who holds all of these in the guild.
    MemberWith(Permissions),
    /// As [`Self::MemberWith`], for people only.
    PersonWith(Permissions),
    /// A member who holds these and stands above the role or member that the route names.
    Above(Permissions),
    /// The member itself if it holds `own`, or as [`Self::Above`] with `others`.
    SelfOrAbove {
        /// Enough for oneself.
        own: Permissions,
        /// Needed for others.
        others: Permissions,
    },
    /// The owner of the guild.
    Owner,
    /// Somebody who sees the channel and holds all of these in it.
    Viewer(Permissions),
    /// As [`Self::Viewer`], for people only.
    PersonWho(Permissions),
    /// The author of the message, as long as it sees the channel.
    Author,
    /// Whose own the object is, or somebody who holds these where the object is.
    OwnOr(Permissions),
}

/// Which credential a request must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// None.
    Nothing,
    /// An access token or a bot token.
    Any,
    /// An access token.
    Person,
    /// A bot token.
    Bot,
}

impl Need {
    /// Which credential the route asks for.
    pub const fn proof(self) -> Proof {
        match self {
            Self::Nobody | Self::Token => Proof::Nothing,
            Self::Bot | Self::OwnApplication => Proof::Bot,
            Self::Person | Self::Entry | Self::PersonWith(_) | Self::PersonWho(_) => Proof::Person,
            _ => Proof::Any,
        }
    }
}

/// The rows of both dialects.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(DISCORD_ROWS)
}

/// The row of a route.
pub fn row(method: Method, path: &str) -> Option<&'static Row> {
    rows().find(|row| row.method == method && row.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_one_row() {
        let all: Vec<&Row> = rows().collect();
        for (n, row) in all.iter().enumerate() {
            let same = |other: &&Row| other.method == row.method && other.path == row.path;
            assert!(
                !all[n + 1..].iter().any(same),
                "{:?} {} twice",
                row.method,
                row.path
            );
        }
    }

    #[test]
    fn routes_with_a_token_need_no_credential() {
        for row in rows() {
            let has_token = row.path.contains("_token}");
            assert_eq!(has_token, row.need == Need::Token, "{}", row.path);
            let addressed = ["/api/webhooks/", "/api/interactions/"];
            let is_addressed = addressed.iter().any(|begin| row.path.starts_with(begin));
            assert!(!has_token || is_addressed);
        }
    }

    #[test]
    fn only_signing_in_connecting_and_looking_at_an_invite_need_nothing() {
        let open: Vec<_> = rows()
            .filter(|row| row.need == Need::Nobody)
            .map(|row| row.path)
            .collect();
        assert_eq!(
            open,
            [
                "/openapi.json",
                "/auth/register",
                "/auth/login",
                "/auth/refresh",
                "/invites/{code}",
                "/api/gateway",
                "/api/invites/{code}",
            ]
        );
    }
}
