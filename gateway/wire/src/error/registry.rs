//! The table: one line for each rejection and service error.
//!
//! Discord's numbers: <https://discord.com/developers/docs/topics/opcodes-and-status-codes>

use guildhall_model::rejection::{FieldError, Noun};
use guildhall_model::{Permissions, Rejection};

use super::{Problem, ServiceError};
use crate::native::NativePermissions;

/// Discord's error without a number of its own.
const GENERAL: u32 = 0;
const MISSING_ACCESS: u32 = 50_001;
const MISSING_PERMISSIONS: u32 = 50_013;
const INVALID_FORM: u32 = 50_035;
const INVALID_JSON: u32 = 50_109;
const OVERLOADED: u32 = 130_000;

pub(super) fn rejection(rejection: &Rejection) -> Problem {
    match rejection {
        Rejection::Unauthenticated => {
            Problem::new(401, "unauthenticated", GENERAL, "401: Unauthorized")
        }
        Rejection::WrongCredentials => {
            let why = "Name or password is wrong";
            Problem::new(401, "wrong_credentials", GENERAL, why)
        }
        Rejection::WrongWebhookToken => {
            Problem::new(401, "wrong_webhook_token", 50_027, "Invalid Webhook Token")
        }
        Rejection::Unknown(noun) => unknown(*noun),
        Rejection::MissingPermission(needed) => missing(*needed),
        Rejection::Outranked => {
            let why = "The role or member is not below your highest role";
            Problem::new(403, "outranked", MISSING_PERMISSIONS, why)
        }
        Rejection::OwnerOnly => {
            let why = "This is reserved to the owner";
            Problem::new(403, "owner_only", MISSING_PERMISSIONS, why)
        }
        Rejection::NotForBots => {
            Problem::new(403, "not_for_bots", 20_001, "Bots cannot use this endpoint")
        }
        Rejection::BotsOnly => {
            Problem::new(403, "bots_only", 20_002, "Only bots can use this endpoint")
        }
        Rejection::NotYourApplication => {
            let why = "You are not authorized to perform this action on this application";
            Problem::new(403, "not_your_application", 20_012, why)
        }
        Rejection::NotTheAuthor => {
            let why = "Cannot edit a message authored by another user";
            Problem::new(403, "not_the_author", 50_005, why)
        }
        Rejection::Banned => {
            Problem::new(403, "banned", 40_007, "The user is banned from this guild")
        }
        Rejection::Invalid(fields) => invalid(fields),
        Rejection::Taken(what) => taken(what),
        Rejection::LimitReached { what, limit } => {
            let message = format!("Maximum number of {what} reached ({limit})");
            Problem::new(400, "limit_reached", limit_code(what), message)
        }
        Rejection::NoMessages => {
            let why = "Cannot send messages in a non-text channel";
            Problem::new(400, "no_messages", 50_008, why)
        }
        Rejection::EmptyMessage => {
            Problem::new(400, "empty_message", 50_006, "Cannot send an empty message")
        }
        Rejection::TooOld => {
            let why = "You can only bulk delete messages that are under 14 days old";
            Problem::new(400, "too_old", 50_034, why)
        }
        Rejection::AlreadyAcknowledged => {
            let why = "Interaction has already been acknowledged.";
            Problem::new(400, "already_acknowledged", 40_060, why)
        }
        Rejection::Conflict(why) => Problem::new(409, "conflict", GENERAL, *why),
        Rejection::Overloaded => service(ServiceError::Overloaded),
    }
}

