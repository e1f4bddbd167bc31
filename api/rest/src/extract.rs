//! Who calls: put into the request by the row of the route, taken out by its handler.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guildhall_app::authorize::{Proof, Row};
use guildhall_app::{Context, Presented};
use guildhall_model::Rejection;
use guildhall_model::text::Reason;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::ApiError;

/// The authenticated caller.
#[derive(Clone, Debug)]
pub(crate) struct Ctx(pub(crate) Context);

/// The reason that came with a request of the Discord dialect.
#[derive(Clone, Debug)]
pub(crate) struct Because(pub(crate) Option<Reason>);

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // A handler that asks who calls, on a route that lets everybody in, gets nobody.
        let ctx: Option<&Self> = parts.extensions.get();
        let Self(ctx) = ctx.cloned().ok_or(Rejection::Unauthenticated)?;
        let because: Option<&Because> = parts.extensions.get();
        let reason = because.and_then(|Because(reason)| reason.clone());
        Ok(Self(ctx.because(reason)))
    }
}

/// Lets a request through to its handler if it brings what the row asks for. The body has not
/// been read by then.
pub(crate) async fn guard(
    State((app, row)): State<(guildhall_app::App, &'static Row)>,
    mut request: Request,
    next: Next,
) -> Response {
    let proof = row.need.proof();
    if proof != Proof::Nothing {
        match authenticate(&app, request.headers(), proof).await {
            Ok(ctx) => request.extensions_mut().insert(Ctx(ctx)),
            Err(error) => return error.into_response(),
        };
    }
    next.run(request).await
}

async fn authenticate(
    app: &guildhall_app::App,
    headers: &HeaderMap,
    proof: Proof,
) -> Result<Context, ApiError> {
    let presented = presented(headers).ok_or(Rejection::Unauthenticated)?;
    let ctx = app.authenticate(&presented).await?;
    if proof == Proof::Person {
        ctx.require_person()?;
    }
    if proof == Proof::Bot {
        ctx.require_bot()?;
    }
    Ok(ctx)
}

/// Two credentials are as good as none: it would depend on us which one counts.
fn presented(headers: &HeaderMap) -> Option<Presented> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    Presented::parse(value.to_str().ok()?)
}
