//! Files by their address. The address is the credential: it holds a signature that only this
//! installation can make, or names a picture, which everybody may see. So these routes have no
//! row in `app::authorize`.
//!
//! Whatever was uploaded, nothing of it runs: a browser is told a type that it only shows or only
//! stores, not to guess another, and to lock the page up if it makes one of it.

mod pictures;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use guildhall_app::uploads::FoundFile;
use guildhall_model::rejection::Noun;
use guildhall_model::{AttachmentId, ChannelId, Rejection};
use guildhall_wire::file_url::{self, ATTACHMENT_PATH, SIGNATURE_PARAMETER};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Api;
use crate::error::ApiError;
use crate::path::{FileNameText, Path};
use crate::range::{self, Wanted};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// A file never changes under its address.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const LOCKED_UP: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
);
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
/// Shown in place: nothing of these types can run.
const SHOWN: [&str; 16] = [
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "audio/x-wav",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
];

/// The routes of files.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route(ATTACHMENT_PATH, get(get_attachment))
        .merge(pictures::routes())
}

async fn get_attachment(
    State(api): State<Api>,
    path: Result<Path<(ChannelId, AttachmentId, FileNameText)>, ApiError>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // All that is wrong with an address is answered alike.
    let unknown = || ApiError::from(Rejection::Unknown(Noun::Route));
    let Path((channel, id, FileNameText(name))) = path.map_err(|_| unknown())?;
    let query = query.unwrap_or_default();
    let signature = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == SIGNATURE_PARAMETER)
        .and_then(|(_, text)| file_url::signature(&text))
        .ok_or_else(unknown)?;
    let uploads = api.app.uploads();
    let found = uploads.find(channel, id, &name, signature).await;
    let file = found.map_err(ApiError::from)?.ok_or_else(unknown)?;
    let tag = format!("\"{:x}\"", id.get());
    answer(&file, &headers, &tag, &name).await
}

/// The file, or what of it is asked for, under an address that never shows another.
async fn answer(
    file: &FoundFile,
    headers: &HeaderMap,
    tag: &str,
    name: &str,
) -> Result<Response, ApiError> {
    let mut response = if is_known(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let wanted = range::read(asked_range(headers, tag), file.length);
        let content = content(file, wanted).await?;
        let mut response = content.ok_or(Rejection::Unknown(Noun::Route))?;
        describe(response.headers_mut(), &file.media_type, name)?;
        response
    };
    let fields = response.headers_mut();
    fields.insert(ETAG, value(tag)?);
    fields.insert(CACHE_CONTROL, FOREVER);
    fields.insert(CONTENT_SECURITY_POLICY, LOCKED_UP);
    // Pages of other origins show our files, as they show those of any file server.
    fields.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// The bytes that are wanted, with what says which they are.
async fn content(file: &FoundFile, wanted: Wanted) -> Result<Option<Response>, ApiError> {
    let length = file.length;
    let (status, range) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let part = match status {
        StatusCode::OK => None,
        StatusCode::PARTIAL_CONTENT => {
            Some(format!("bytes {}-{}/{length}", range.start, range.end - 1))
        }
        _ => Some(format!("bytes */{length}")),
    };
    let count = range.end - range.start;
    let Some(bytes) = file.read(range).await? else {
        return Ok(None);
    };
    let mut response = Response::new(Body::from_stream(bytes));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_LENGTH, HeaderValue::from(count));
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(part) = part {
        fields.insert(CONTENT_RANGE, value(&part)?);
    }
    Ok(Some(response))
}

/// Says what the file is to be taken for, and what it is called.
fn describe(fields: &mut HeaderMap, media_type: &str, name: &str) -> Result<(), ApiError> {
    let (served, disposition) = served_as(media_type);
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(served));
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii() { c } else { '_' })
        .collect();
    // RFC 6266: the first name is for those who do not read the second.
    let exact = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("{disposition}; filename=\"{plain}\"; filename*=UTF-8''{exact}");
    fields.insert(CONTENT_DISPOSITION, value(&disposition)?);
    Ok(())
}

/// The type that a browser is told, and whether it may show it in place.
fn served_as(media_type: &str) -> (&'static str, &'static str) {
    if let Some(shown) = SHOWN.iter().find(|shown| **shown == media_type) {
        return (shown, "inline");
    }
    // Text stays readable for programs, whatever language it is in.
    let is_text = media_type.starts_with("text/")
        || media_type.ends_with("+xml")
        || media_type.ends_with("+json")
        || matches!(
            media_type,
            "application/json"
                | "application/javascript"
                | "application/ecmascript"
                | "application/x-javascript"
                | "application/xml"
        );
    (if is_text { TEXT } else { BYTES }, "attachment")
}

/// The client has the file already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = known
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    known.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

/// The range that is asked for, unless it is one of another file.
fn asked_range<'a>(headers: &'a HeaderMap, tag: &str) -> Option<&'a str> {
    let is_of_this = headers
        .get(IF_RANGE)
        .is_none_or(|field| field.as_bytes() == tag.as_bytes());
    let range = headers.get(RANGE).filter(|_| is_of_this)?;
    range.to_str().ok()
}

fn value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_is_never_told_to() {
        for media_type in [
            "text/html",
            "text/javascript",
            "application/javascript",
            "application/xhtml+xml",
            "image/svg+xml",
            "application/xml",
            "text/css",
        ] {
            assert_eq!(served_as(media_type), (TEXT, "attachment"), "{media_type}");
        }
        for media_type in [
            "application/x-shockwave-flash",
            "application/pdf",
            "image/png+html",
            "image/avif",
            "audio/x-scpls",
            "",
        ] {
            assert_eq!(served_as(media_type), (BYTES, "attachment"), "{media_type}");
        }
        assert_eq!(served_as("image/png"), ("image/png", "inline"));
    }
}
