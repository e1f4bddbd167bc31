//! What stands behind the question mark in this dialect. Clients ask for pages above the id 0,
//! which is an id like any other there, and write truth in several ways.

use axum::extract::FromRequestParts;
use guildhall_app::guilds::OwnGuildsPage;
use guildhall_model::audit::{AuditFrom, AuditQuery};
use guildhall_model::limits::{
    MEMBER_QUERY_CHARS, PAGE_AUDIT, PAGE_MESSAGES_DEFAULT, PAGE_MESSAGES_MAX, PAGE_USERS_MAX,
};
use guildhall_model::message::Anchor;
use guildhall_model::{Id, MessageId, Timestamp, UserId};
use guildhall_wire::discord::audit::deed_kind;
use http::request::Parts;

use crate::Api;
use crate::error::ApiError;
use crate::query::Query;

/// Pins of one page.
const PAGE_PINS_MAX: u16 = 50;
/// Guilds of one page.
const PAGE_GUILDS_MAX: u16 = 200;
/// Bans of one page where the caller does not say.
const PAGE_BANS_DEFAULT: u16 = 1_000;
/// Members of one page where the caller does not say.
const PAGE_MEMBERS_DEFAULT: u16 = 1;
/// Users who gave an emoji, of one page where the caller does not say, and at most.
const PAGE_REACTORS: (u16, u16) = (25, 100);

/// What a route reads from its query.
trait FromQuery: Sized {
    fn read(query: &mut Query<'_>) -> Self;
}

/// A query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: FromQuery> FromRequestParts<Api> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let mut query = Query::new(parts.uri.query(), &api.spelling);
        let asked = T::read(&mut query);
        Ok(Self(query.finish(asked)?))
    }
}

/// With how many members there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct WithCounts(pub(super) bool);

/// A page of a channel's messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages {
    pub(super) anchor: Anchor,
    pub(super) limit: u16,
}

/// A page of members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members {
    pub(super) after: Option<UserId>,
    pub(super) limit: u16,
}

/// Members by the beginning of a name.
#[derive(Clone, Debug)]
pub(super) struct MemberSearch {
    pub(super) beginning: String,
    pub(super) limit: u16,
}

/// A page of bans.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bans {
    pub(super) before: Option<UserId>,
    pub(super) after: Option<UserId>,
    pub(super) limit: u16,
}

/// A page of an audit log.
#[derive(Clone, Copy, Debug)]
pub(super) struct AuditEntries {
    pub(super) query: AuditQuery,
    pub(super) limit: u16,
}

/// A page of users who gave an emoji.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reactors {
    pub(super) after: Option<UserId>,
    pub(super) limit: u16,
    /// Only those who paid for theirs, of whom there are none.
    pub(super) burst: bool,
}

/// A page of pins.
#[derive(Clone, Copy, Debug)]
pub(super) struct PinsPage {
    pub(super) before: Option<Timestamp>,
    pub(super) limit: u16,
}

/// How a webhook posts, or which of its messages is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution {
    /// Answer with the message.
    pub(super) wait: bool,
    /// Heed the components of a webhook without an application.
    pub(super) with_components: bool,
    /// In a thread, of which there are none.
    pub(super) in_thread: bool,
}

impl FromQuery for Execution {
    fn read(query: &mut Query<'_>) -> Self {
        Self {
            wait: truth(query, "wait"),
            with_components: truth(query, "with_components"),
            in_thread: query.get("thread_id").is_some(),
        }
    }
}

/// What an application asks of its first answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallbackAsked {
    /// Tell it what has come of it.
    pub(super) with_response: bool,
}

impl FromQuery for CallbackAsked {
    fn read(query: &mut Query<'_>) -> Self {
        Self {
            with_response: truth(query, "with_response"),
        }
    }
}

impl FromQuery for PinsPage {
    fn read(query: &mut Query<'_>) -> Self {
        let before = query.get("before").and_then(|text| {
            let at = guildhall_wire::time::instant_of(&text);
            if at.is_none() {
                let why = "must be an instant like 2030-01-31T12:00:00Z";
                query.wrong("before", "not_a_time", why.to_owned());
            }
            at
        });
        let limit = query.limit(PAGE_PINS_MAX, PAGE_PINS_MAX);
        Self { before, limit }
    }
}

impl FromQuery for WithCounts {
    fn read(query: &mut Query<'_>) -> Self {
        Self(truth(query, "with_counts"))
    }
}

impl FromQuery for Messages {
    fn read(query: &mut Query<'_>) -> Self {
        let anchors = [
            id(query, "before").map(Anchor::Before as fn(MessageId) -> Anchor),
            id(query, "after").map(Anchor::After),
            id(query, "around").map(Anchor::Around),
        ];
        let mut anchors = anchors.into_iter().flatten();
        let anchor = anchors.next().unwrap_or(Anchor::Newest);
        if anchors.next().is_some() {
            let why = "takes one of before, after and around";
            query.wrong("", "exclusive", why.to_owned());
        }
        let limit = query.limit(PAGE_MESSAGES_DEFAULT, PAGE_MESSAGES_MAX);
        Self { anchor, limit }
    }
}

impl FromQuery for Members {
    fn read(query: &mut Query<'_>) -> Self {
        Self {
            after: id(query, "after"),
            limit: query.limit(PAGE_MEMBERS_DEFAULT, PAGE_USERS_MAX),
        }
    }
}

