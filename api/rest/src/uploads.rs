//! Requests with files: `multipart/form-data` as Discord documents it, with the JSON in
//! `payload_json` and the files in `files[n]`.
//!
//! Nothing of a file is held but its beginning and the piece that has just come: pieces are as
//! large as the socket gives them, the next one is not asked for before the last one is written.

mod heads;
mod paced;

use std::time::Duration;

use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use guildhall_app::Refused;
use guildhall_app::uploads::{FileNote, Upload, UploadError};
use guildhall_model::attachment::Attachment;
use guildhall_model::limits::{
    BODY_BYTES_MAX, UPLOAD_BYTES_MAX, UPLOAD_FIELDS_MAX, UPLOAD_FRAMING_BYTES_MAX,
    UPLOAD_READ_MS_MAX, UPLOAD_STALL_MS_MAX,
};
use guildhall_wire::discord::upload::{self as wire, read_notes};
use guildhall_wire::error::ServiceError;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::timeout;

use crate::body::require_plain;
use crate::error::ApiError;
use heads::Part;
use paced::{Allowance, Paced};

/// Bytes of a whole request.
const REQUEST_BYTES_MAX: u64 = UPLOAD_BYTES_MAX + BODY_BYTES_MAX as u64 + UPLOAD_FRAMING_BYTES_MAX;
/// RFC 2046 §5.1.1.
const BOUNDARY_CHARS_MAX: usize = 70;

/// A request with files, all of which are stored and wait for their message. Whoever has one hands
/// its files to `Uploads::posting` or to `Uploads::discard`.
#[derive(Clone, Debug)]
pub struct Received {
    /// The JSON of the request; empty if there is none.
    pub payload: Bytes,
    /// In the order of their numbers.
    pub files: Vec<Attachment>,
    /// The entries of `attachments` that speak of no file of this request, if the JSON has such a
    /// list: in an edit those are the files that the message keeps, in a new message a mistake.
    pub others: Option<Vec<wire::FileNote>>,
}

/// The request says that it brings files.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = declared.and_then(|declared| declared.split(';').next());
    media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// Receives a request with files into an upload, which is begun before anything of the body is read:
/// that is where it is asked whether the caller may post. What is stored is deleted if the request
/// is refused.
pub async fn receive(
    upload: impl Future<Output = Result<Upload, Refused>>,
    request: Request,
) -> Result<Received, ApiError> {
    let headers = request.headers();
    require_plain(headers)?;
    let boundary = boundary(headers)?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| REQUEST_BYTES_MAX < length) {
        return Err(too_large());
    }
    let mut upload = upload.await?;
    let whole = Duration::from_millis(UPLOAD_READ_MS_MAX);
    let read = timeout(whole, read(&mut upload, request, boundary)).await;
    let read = read.unwrap_or(Err(ApiError::FormBroken("took too long")));
    let noted = read.and_then(|payload| Ok((read_notes(&payload)?, payload)));
    let (notes, payload) = match noted {
        Ok(noted) => noted,
        Err(error) => {
            upload.abandon().await;
            return Err(error);
        }
    };
    let slots: Vec<u64> = upload.slots().map(u64::from).collect();
    let (of_files, others): (Vec<_>, Vec<_>) = notes
        .iter()
        .flatten()
        .cloned()
        .partition(|note| slots.contains(&note.id));
    Ok(Received {
        payload,
        files: upload.finish(|slot| note_of(&of_files, slot)),
        others: notes.map(|_| others),
    })
}

fn note_of(notes: &[wire::FileNote], slot: u32) -> FileNote {
    let note = notes.iter().find(|note| note.id == u64::from(slot));
    let note = note.cloned().unwrap_or_default();
    FileNote {
        filename: note.filename,
        title: note.title,
        description: note.description,
        is_spoiler: note.is_spoiler,
    }
}

fn boundary(headers: &HeaderMap) -> Result<String, ApiError> {
    if !is_multipart(headers) {
        return Err(ApiError::Service(ServiceError::UnsupportedMediaType));
    }
    let declared = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let boundary = declared.and_then(|declared| multer::parse_boundary(declared).ok());
    boundary
        .filter(|boundary| (1..=BOUNDARY_CHARS_MAX).contains(&boundary.len()))
        .ok_or(ApiError::FormBroken("has no boundary"))
}

/// Reads all parts; files go into the upload, the JSON is the answer.
async fn read(upload: &mut Upload, request: Request, boundary: String) -> Result<Bytes, ApiError> {
    let (body, allowance) = Paced::new(request.into_body().into_data_stream());
    let limit = SizeLimit::new().whole_stream(REQUEST_BYTES_MAX);
    let constraints = Constraints::new().size_limit(limit);
    let mut parts = Multipart::with_constraints(body, boundary, constraints);
    let (mut payload, mut others) = (None, 0);
    loop {
        allowance.for_head();
        let next = in_time(parts.next_field()).await;
        let Some(mut field) = next.map_err(|error| excuse(&error, &allowance))? else {
            return Ok(payload.unwrap_or_default());
        };
        allowance.lift();
        match heads::part(&field) {
            Part::File { slot, name } => {
                let declared = field.content_type().map(ToString::to_string);
                upload
                    .begin_file(slot, &name, declared.as_deref())
                    .map_err(refused)?;
                while let Some(piece) = piece(&mut field).await? {
                    upload.write(piece).await.map_err(refused)?;
                }
                upload.end_file().await.map_err(refused)?;
            }
            Part::Payload if payload.is_some() => {
                return Err(ApiError::FormBroken("has payload_json twice"));
            }
            Part::Payload => payload = Some(collect(&mut field).await?),
            // Nothing that we know of, and small enough to be passed over.
            Part::Other => {
                others += 1;
                if UPLOAD_FIELDS_MAX < others {
                    return Err(ApiError::FormBroken("has too many parts"));
                }
                collect(&mut field).await?;
            }
        }
    }
}

async fn collect(field: &mut Field<'_>) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = piece(field).await? {
        if BODY_BYTES_MAX < bytes.len() + piece.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

async fn piece(field: &mut Field<'_>) -> Result<Option<Bytes>, ApiError> {
    in_time(field.chunk()).await.map_err(|error| broken(&error))
}

/// A client that sends nothing for too long has gone.
async fn in_time<T>(
    read: impl Future<Output = Result<T, multer::Error>>,
) -> Result<T, multer::Error> {
    let stalled = Duration::from_millis(UPLOAD_STALL_MS_MAX);
    let read = timeout(stalled, read).await;
    read.unwrap_or(Err(multer::Error::IncompleteStream))
}

/// The head of a part may be refused for its length, which the parser cannot know.
fn excuse(error: &multer::Error, allowance: &Allowance) -> ApiError {
    if allowance.is_exhausted() {
        ApiError::FormBroken("has a part whose head is too long")
    } else {
        broken(error)
    }
}

fn broken(error: &multer::Error) -> ApiError {
    use multer::Error;
    match error {
        Error::StreamSizeExceeded { .. } | Error::FieldSizeExceeded { .. } => too_large(),
        Error::ReadHeaderFailed(_)
        | Error::DecodeHeaderName { .. }
        | Error::DecodeHeaderValue { .. }
        | Error::IncompleteHeaders => ApiError::FormBroken("has a part whose head is wrong"),
        _ => ApiError::FormBroken("broke off"),
    }
}

fn refused(error: UploadError) -> ApiError {
    match error {
        UploadError::TooLarge => too_large(),
        UploadError::Refused(refused) => refused.into(),
    }
}

const fn too_large() -> ApiError {
    ApiError::Service(ServiceError::PayloadTooLarge)
}
