//! What stands behind the question mark: pages of messages and of users.

use axum::extract::FromRequestParts;
use guildhall_model::audit::{AuditFrom, AuditQuery, DeedKind};
use guildhall_model::limits::{
    PAGE_AUDIT, PAGE_MESSAGES_DEFAULT, PAGE_MESSAGES_MAX, PAGE_USERS_MAX,
};
use guildhall_model::message::Anchor;
use guildhall_model::rejection::FieldError;
use guildhall_model::{Id, MessageId, Rejection, UserId};
use guildhall_wire::Spelling;
use guildhall_wire::id::UuidText;
use http::request::Parts;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Ref, Type};
use utoipa::{IntoParams, ToSchema as _};

use crate::Api;
use crate::error::ApiError;

/// Users of one page where the caller does not say.
const PAGE_USERS_DEFAULT: u16 = 100;

/// A page of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessagePage {
    pub(crate) anchor: Anchor,
    pub(crate) limit: u16,
}

/// A page of an audit log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditPage {
    pub(crate) query: AuditQuery,
    pub(crate) limit: u16,
}

/// A page of users, members or bans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserPage {
    pub(crate) after: Option<UserId>,
    pub(crate) limit: u16,
}

impl IntoParams for MessagePage {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let before = "The newest messages below this one. At most one of the three may be given.";
        vec![
            id("before", before),
            id("after", "The oldest messages above this one."),
            id("around", "Messages on both sides of this one, and itself."),
            limit(PAGE_MESSAGES_DEFAULT, PAGE_MESSAGES_MAX),
        ]
    }
}

impl IntoParams for AuditPage {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let (default, max) = PAGE_AUDIT;
        let words = DeedKind::all().map(DeedKind::word);
        let action = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words));
        let action = ParameterBuilder::new()
            .name("action")
            .parameter_in(ParameterIn::Query)
            .description(Some("Only what was done in this way."))
            .schema(Some(action))
            .build();
        vec![
            id("user_id", "Only what this user did."),
            id("target_id", "Only what was done to this one."),
            action,
            id("before", "The newest entries below this one."),
            id(
                "after",
                "The oldest entries above this one, rising. Not with `before`.",
            ),
            limit(default, max),
        ]
    }
}

impl IntoParams for UserPage {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            id("after", "Users with ids above this one."),
            limit(PAGE_USERS_DEFAULT, PAGE_USERS_MAX),
        ]
    }
}

fn id(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(description))
        .schema(Some(Ref::from_schema_name(UuidText::name())))
        .build()
}

fn limit(default: u16, max: u16) -> Parameter {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1_u16))
        .maximum(Some(max))
        .default(Some(default.into()));
    ParameterBuilder::new()
        .name("limit")
        .parameter_in(ParameterIn::Query)
        .description(Some("How many at most."))
        .schema(Some(number))
        .build()
}

impl FromRequestParts<Api> for MessagePage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query(), &api.spelling)?)
    }
}

impl FromRequestParts<Api> for AuditPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query(), &api.spelling)?)
    }
}

impl FromRequestParts<Api> for UserPage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query(), &api.spelling)?)
    }
}

impl MessagePage {
    fn parse(query: Option<&str>, spelling: &Spelling) -> Result<Self, Rejection> {
        let mut query = Query::new(query, spelling);
        let anchors: Vec<Anchor> = [
            query
                .id("before")
                .map(Anchor::Before as fn(MessageId) -> Anchor),
            query.id("after").map(Anchor::After),
            query.id("around").map(Anchor::Around),
        ]
        .into_iter()
        .flatten()
        .collect();
        if anchors.len() > 1 {
            query.wrong(
                "",
                "exclusive",
                "takes one of before, after and around".to_owned(),
            );
        }
        let limit = query.limit(PAGE_MESSAGES_DEFAULT, PAGE_MESSAGES_MAX);
        let anchor = anchors.first().copied().unwrap_or(Anchor::Newest);
        query.finish(Self { anchor, limit })
    }
}

impl AuditPage {
    fn parse(query: Option<&str>, spelling: &Spelling) -> Result<Self, Rejection> {
        let mut query = Query::new(query, spelling);
        let word = query.get("action");
        let kind = word.as_deref().and_then(|word| {
            let kind = DeedKind::parse(word);
            if kind.is_none() {
                let why = "must be an action that is logged";
                query.wrong("action", "unknown_value", why.to_owned());
            }
            kind
        });
        let from = match (query.id("before"), query.id("after")) {
            (Some(_), Some(_)) => {
                let why = "takes one of before and after";
                query.wrong("", "exclusive", why.to_owned());
                AuditFrom::Newest
            }
            (Some(before), None) => AuditFrom::Before(before),
            (None, Some(after)) => AuditFrom::After(after),
            (None, None) => AuditFrom::Newest,
        };
        let target: Option<Id<()>> = query.id("target_id");
        let asked = AuditQuery {
            by: query.id("user_id"),
            target: target.map(Id::get),
            kind,
            from,
        };
        let (default, max) = PAGE_AUDIT;
        let limit = query.limit(default, max);
        query.finish(Self {
            query: asked,
            limit,
        })
    }
}