impl FromQuery for MemberSearch {
    fn read(query: &mut Query<'_>) -> Self {
        let beginning = query.get("query");
        let (min, max) = MEMBER_QUERY_CHARS;
        match beginning.as_deref().map(|text| text.chars().count()) {
            None => query.wrong("query", "required", "is required".to_owned()),
            Some(n) if !(min..=max).contains(&n) => {
                let why = format!("must have {min} to {max} characters");
                query.wrong("query", "invalid_length", why);
            }
            Some(_) => {}
        }
        Self {
            beginning: beginning.unwrap_or_default(),
            limit: query.limit(PAGE_MEMBERS_DEFAULT, PAGE_USERS_MAX),
        }
    }
}

impl FromQuery for Bans {
    fn read(query: &mut Query<'_>) -> Self {
        Self {
            before: id(query, "before"),
            after: id(query, "after"),
            limit: query.limit(PAGE_BANS_DEFAULT, PAGE_USERS_MAX),
        }
    }
}

impl FromQuery for AuditEntries {
    fn read(query: &mut Query<'_>) -> Self {
        let number = query.get("action_type");
        let kind = number.as_deref().and_then(|text| {
            let kind = text.parse().ok().and_then(deed_kind);
            if kind.is_none() {
                let why = "must be the number of an action that is logged";
                query.wrong("action_type", "unknown_value", why.to_owned());
            }
            kind
        });
        // As in Discord, where both ends are given the upper one counts.
        let from = match (id(query, "before"), id(query, "after")) {
            (Some(before), _) => AuditFrom::Before(before),
            (None, Some(after)) => AuditFrom::After(after),
            (None, None) => AuditFrom::Newest,
        };
        let target: Option<Id<()>> = id(query, "target_id");
        let (default, max) = PAGE_AUDIT;
        Self {
            query: AuditQuery {
                by: id(query, "user_id"),
                target: target.map(Id::get),
                kind,
                from,
            },
            limit: query.limit(default, max),
        }
    }
}

impl FromQuery for Reactors {
    fn read(query: &mut Query<'_>) -> Self {
        let (default, max) = PAGE_REACTORS;
        let kind = query.get("type");
        let burst = match kind.as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => {
                query.wrong("type", "unknown_value", "must be 0 or 1".to_owned());
                false
            }
        };
        Self {
            after: id(query, "after"),
            limit: query.limit(default, max),
            burst,
        }
    }
}

impl FromQuery for OwnGuildsPage {
    fn read(query: &mut Query<'_>) -> Self {
        Self {
            before: id(query, "before"),
            after: id(query, "after"),
            limit: query.limit(PAGE_GUILDS_MAX, PAGE_GUILDS_MAX),
            with_counts: truth(query, "with_counts"),
        }
    }
}

/// An id, or 0, which stands below all: discord.py begins its histories there. No object has the
/// id 1 either.
fn id<K>(query: &mut Query<'_>, key: &'static str) -> Option<Id<K>> {
    if query.get(key)? == "0" {
        return Id::new(1);
    }
    query.id(key)
}

fn truth(query: &mut Query<'_>, key: &'static str) -> bool {
    let Some(text) = query.get(key) else {
        return false;
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "false" | "0" | "" => false,
        _ => {
            query.wrong(key, "unknown_value", "must be true or false".to_owned());
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::Rejection;
    use guildhall_wire::Spelling;
    use proptest::prelude::*;

    use super::*;

    fn read<T: FromQuery>(text: &str) -> Result<T, Vec<(String, &'static str)>> {
        let spelling = Spelling::new(0);
        let mut query = Query::new(Some(text), &spelling);
        let asked = T::read(&mut query);
        query.finish(asked).map_err(|rejection| match rejection {
            Rejection::Invalid(errors) => errors
                .into_iter()
                .map(|error| (error.path, error.code))
                .collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn pages_may_begin_above_nothing() {
        let first = MessageId::new(1).unwrap();
        assert_eq!(
            read::<Messages>("after=0").unwrap().anchor,
            Anchor::After(first)
        );
        assert_eq!(read::<Messages>("").unwrap().anchor, Anchor::Newest);
        let page = read::<Members>("after=0&limit=1000").unwrap();
        assert_eq!((page.after, page.limit), (UserId::new(1), 1_000));
    }

    #[test]
    fn truth_is_written_in_several_ways() {
        for (text, expected) in [("True", true), ("1", true), ("false", false), ("0", false)] {
            let asked = read::<WithCounts>(&format!("with_counts={text}")).unwrap();
            assert_eq!(asked.0, expected, "{text}");
        }
        let wrong = read::<WithCounts>("with_counts=maybe").unwrap_err();
        assert_eq!(wrong, [("with_counts".to_owned(), "unknown_value")]);
    }

    #[test]
    fn every_wrong_key_is_named() {
        let wrong = |path: &str, code| (path.to_owned(), code);
        assert_eq!(
            read::<MemberSearch>("limit=0").unwrap_err(),
            [wrong("query", "required"), wrong("limit", "out_of_range")]
        );
        assert_eq!(
            read::<Messages>("before=5&after=6").unwrap_err(),
            [wrong("", "exclusive")]
        );
        assert_eq!(
            read::<Reactors>("type=2&limit=101&after=x").unwrap_err(),
            [
                wrong("type", "unknown_value"),
                wrong("after", "invalid_id"),
                wrong("limit", "out_of_range"),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_query_panics(text in ".{0,200}") {
            let _ = read::<MemberSearch>(&text);
            let _ = read::<OwnGuildsPage>(&text);
            let _ = read::<Bans>(&text);
        }
    }
}
