//! How often callers may call: per route and channel, per caller, and per address.
//!
//! A caller who brings a credential is counted by who it is, anybody else by its address; in buckets
//! whoever shows a webhook's token is counted by that. Nodes of a cluster may count together;
//! otherwise what is counted is only on this node and only in memory, and a restart forgives.

mod address;
mod answer;
mod rates;
mod route;

use std::fmt;
use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use guildhall_app::allowance::{Shared, Taken};
use guildhall_app::{Env, Quotas};
use guildhall_model::account::Credential;
use guildhall_model::{Id, Rate, Timestamp};
use guildhall_wire::{Dialect, Spelling};
use http::StatusCode;

use crate::extract::Ctx;
use address::{Client, client};
pub(crate) use answer::HEADERS;
use answer::Scope;
pub use rates::Limits;
pub(crate) use route::Route;

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Principal {
    User(u64),
    Address(Client),
    /// Whoever shows this token of a webhook, wherever from: a number made of it.
    Token(u64),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Address(client) => write!(f, "address:{client}"),
            Self::Token(number) => write!(f, "token:{number:016x}"),
        }
    }
}

/// Whose requests of one kind are counted together: Discord's bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Bucket {
    route: u64,
    /// The channel, guild or webhook that the path begins with; 0 for none.
    major: u64,
    principal: Principal,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}:{}:{}", self.route, self.major, self.principal)
    }
}

/// The limits of a node. A clone is the same one.
#[derive(Clone, Debug)]
pub(crate) struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    spelling: Spelling,
    env: Env,
    buckets: Shared<Bucket>,
    callers: Shared<Principal>,
    refused: Shared<Client>,
}

impl Limiter {
    /// Counts on this node, and with the others where there is something that counts for all.
    pub(crate) fn new(
        limits: Limits,
        spelling: Spelling,
        env: Env,
        all: Option<Arc<dyn Quotas>>,
    ) -> Self {
        Self(Arc::new(Inner {
            limits,
            spelling,
            env,
            buckets: Shared::new("bucket", all.clone()),
            callers: Shared::new("caller", all.clone()),
            refused: Shared::new("refused", all),
        }))
    }

    fn now(&self) -> Timestamp {
        self.0.env.steady()
    }

    fn principal(&self, request: &Request) -> (Principal, Option<Rate>) {
        let limits = &self.0.limits;
        let Some(Ctx(ctx)) = request.extensions().get::<Ctx>() else {
            let client = client(request, limits.proxies);
            return (Principal::Address(client), limits.addresses);
        };
        let rate = match ctx.caller.credential {
            Credential::Bot { .. } => limits.bots,
            Credential::Login(_) => limits.people,
        };
        (Principal::User(ctx.user_id().get()), rate)
    }

    /// The channel, guild or webhook that the path names, whichever way it is spelled.
    fn major(&self, route: &Route, params: Option<&RawPathParams>) -> u64 {
        let params = params.filter(|_| route.has_major());
        let text = params.and_then(|params| Some(params.iter().next()?.1));
        let id = text.and_then(|text| self.0.spelling.parse::<()>(text));
        id.map_or(0, Id::get)
    }

    /// Whom a bucket is for, where the path itself says who calls.
    fn holder(route: &Route, params: Option<&RawPathParams>) -> Option<Principal> {
        let params = params.filter(|_| route.has_token())?;
        let (_, token) = params.iter().nth(1)?;
        Some(Principal::Token(route::number_of(token)))
    }

    fn refusal(&self, taken: Taken, scope: Scope, dialect: Dialect) -> Response {
        let wait_ms = taken.ends_at.ms_since(self.now());
        answer::refusal(wait_ms, scope, dialect)
    }
}

/// The dialect that a request is made in. Within a nested router only the template has the prefix.
fn dialect(request: &Request) -> Dialect {
    let template = request.extensions().get::<MatchedPath>();
    route::dialect(template.map_or(request.uri().path(), MatchedPath::as_str))
}

/// Lets a request of this route through to its handler unless its bucket, or its caller's global
/// allowance, is used up. Who calls is known by then; the body has not been read.
pub(crate) async fn bounded(
    State((limiter, route)): State<(Limiter, Arc<Route>)>,
    // What cannot be read is the handler's to answer.
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let dialect = dialect(&request);
    let (principal, overall) = limiter.principal(&request);
    if let Some(rate) = overall {
        // What the route refuses below is counted here all the same: who hammers a route that is
        // closed to it is held off altogether before long.
        let callers = &limiter.0.callers;
        let taken = callers.take(principal, rate, &limiter.0.env).await;
        if !taken.is_allowed {
            return limiter.refusal(taken, Scope::Global, dialect);
        }
    }
    let Some(rate) = limiter.0.limits.of(route.class()) else {
        return next.run(request).await;
    };
    let params = params.as_ref().ok();
    let bucket = Bucket {
        route: route.key(),
        major: limiter.major(&route, params),
        principal: Limiter::holder(&route, params).unwrap_or(principal),
    };
    let buckets = &limiter.0.buckets;
    let taken = buckets.take(bucket, rate, &limiter.0.env).await;
    let mut response = if taken.is_allowed {
        next.run(request).await
    } else {
        limiter.refusal(taken, Scope::User, dialect)
    };
    let wait_ms = taken.ends_at.ms_since(limiter.now());
    let resets_at = limiter.0.env.now().plus_ms(wait_ms.cast_signed());
    answer::describe(
        response.headers_mut(),
        &taken,
        wait_ms,
        resets_at,
        &route.bucket,
    );
    response
}

/// Turns away, before anything is looked up, the addresses whose requests were refused too often:
/// who guesses tokens, or does not heed 429, costs no more than this.
pub(crate) async fn heeded(
    State(limiter): State<Limiter>,
    request: Request,
    next: Next,
) -> Response {
    let Some(rate) = limiter.0.limits.refusals else {
        return next.run(request).await;
    };
    let client = client(&request, limiter.0.limits.proxies);
    let (refused, env) = (&limiter.0.refused, &limiter.0.env);
    let taken = refused.look(&client, rate, env);
    if !taken.is_allowed {
        let dialect = dialect(&request);
        return limiter.refusal(taken, Scope::Global, dialect);
    }
    let response = next.run(request).await;
    if matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    ) {
        refused.take(client, rate, env).await;
    }
    response
}
