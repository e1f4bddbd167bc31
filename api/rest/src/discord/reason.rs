//! Why something is done: the header `X-Audit-Log-Reason` of requests that change something.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guildhall_model::Rejection;
use guildhall_model::text::Reason;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode;

use crate::error::ApiError;
use crate::extract::Because;

const HEADER: HeaderName = HeaderName::from_static("x-audit-log-reason");
/// Where clients are told that it is wrong; the header's name would not read as a field's.
const PATH: &str = "reason";

/// Reads the reason of every write before its handler runs, so that one that is too long is
/// refused wherever it comes, and not only where somebody looks at it.
pub(super) async fn read(mut request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        match parse(request.headers().get(HEADER)) {
            Ok(reason) => request.extensions_mut().insert(Because(reason)),
            Err(rejection) => return ApiError::from(rejection).into_response(),
        };
    }
    next.run(request).await
}

/// Clients encode what does not fit into a header; what is no UTF-8 then is shown as such.
fn parse(header: Option<&HeaderValue>) -> Result<Option<Reason>, Rejection> {
    let Some(header) = header.filter(|header| !header.is_empty()) else {
        return Ok(None);
    };
    let text = percent_decode(header.as_bytes()).decode_utf8_lossy();
    let reason = Reason::parse(&text).map_err(|error| Rejection::Invalid(vec![error.at(PATH)]))?;
    Ok(Some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Option<String>, Rejection> {
        let reason = parse(Some(&HeaderValue::from_bytes(header.as_bytes()).unwrap()))?;
        Ok(reason.map(Into::into))
    }

    #[test]
    fn a_reason_is_decoded_and_counted_in_characters() {
        assert_eq!(read("spam%20%C3%BC").unwrap().as_deref(), Some("spam ü"));
        assert_eq!(read("100% plain").unwrap().as_deref(), Some("100% plain"));
        assert_eq!(read("").unwrap(), None);
        assert_eq!(parse(None).unwrap(), None);
        assert!(read(&"%C3%BC".repeat(512)).is_ok());
        assert!(read(&"%C3%BC".repeat(513)).is_err());
        assert!(read("a%00b").is_err());
        assert_eq!(read("%FF").unwrap().as_deref(), Some("\u{FFFD}"));
    }
}
