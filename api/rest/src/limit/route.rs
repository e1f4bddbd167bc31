//! What a route is to the limits: its class, its name as a bucket, and what it counts apart.

use guildhall_app::authorize::Method;
use guildhall_wire::Dialect;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::discord;

/// Where the Discord dialect is; one route under each of them is the same route.
const DISCORD_PREFIXES: [&str; 3] = ["/api/v10", "/api/v9", "/api"];
/// What names the one who calls by a webhook.
const TOKEN: &str = "/{webhook_token}";
/// The same for the first answer to an interaction.
const INTERACTION_TOKEN: &str = "/{interaction_token}";
/// Bytes of a bucket's name: as many as Discord's have.
const NAME_BYTES: usize = 16;

/// Routes that share a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Messages,
    Reactions,
    SignIn,
    Others,
}

/// One route, as it was registered.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    class: Class,
    key: u64,
    has_major: bool,
    has_token: bool,
    /// What clients know the bucket by. It tells nothing about who calls or what is named: clients
    /// add that themselves.
    pub(super) bucket: HeaderValue,
}

impl Route {
    /// The route of this method and template, with or without a prefix of the Discord dialect.
    pub(crate) fn new(method: Method, template: &str) -> Self {
        let template = without_prefix(template).unwrap_or(template);
        let digest = Sha256::digest(format!("{method:?} {template}"));
        let number = |bytes| {
            let first = digest.iter().take(bytes);
            first.fold(0_u128, |number, &byte| number << 8 | u128::from(byte))
        };
        let name = format!("{:032x}", number(NAME_BYTES));
        Self {
            class: class(method, template),
            key: u64::try_from(number(8)).unwrap_or(u64::MAX),
            has_major: has_major(template),
            has_token: template.contains(TOKEN) || template.contains(INTERACTION_TOKEN),
            bucket: HeaderValue::from_str(&name).expect("hex digits may stand in a header"),
        }
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }

    pub(super) const fn key(&self) -> u64 {
        self.key
    }

    /// The path begins with a channel, guild or webhook, each of which is counted apart.
    pub(super) const fn has_major(&self) -> bool {
        self.has_major
    }

    /// The path goes on with a webhook's token, which stands for who calls.
    pub(super) const fn has_token(&self) -> bool {
        self.has_token
    }
}

/// The dialect that a path is asked in.
pub(super) fn dialect(path: &str) -> Dialect {
    if discord::serves(path) {
        Dialect::Discord
    } else {
        Dialect::Native
    }
}

/// A number for a text that tells nothing about it.
pub(super) fn number_of(text: &str) -> u64 {
    let digest = Sha256::digest(text);
    let first = digest.iter().take(8);
    first.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn without_prefix(path: &str) -> Option<&str> {
    let rests = DISCORD_PREFIXES.iter().filter_map(|prefix| {
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    });
    rests.min_by_key(|rest| rest.len())
}

fn class(method: Method, template: &str) -> Class {
    if template.starts_with("/auth/") {
        Class::SignIn
    } else if method == Method::Post
        && (template.ends_with("/messages") || template.ends_with(TOKEN))
    {
        Class::Messages
    } else if method != Method::Get && template.contains("/reactions") {
        Class::Reactions
    } else {
        Class::Others
    }
}

fn has_major(template: &str) -> bool {
    let mut segments = template.split('/').skip(1);
    let first = segments.next().unwrap_or_default();
    let is_counted_apart = ["channels", "servers", "guilds", "webhooks", "dm"].contains(&first);
    is_counted_apart && segments.next().is_some_and(|next| next.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = "/channels/{channel_id}/messages";

    #[test]
    fn one_route_under_three_prefixes_is_one_bucket() {
        let plain = Route::new(Method::Post, MESSAGES);
        for prefix in DISCORD_PREFIXES {
            let route = Route::new(Method::Post, &format!("{prefix}{MESSAGES}"));
            assert_eq!((route.key, &route.bucket), (plain.key, &plain.bucket));
            assert_eq!((route.class, route.has_major), (Class::Messages, true));
        }
        assert_ne!(Route::new(Method::Get, MESSAGES).key, plain.key);
        assert_ne!(Route::new(Method::Post, "/apish/x").key, plain.key);
    }

    #[test]
    fn paths_below_api_are_asked_in_the_discord_dialect() {
        for (path, expected) in [
            ("/api/v10/users/@me", Dialect::Discord),
            ("/api/v9/users/@me", Dialect::Discord),
            ("/api/users/@me", Dialect::Discord),
            ("/users/me", Dialect::Native),
            ("/apiary", Dialect::Native),
        ] {
            assert_eq!(dialect(path), expected, "{path}");
        }
    }

    #[test]
    fn routes_have_the_class_of_what_they_do() {
        for (method, template, expected) in [
            (Method::Post, MESSAGES, Class::Messages),
            (Method::Post, "/dm/{user_id}/messages", Class::Messages),
            (Method::Get, MESSAGES, Class::Others),
            (
                Method::Put,
                "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
                Class::Reactions,
            ),
            (
                Method::Get,
                "/messages/{message_id}/reactions",
                Class::Others,
            ),
            (
                Method::Post,
                "/webhooks/{webhook_id}/{webhook_token}",
                Class::Messages,
            ),
            (Method::Post, "/auth/login", Class::SignIn),
            (Method::Get, "/users/me", Class::Others),
        ] {
            assert_eq!(class(method, template), expected, "{method:?} {template}");
        }
    }

    #[test]
    fn only_what_a_path_begins_with_is_counted_apart() {
        assert!(has_major("/servers/{server_id}/members/{user_id}"));
        assert!(has_major("/webhooks/{webhook_id}/{token}"));
        assert!(!has_major("/servers") && !has_major("/messages/{message_id}"));
        assert!(!has_major("/users/{user_id}"));
    }
}
