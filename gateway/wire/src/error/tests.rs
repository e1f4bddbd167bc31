//! Every error has one status, one code in each dialect, and a body of the documented shape.

use std::collections::BTreeSet;

use guildhall_model::Permissions;
use guildhall_model::rejection::Noun;
use serde_json::{Value, json};

use super::*;

const NOUNS: [Noun; 16] = [
    Noun::User,
    Noun::Guild,
    Noun::Channel,
    Noun::Message,
    Noun::Role,
    Noun::Member,
    Noun::Ban,
    Noun::Overwrite,
    Noun::Invite,
    Noun::Application,
    Noun::ApplicationCommand,
    Noun::Interaction,
    Noun::Webhook,
    Noun::Reaction,
    Noun::Emoji,
    Noun::Route,
];

/// The variant after this one. A new variant does not compile until it stands here.
fn next(rejection: Option<&Rejection>) -> Option<Rejection> {
    Some(match rejection {
        None => Rejection::Unauthenticated,
        Some(Rejection::Unauthenticated) => Rejection::WrongCredentials,
        Some(Rejection::WrongCredentials) => Rejection::WrongWebhookToken,
        Some(Rejection::WrongWebhookToken) => Rejection::Unknown(NOUNS[0]),
        Some(Rejection::Unknown(noun)) => match NOUNS.iter().position(|n| n == noun) {
            Some(at) if at + 1 < NOUNS.len() => Rejection::Unknown(NOUNS[at + 1]),
            _ => Rejection::MissingPermission(Permissions::VIEW_CHANNEL),
        },
        Some(Rejection::MissingPermission(Permissions::VIEW_CHANNEL)) => {
            Rejection::MissingPermission(Permissions::MANAGE_GUILD | Permissions::BAN_MEMBERS)
        }
        Some(Rejection::MissingPermission(_)) => Rejection::Outranked,
        Some(Rejection::Outranked) => Rejection::OwnerOnly,
        Some(Rejection::OwnerOnly) => Rejection::NotForBots,
        Some(Rejection::NotForBots) => Rejection::BotsOnly,
        Some(Rejection::BotsOnly) => Rejection::NotYourApplication,
        Some(Rejection::NotYourApplication) => Rejection::NotTheAuthor,
        Some(Rejection::NotTheAuthor) => Rejection::Banned,
        Some(Rejection::Banned) => Rejection::field("name", "too_short", "must be longer"),
        Some(Rejection::Invalid(_)) => Rejection::NoMessages,
        Some(Rejection::NoMessages) => Rejection::EmptyMessage,
        Some(Rejection::EmptyMessage) => Rejection::TooOld,
        Some(Rejection::TooOld) => Rejection::AlreadyAcknowledged,
        Some(Rejection::AlreadyAcknowledged) => Rejection::Taken("username"),
        Some(Rejection::Taken(_)) => Rejection::LimitReached {
            what: "roles",
            limit: 250,
        },
        Some(Rejection::LimitReached { .. }) => Rejection::Conflict("not now"),
        Some(Rejection::Conflict(_)) => Rejection::Overloaded,
        Some(Rejection::Overloaded) => return None,
    })
}

fn rejections() -> Vec<Rejection> {
    std::iter::successors(next(None), |last| next(Some(last))).collect()
}

fn parsed(problem: &Problem, dialect: Dialect) -> Value {
    serde_json::from_slice(&problem.body(dialect)).unwrap()
}

#[test]
fn every_error_has_a_body_in_both_dialects() {
    let rejected = rejections();
    let problems = rejected.iter().map(Problem::from);
    let problems: Vec<_> = problems
        .chain(ServiceError::ALL.map(Problem::from))
        .collect();
    assert_eq!(problems.len(), 37 + ServiceError::ALL.len());
    for problem in &problems {
        assert!((400..=507).contains(&problem.status), "{problem:?}");
        let snake = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(problem.code.chars().all(snake), "{problem:?}");
        let native = parsed(problem, Dialect::Native);
        assert_eq!(native["code"], problem.code);
        assert_eq!(native["message"], *problem.message);
        assert_eq!(native.get("errors").is_some(), !problem.fields.is_empty());
        let discord = parsed(problem, Dialect::Discord);
        assert_eq!(discord["code"], problem.discord_code);
        assert_eq!(discord["message"], *problem.message);
        assert_eq!(discord.get("errors").is_some(), !problem.fields.is_empty());
    }
    // Only the two ways to be overloaded share a code.
    let codes: BTreeSet<_> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes.len() + 1, problems.len());
}

