//! What IDENTIFY, RESUME and op 8 ask the use cases for.

use guildhall_app::session_starts::StartRefused;
use guildhall_app::sessions::{MembersRequest, NewSession, Which};
use guildhall_app::{Presented, Refused};
use guildhall_host::node::ResumeError;
use guildhall_host::session::SessionHandle;
use guildhall_model::{NodeId, Rejection};
use guildhall_wire::CloseCode;
use guildhall_wire::gateway::{Identify, MemberFilter, RequestMembers, Resume};
use tracing::{debug, warn};

use crate::gateway::Gateway;

/// What became of IDENTIFY or RESUME.
pub(super) enum Opened {
    Session {
        handle: Box<SessionHandle>,
        is_resumed: bool,
    },
    /// Op 9, d: false.
    Invalid,
    /// That node holds the session.
    Elsewhere(NodeId),
    Close(CloseCode),
}

/// IDENTIFY: who asks, what for, and a session for it.
pub(super) async fn open(gateway: Gateway, identify: Box<Identify>, version: u8) -> Opened {
    if gateway.is_draining() {
        return Opened::Close(CloseCode::ServiceRestart);
    }
    let app = gateway.app();
    let ctx = match app
        .authenticate(&Presented::bare(identify.token.reveal()))
        .await
    {
        Ok(ctx) => ctx,
        Err(refused) => return Opened::Close(code_of(&refused)),
    };
    let intents = match identify.intents_for(&ctx.caller.credential) {
        Ok(intents) => intents,
        Err(error) => return Opened::Close(error.close_code()),
    };
    match app.count_session_start(&ctx).await {
        Ok(()) => {}
        Err(StartRefused::TooFast) => return Opened::Invalid,
        Err(StartRefused::DayIsUsedUp) => return Opened::Close(CloseCode::RateLimited),
    }
    let status = identify.presence.map(|presence| presence.status);
    match app
        .open_session(
            &ctx,
            NewSession {
                intents,
                large_threshold: identify.large_threshold,
                shard: identify.shard,
                status,
                version,
            },
        )
        .await
    {
        Ok(handle) => Opened::Session {
            handle: Box::new(handle),
            is_resumed: false,
        },
        Err(refused) => Opened::Close(code_of(&refused)),
    }
}

/// RESUME: the same caller, and a session that can be continued exactly.
pub(super) async fn take_back(gateway: Gateway, resume: Box<Resume>) -> Opened {
    // A node that goes away would only send the client on again.
    if gateway.is_draining() {
        return Opened::Close(CloseCode::ServiceRestart);
    }
    let app = gateway.app();
    let ctx = match app
        .authenticate(&Presented::bare(resume.token.reveal()))
        .await
    {
        Ok(ctx) => ctx,
        Err(refused) => return Opened::Close(code_of(&refused)),
    };
    match app
        .resume_session(&ctx, &resume.session_id, resume.seq)
        .await
    {
        Ok(handle) => Opened::Session {
            handle: Box::new(handle),
            is_resumed: true,
        },
        Err(ResumeError::Refusal(refusal)) => {
            debug!(%refusal, "a session is not resumed");
            Opened::Invalid
        }
        Err(ResumeError::Failure(failure)) => {
            warn!(%failure, "a session could not be resumed");
            Opened::Close(CloseCode::UnknownError)
        }
        Err(ResumeError::Elsewhere(node)) => Opened::Elsewhere(node),
    }
}

fn code_of(refused: &Refused) -> CloseCode {
    match refused {
        Refused::Rejection(Rejection::Unauthenticated) => CloseCode::AuthenticationFailed,
        Refused::Rejection(Rejection::LimitReached {
            what: "guilds per shard",
            ..
        }) => CloseCode::ShardingRequired,
        Refused::Rejection(Rejection::LimitReached { .. }) => CloseCode::RateLimited,
        Refused::Rejection(_) => CloseCode::UnknownError,
        Refused::Failure(failure) => {
            warn!(%failure, "a session could not be opened");
            CloseCode::UnknownError
        }
    }
}

/// A request whose ids mean something here. Unknown users are answered as not found only where
/// their ids could exist.
pub(super) fn members_request(
    gateway: &Gateway,
    request: RequestMembers,
) -> Option<MembersRequest> {
    let spelling = gateway.spelling();
    let which = match request.filter {
        MemberFilter::Ids(ids) => {
            Which::Ids(ids.iter().filter_map(|id| spelling.parse(id)).collect())
        }
        MemberFilter::Prefix { query, limit } => Which::Prefix(query, limit),
    };
    let guild_id = spelling.parse(&request.guild_id)?;
    Some(MembersRequest {
        guild_id,
        which,
        presences: request.presences,
        nonce: request.nonce,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_session_closes_with_the_code_that_clients_act_on() {
        let limit = |what| Rejection::LimitReached { what, limit: 1 };
        for (rejection, code) in [
            (Rejection::Unauthenticated, CloseCode::AuthenticationFailed),
            (limit("guilds per shard"), CloseCode::ShardingRequired),
            (limit("sessions"), CloseCode::RateLimited),
            (Rejection::Overloaded, CloseCode::UnknownError),
        ] {
            assert_eq!(code_of(&rejection.into()), code);
        }
    }
}