pub(super) fn service(error: ServiceError) -> Problem {
    match error {
        ServiceError::Unavailable => {
            Problem::new(503, "unavailable", GENERAL, "503: Service Unavailable").retried()
        }
        ServiceError::Overloaded => Problem::new(
            503,
            "overloaded",
            OVERLOADED,
            "Too many requests wait already; try again a little later",
        )
        .retried(),
        ServiceError::Internal => {
            Problem::new(500, "internal", GENERAL, "500: Internal Server Error")
        }
        ServiceError::PayloadTooLarge => {
            Problem::new(413, "payload_too_large", 40_005, "Request entity too large")
        }
        ServiceError::UnsupportedMediaType => Problem::new(
            415,
            "unsupported_media_type",
            GENERAL,
            "The body must have the content type application/json",
        ),
        ServiceError::MethodNotAllowed => Problem::new(
            405,
            "method_not_allowed",
            GENERAL,
            "405: Method Not Allowed",
        ),
        ServiceError::StorageFull => {
            Problem::new(507, "storage_full", GENERAL, "507: Insufficient Storage")
        }
    }
}

fn unknown(noun: Noun) -> Problem {
    let (code, discord_code, message) = match noun {
        Noun::User => ("unknown_user", 10_013, "Unknown User"),
        Noun::Guild => ("unknown_server", 10_004, "Unknown Guild"),
        Noun::Channel => ("unknown_channel", 10_003, "Unknown Channel"),
        Noun::Message => ("unknown_message", 10_008, "Unknown Message"),
        Noun::Role => ("unknown_role", 10_011, "Unknown Role"),
        Noun::Member => ("unknown_member", 10_007, "Unknown Member"),
        Noun::Ban => ("unknown_ban", 10_026, "Unknown Ban"),
        Noun::Overwrite => ("unknown_overwrite", 10_009, "Unknown permission overwrite"),
        Noun::Invite => ("unknown_invite", 10_006, "Unknown Invite"),
        Noun::Application => ("unknown_application", 10_002, "Unknown Application"),
        Noun::ApplicationCommand => ("unknown_command", 10_063, "Unknown application command"),
        Noun::Webhook => ("unknown_webhook", 10_015, "Unknown Webhook"),
        Noun::Interaction => ("unknown_interaction", 10_062, "Unknown interaction"),
        Noun::Reaction => ("unknown_reaction", 10_014, "Unknown Emoji"),
        Noun::Emoji => ("unknown_emoji", 10_014, "Unknown Emoji"),
        Noun::Route => ("unknown_route", GENERAL, "404: Not Found"),
    };
    Problem::new(404, code, discord_code, message)
}

/// Who may not even view a channel lacks access; who may, lacks a permission.
fn missing(needed: Permissions) -> Problem {
    if needed == Permissions::VIEW_CHANNEL {
        return Problem::new(403, "missing_access", MISSING_ACCESS, "Missing Access");
    }
    let names: Vec<_> = NativePermissions::names(needed).collect();
    let message = format!("Missing Permissions: {}", names.join(", "));
    Problem::new(403, "missing_permission", MISSING_PERMISSIONS, message)
}

fn invalid(fields: &[FieldError]) -> Problem {
    // What the reader of bytes finds concerns the body as a whole; no field of it is known.
    let is_json = !matches!(fields, [field] if field.code == "invalid_json");
    let mut problem = if is_json {
        Problem::new(400, "invalid_form", INVALID_FORM, "Invalid Form Body")
    } else {
        Problem::new(
            400,
            "invalid_json",
            INVALID_JSON,
            "The request body contains invalid JSON.",
        )
    };
    problem.fields = fields.to_vec();
    problem
}

fn taken(what: &'static str) -> Problem {
    let mut problem = Problem::new(409, "taken", INVALID_FORM, format!("The {what} is taken"));
    problem.fields = vec![FieldError {
        path: what.to_owned(),
        code: "taken",
        message: "is taken".to_owned(),
    }];
    problem
}

fn limit_code(what: &str) -> u32 {
    match what {
        "guilds" => 30_001,
        "roles" => 30_005,
        "pins" => 30_003,
        "webhooks" => 30_007,
        "emojis" => 30_008,
        "reactions" => 30_010,
        "channels" => 30_013,
        "commands" => 30_032,
        "invites" => 30_016,
        "overwrites" => 30_060,
        _ => GENERAL,
    }
}
