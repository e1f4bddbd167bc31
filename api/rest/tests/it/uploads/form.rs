//! Bodies of `multipart/form-data`, and what becomes of them.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use guildhall_model::ChannelId;
use guildhall_rest::uploads::{Received, receive};
use serde_json::Value;

use crate::harness::{Caller, House};

pub(crate) const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";
pub(super) const FORM_TYPE: &str = "multipart/form-data; boundary=XbX";

/// A body that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn part(mut self, head: &str, content: &[u8]) -> Self {
        self.0.extend_from_slice(b"--XbX\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(b"\r\n\r\n");
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn file(self, n: usize, name: &str, media_type: &str, content: &[u8]) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"files[{n}]\"; filename=\"{name}\"\r\n\
             Content-Type: {media_type}"
        );
        self.part(&head, content)
    }

    pub(crate) fn json(self, payload: &Value) -> Self {
        let head = "Content-Disposition: form-data; name=\"payload_json\"\r\n\
             Content-Type: application/json";
        self.part(head, payload.to_string().as_bytes())
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"--XbX--\r\n");
        self.0
    }

    /// What comes before the end.
    pub(super) fn open(self) -> Vec<u8> {
        self.0
    }
}

pub(crate) fn channel_of(house: &House, channel: &str) -> ChannelId {
    house.spelling.parse(channel).unwrap()
}

/// Sends a request whose type and body are as given.
pub(super) async fn send(
    house: &House,
    who: &Caller,
    channel: &str,
    (media_type, body): (&str, Body),
) -> Result<Received, (u16, Value)> {
    let request = Request::post("/").header(CONTENT_TYPE, media_type);
    let request = request.body(body).unwrap();
    let ctx = house.ctx(who).await;
    let uploads = house.app.uploads();
    let upload = uploads.begin(&ctx, channel_of(house, channel));
    let received = receive(upload, request).await;
    match received {
        Ok(received) => Ok(received),
        Err(error) => {
            let (parts, body) = error.into_response().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let body = serde_json::from_slice(&body).unwrap();
            Err((parts.status.as_u16(), body))
        }
    }
}

pub(crate) async fn upload(
    house: &House,
    who: &Caller,
    channel: &str,
    body: impl Into<Body>,
) -> Result<Received, (u16, Value)> {
    send(house, who, channel, (FORM_TYPE, body.into())).await
}

/// Refuses every outcome but this error, with nothing left in the store.
#[track_caller]
pub(super) fn refused(
    house: &House,
    outcome: Result<Received, (u16, Value)>,
    status: u16,
    code: &str,
) -> Value {
    let (got, body) = outcome.unwrap_err();
    assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(house.blobs.keys(), []);
    body
}
