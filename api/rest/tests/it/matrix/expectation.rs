//! What a row promises to each kind of caller.

use guildhall_app::authorize::{Need, Proof, Row};
use guildhall_model::rejection::Noun;

use super::stage::{Actor, Which};

/// The answer that a row promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// It is done.
    Allowed,
    /// A status and one of these codes.
    Refused(u16, &'static [&'static str]),
}

use Expected::{Allowed, Refused};

const FORBIDDEN: Expected = Refused(
    403,
    &[
        "missing_permission",
        "outranked",
        "owner_only",
        "not_the_author",
    ],
);

pub(super) fn expected(row: &Row, which: Which, actor: Actor) -> Expected {
    let proof = row.need.proof();
    if proof != Proof::Nothing && actor == Actor::Anonymous {
        return Refused(401, &["unauthenticated"]);
    }
    if proof == Proof::Person && actor == Actor::Bot {
        return Refused(403, &["not_for_bots"]);
    }
    if proof == Proof::Bot && actor != Actor::Bot {
        return Refused(403, &["bots_only"]);
    }
    if row.need == Need::OwnApplication {
        return of_application(row, which);
    }
    let seen_as = match which {
        Which::Own => actor,
        Which::Deleted => return hidden(row.hidden),
        // A token is good for whoever shows it, but an application that is not there answers nothing.
        Which::Foreign if row.hidden == Noun::Interaction => return hidden(row.hidden),
        Which::Foreign => Actor::Stranger,
    };
    // The guild of the stage is public where that matters, the other one is not.
    let is_public = which == Which::Own;
    match row.need {
        Need::Nobody | Need::Token | Need::Anyone | Need::Person | Need::Bot => Allowed,
        Need::Preview => match seen_as {
            Actor::Stranger if is_public => Allowed,
            Actor::Stranger | Actor::Banned => hidden(row.hidden),
            _ => Allowed,
        },
        Need::Entry => match seen_as {
            Actor::Stranger if !is_public => hidden(row.hidden),
            Actor::Banned => Refused(403, &["banned"]),
            _ => Allowed,
        },
        need => of_member(row, need, seen_as),
    }
}

/// What the bot of the application gets, where the route names its own and another one.
fn of_application(row: &Row, which: Which) -> Expected {
    let is_in_guild = row.path.contains("{guild_id}");
    let is_about_one = row.path.contains("{command_id}");
    match which {
        Which::Own => Allowed,
        Which::Foreign | Which::Deleted if is_in_guild => hidden(row.hidden),
        Which::Deleted if is_about_one => hidden(row.hidden),
        Which::Foreign | Which::Deleted => Refused(403, &["not_your_application"]),
    }
}

/// Needs that begin with a membership.
fn of_member(row: &Row, need: Need, actor: Actor) -> Expected {
    if matches!(actor, Actor::Stranger | Actor::Banned | Actor::Hidden) {
        return hidden(row.hidden);
    }
    let is_allowed = match need {
        Need::MemberButOwner if actor == Actor::Owner => return Refused(409, &["conflict"]),
        Need::Member | Need::MemberButOwner => true,
        Need::Owner => actor == Actor::Owner,
        Need::Author => actor == Actor::Target,
        Need::OwnOr(_) => actor == Actor::Target || actor.holds(),
        Need::Viewer(needed) | Need::PersonWho(needed) if needed.is_empty() => true,
        Need::MemberWith(_) | Need::PersonWith(_) | Need::Viewer(_) | Need::PersonWho(_) => {
            actor.holds()
        }
        Need::Above(_) => actor.holds() && actor != Actor::Lower,
        Need::SelfOrAbove { .. } => {
            actor == Actor::Target || (actor.holds() && actor != Actor::Lower)
        }
        _ => unreachable!("decided before"),
    };
    if is_allowed { Allowed } else { FORBIDDEN }
}

fn hidden(noun: Noun) -> Expected {
    let codes: &[&str] = match noun {
        Noun::Guild => &["unknown_server"],
        Noun::Channel => &["unknown_channel"],
        Noun::Message => &["unknown_message"],
        Noun::Role => &["unknown_role"],
        Noun::Invite => &["unknown_invite"],
        Noun::User => &["unknown_user"],
        Noun::ApplicationCommand => &["unknown_command"],
        Noun::Webhook => &["unknown_webhook"],
        Noun::Interaction => &["unknown_interaction"],
        other => panic!("no row hides behind {other:?}"),
    };
    Refused(404, codes)
}

/// Discord's number for a code of ours.
pub(super) fn number(code: &str) -> u64 {
    match code {
        "unauthenticated" | "conflict" => 0,
        "unknown_channel" => 10_003,
        "unknown_server" => 10_004,
        "unknown_invite" => 10_006,
        "unknown_user" => 10_013,
        "unknown_command" => 10_063,
        "unknown_webhook" => 10_015,
        "unknown_interaction" => 10_062,
        "bots_only" => 20_002,
        "not_your_application" => 20_012,
        "not_the_author" => 50_005,
        "missing_permission" | "outranked" | "owner_only" => 50_013,
        other => panic!("no row of Discord's promises {other}"),
    }
}