#[test]
fn only_service_errors_and_overload_invite_a_retry() {
    for rejection in rejections() {
        let problem = Problem::from(&rejection);
        assert_eq!(problem.status >= 500, rejection == Rejection::Overloaded);
        assert_eq!(
            problem.retry_after_s.is_some(),
            rejection == Rejection::Overloaded
        );
    }
    assert_eq!(
        Problem::from(ServiceError::Unavailable).retry_after_s,
        Some(1)
    );
    assert_eq!(Problem::from(ServiceError::Internal).retry_after_s, None);
}

#[test]
fn the_numbers_that_libraries_switch_on_are_discords() {
    let code = |rejection: Rejection| Problem::from(&rejection).discord_code;
    for (noun, number) in [
        (Noun::Channel, 10_003),
        (Noun::Guild, 10_004),
        (Noun::Overwrite, 10_009),
        (Noun::Invite, 10_006),
        (Noun::Member, 10_007),
        (Noun::Message, 10_008),
        (Noun::Role, 10_011),
        (Noun::User, 10_013),
        (Noun::Webhook, 10_015),
        (Noun::Reaction, 10_014),
        (Noun::Ban, 10_026),
    ] {
        assert_eq!(code(Rejection::Unknown(noun)), number);
    }
    assert_eq!(
        code(Rejection::MissingPermission(Permissions::VIEW_CHANNEL)),
        50_001
    );
    assert_eq!(
        code(Rejection::MissingPermission(Permissions::KICK_MEMBERS)),
        50_013
    );
    assert_eq!(code(Rejection::WrongWebhookToken), 50_027);
    assert_eq!(code(Rejection::Banned), 40_007);
    assert_eq!(code(Rejection::Invalid(Vec::new())), 50_035);
    for (what, number) in [
        ("guilds", 30_001),
        ("roles", 30_005),
        ("channels", 30_013),
        ("webhooks", 30_007),
    ] {
        assert_eq!(code(Rejection::LimitReached { what, limit: 1 }), number);
    }
}

#[test]
fn an_unauthenticated_bot_is_told_in_discords_words() {
    let problem = Problem::from(&Rejection::Unauthenticated);
    assert_eq!(problem.status, 401);
    assert_eq!(
        parsed(&problem, Dialect::Discord),
        json!({"message": "401: Unauthorized", "code": 0})
    );
}

#[test]
fn discord_nests_errors_as_the_fields_are_nested() {
    let field = |path: &str, code| FieldError {
        path: path.to_owned(),
        code,
        message: "m".to_owned(),
    };
    let rejection = Rejection::Invalid(vec![
        field("name", "required"),
        field("overwrites.1.allow", "unknown_permission"),
        field("overwrites.1.deny", "too_long"),
        field("", "too_deep"),
        field("name", "too_short"),
    ]);
    let body = parsed(&Problem::from(&rejection), Dialect::Discord);
    let own = |code: &str| json!({"code": code, "message": "m"});
    assert_eq!(
        body["errors"],
        json!({
            "name": {"_errors": [own("BASE_TYPE_REQUIRED"), own("BASE_TYPE_BAD_LENGTH")]},
            "overwrites": {"1": {
                "allow": {"_errors": [own("UNKNOWN_PERMISSION")]},
                "deny": {"_errors": [own("BASE_TYPE_BAD_LENGTH")]},
            }},
            "_errors": [own("TOO_DEEP")],
        })
    );
}

#[test]
fn native_errors_list_their_fields() {
    let body = parsed(
        &Problem::from(&Rejection::field("name", "too_short", "must be longer")),
        Dialect::Native,
    );
    assert_eq!(
        body,
        json!({
            "code": "invalid_form",
            "message": "Invalid Form Body",
            "errors": [{"path": "name", "code": "too_short", "message": "must be longer"}],
        })
    );
}

#[test]
fn a_missing_permission_is_named() {
    let needed = Permissions::MANAGE_GUILD | Permissions::BAN_MEMBERS;
    let problem = Problem::from(&Rejection::MissingPermission(needed));
    assert_eq!(
        problem.message,
        "Missing Permissions: BAN_MEMBERS, MANAGE_SERVER"
    );
}

#[test]
fn json_is_labelled_without_a_charset() {
    assert_eq!(JSON_CONTENT_TYPE, "application/json");
}
