//! What clients are told about limits: headers, and the answer 429.
//!
//! The headers are Discord's in both dialects. `Via` makes the family of discord.py wait and
//! repeat instead of giving up, and JDA hold back one route instead of all; `Retry-After` is a
//! whole number below 2^16 because twilight reads no other.

use axum::response::Response;
use guildhall_app::allowance::Taken;
use guildhall_model::Timestamp;
use guildhall_wire::Dialect;
use guildhall_wire::error::RateLimited;
use http::header::{HeaderName, RETRY_AFTER, VIA};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::reply::json_response;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RESET_AFTER: HeaderName = HeaderName::from_static("x-ratelimit-reset-after");
const BUCKET: HeaderName = HeaderName::from_static("x-ratelimit-bucket");
const SCOPE: HeaderName = HeaderName::from_static("x-ratelimit-scope");
const GLOBAL: HeaderName = HeaderName::from_static("x-ratelimit-global");

/// What web pages of other origins may read.
pub(crate) const HEADERS: [HeaderName; 7] =
    [LIMIT, REMAINING, RESET, RESET_AFTER, BUCKET, SCOPE, GLOBAL];

/// What was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The caller's share of a route.
    User,
    /// The caller's share of everything.
    Global,
}

/// The answer 429. The bucket's own headers are added by [`describe`].
pub(super) fn refusal(wait_ms: u64, scope: Scope, dialect: Dialect) -> Response {
    let limited = RateLimited {
        retry_after_ms: wait_ms,
        is_global: scope == Scope::Global,
    };
    let mut response = json_response(StatusCode::TOO_MANY_REQUESTS, limited.body(dialect));
    let headers = response.headers_mut();
    // Who waits for more than 18 hours comes too early and is told again.
    let seconds = u16::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u16::MAX);
    headers.insert(RETRY_AFTER, seconds.into());
    headers.insert(VIA, HeaderValue::from_static("1.1 guildhall"));
    let name = match scope {
        Scope::User => "user",
        Scope::Global => "global",
    };
    headers.insert(SCOPE, HeaderValue::from_static(name));
    if scope == Scope::Global {
        headers.insert(GLOBAL, HeaderValue::from_static("true"));
    }
    response
}

/// Tells how the bucket stands: it is whole again in `wait_ms`, which is at `resets_at`.
pub(super) fn describe(
    headers: &mut HeaderMap,
    taken: &Taken,
    wait_ms: u64,
    resets_at: Timestamp,
    bucket: &HeaderValue,
) {
    headers.insert(LIMIT, taken.limit.into());
    headers.insert(REMAINING, taken.remaining.into());
    headers.insert(RESET, seconds(resets_at.ms_since(Timestamp(0))));
    headers.insert(RESET_AFTER, seconds(wait_ms));
    headers.insert(BUCKET, bucket.clone());
}

/// Milliseconds as seconds with three decimals.
fn seconds(ms: u64) -> HeaderValue {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    HeaderValue::from_str(&text).expect("digits may stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_seconds_that_fit_sixteen_bits() {
        for (wait_ms, expected) in [
            (1, "1"),
            (1_000, "1"),
            (1_001, "2"),
            (24 * 3_600 * 1_000, "65535"),
        ] {
            let response = refusal(wait_ms, Scope::User, Dialect::Native);
            assert_eq!(response.headers()[RETRY_AFTER], expected);
        }
    }

    #[test]
    fn times_have_three_decimals() {
        assert_eq!(seconds(1_767_323_045_078), "1767323045.078");
        assert_eq!(seconds(5), "0.005");
    }
}
