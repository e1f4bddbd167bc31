//! What the engine's errors mean to the callers of the port.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use guildhall_ports::Failure;

/// What failures call the engine.
pub(crate) const ENGINE: &str = "S3";
/// Characters of the engine's own words that are passed on.
const WORDS_MAX: usize = 200;

/// Why a request was not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// There is no such object, or not even its bucket.
    Absent,
    /// No byte of the object lies in the range that was asked for.
    OutOfRange,
    /// Anything else.
    Failure(Failure),
}

/// Sorts an error by what the caller can do about it.
pub(crate) fn refusal<E>(error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            refused(status, answer.err().code(), answer.err().message())
        }
        SdkError::TimeoutError(_) => late(),
        SdkError::DispatchFailure(way) if way.is_timeout() => late(),
        SdkError::DispatchFailure(way) => {
            let cause = way.as_connector_error().map(|error| innermost(error));
            let cause = cause.unwrap_or_default();
            unavailable(format!("it cannot be reached: {cause}"))
        }
        SdkError::ResponseError(_) => unavailable("its answer cannot be read".to_owned()),
        _ => unavailable("no request to its address can be made".to_owned()),
    }
}

/// As [`refusal`], where an object need not be there.
pub(crate) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata,
{
    match refusal(error) {
        Refusal::Failure(failure) => failure,
        Refusal::Absent => Failure::unavailable(ENGINE, "it does not know what it was given"),
        Refusal::OutOfRange => Failure::unavailable(ENGINE, "it refuses a range without need"),
    }
}

/// The codes are listed in
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; an answer without a body
/// has none.
fn refused(status: u16, code: Option<&str>, words: Option<&str>) -> Refusal {
    let name = code.map_or_else(|| status.to_string(), str::to_owned);
    match (status, code) {
        (_, Some("NoSuchBucket")) => Refusal::Failure(missing_bucket()),
        (_, Some("NoSuchKey")) | (404, None | Some("NotFound")) => Refusal::Absent,
        (416, _) => Refusal::OutOfRange,
        (_, Some("QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage")) | (507, _) => {
            Refusal::Failure(Failure::Full { what: ENGINE })
        }
        // What it says may repeat what it was given.
        (401 | 403, _) => unavailable(format!(
            "it refuses our keys, what they may do, or bytes that changed on the way ({name})"
        )),
        _ => {
            let words: String = words.unwrap_or_default().chars().take(WORDS_MAX).collect();
            unavailable(format!("{words} ({name})"))
        }
    }
}

/// Nothing is there before an operator has made it.
pub(crate) fn missing_bucket() -> Failure {
    Failure::unavailable(
        ENGINE,
        "its bucket is missing: make it, or mend the address",
    )
}

/// The last of an error's causes, which says what happened.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string().chars().take(WORDS_MAX).collect()
}

fn late() -> Refusal {
    unavailable("no answer in time".to_owned())
}

fn unavailable(why: String) -> Refusal {
    Refusal::Failure(Failure::unavailable(ENGINE, why))
}