impl UserPage {
    fn parse(query: Option<&str>, spelling: &Spelling) -> Result<Self, Rejection> {
        let mut query = Query::new(query, spelling);
        let after = query.id("after");
        let limit = query.limit(PAGE_USERS_DEFAULT, PAGE_USERS_MAX);
        query.finish(Self { after, limit })
    }
}

/// The keys of a query with what was wrong about them. Keys that nobody asks for are passed over.
pub(crate) struct Query<'a> {
    text: &'a str,
    spelling: &'a Spelling,
    errors: Vec<FieldError>,
}

impl<'a> Query<'a> {
    pub(crate) fn new(query: Option<&'a str>, spelling: &'a Spelling) -> Self {
        Self {
            text: query.unwrap_or_default(),
            spelling,
            errors: Vec::new(),
        }
    }

    /// The value of a key.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<String> {
        let pairs = form_urlencoded::parse(self.text.as_bytes());
        let mut values = pairs
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value);
        let value = values.next();
        if values.next().is_some() {
            self.wrong(key, "duplicate", "must be given once".to_owned());
        }
        value.map(Into::into)
    }

    pub(crate) fn id<K>(&mut self, key: &'static str) -> Option<Id<K>> {
        let text = self.get(key)?;
        let id = self.spelling.parse(&text);
        if id.is_none() {
            self.wrong(
                key,
                "invalid_id",
                "must be an id of this installation".to_owned(),
            );
        }
        id
    }

    pub(crate) fn limit(&mut self, default: u16, max: u16) -> u16 {
        let Some(text) = self.get("limit") else {
            return default;
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=max).contains(number));
        if number.is_none() {
            self.wrong(
                "limit",
                "out_of_range",
                format!("must be a number from 1 to {max}"),
            );
        }
        number.unwrap_or(default)
    }

    pub(crate) fn wrong(&mut self, path: &str, code: &'static str, message: String) {
        self.errors.push(FieldError {
            path: path.to_owned(),
            code,
            message,
        });
    }

    pub(crate) fn finish<T>(self, page: T) -> Result<T, Rejection> {
        if self.errors.is_empty() {
            Ok(page)
        } else {
            Err(Rejection::Invalid(self.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPELLING: Spelling = Spelling::new(0);
    const ID: u64 = 175_928_847_299_117_063;

    fn messages(query: &str) -> Result<MessagePage, Vec<(String, &'static str)>> {
        MessagePage::parse(Some(query), &SPELLING).map_err(|rejection| match rejection {
            Rejection::Invalid(errors) => errors
                .into_iter()
                .map(|error| (error.path, error.code))
                .collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_page_begins_at_the_newest_unless_told_otherwise() {
        let page = MessagePage::parse(None, &SPELLING).unwrap();
        assert_eq!((page.anchor, page.limit), (Anchor::Newest, 50));
        let id = MessageId::new(ID).unwrap();
        let uuid = SPELLING.uuid(id);
        for (query, anchor) in [
            (format!("before={ID}"), Anchor::Before(id)),
            (format!("after={uuid}&limit=3"), Anchor::After(id)),
            (format!("around={ID}&other=1"), Anchor::Around(id)),
        ] {
            assert_eq!(messages(&query).unwrap().anchor, anchor, "{query}");
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_query_is_said_at_once() {
        let wrong = |path: &str, code| (path.to_owned(), code);
        for (query, expected) in [
            (
                format!("before={ID}&after={ID}"),
                vec![wrong("", "exclusive")],
            ),
            (
                "before=x&limit=0".to_owned(),
                vec![
                    wrong("before", "invalid_id"),
                    wrong("limit", "out_of_range"),
                ],
            ),
            ("limit=101".to_owned(), vec![wrong("limit", "out_of_range")]),
            ("limit=".to_owned(), vec![wrong("limit", "out_of_range")]),
            ("before=".to_owned(), vec![wrong("before", "invalid_id")]),
            ("limit=-1".to_owned(), vec![wrong("limit", "out_of_range")]),
            (
                "limit=99999999999999999999".to_owned(),
                vec![wrong("limit", "out_of_range")],
            ),
            (
                "limit=5&limit=6".to_owned(),
                vec![wrong("limit", "duplicate")],
            ),
            ("before=0".to_owned(), vec![wrong("before", "invalid_id")]),
            (
                "around=18446744073709551616".to_owned(),
                vec![wrong("around", "invalid_id")],
            ),
            (
                "after=%FF%FE".to_owned(),
                vec![wrong("after", "invalid_id")],
            ),
        ] {
            assert_eq!(messages(&query).unwrap_err(), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_panics_or_passes_the_bounds(query in ".{0,200}") {
            if let Ok(page) = messages(&query) {
                prop_assert!((1..=PAGE_MESSAGES_MAX).contains(&page.limit));
            }
        }
    }
}
