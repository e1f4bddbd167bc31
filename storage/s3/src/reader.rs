//! Reads the part of an object that is asked for, as it arrives.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use guildhall_ports::Failure;
use guildhall_ports::blobs::BlobKey;
use tokio::time::timeout;

use crate::error::{ENGINE, innermost};

/// How long a reader who wants more bytes waits for the next ones.
const PIECE: Duration = Duration::from_secs(15);
/// The highest place that engines understand.
const PLACE_MAX: u64 = i64::MAX as u64;

/// The header that asks for a range, `None` for the whole. The range is not empty and begins below
/// [`PLACE_MAX`].
pub(crate) fn header(range: &Range<u64>) -> Option<String> {
    let (start, end) = (range.start, range.end);
    match (start, end) {
        (0, PLACE_MAX..) => None,
        (_, PLACE_MAX..) => Some(format!("bytes={start}-")),
        _ => Some(format!("bytes={start}-{}", end.saturating_sub(1))),
    }
}

/// Whether a range can hold any byte.
pub(crate) const fn is_empty(range: &Range<u64>) -> bool {
    range.end <= range.start || PLACE_MAX <= range.start
}

/// The length of the whole object and how many bytes are coming, if they are those of the range.
pub(crate) fn lengths(answer: &GetObjectOutput, range: &Range<u64>) -> Option<(u64, u64)> {
    let coming = u64::try_from(answer.content_length()?).ok()?;
    let (first, whole) = match answer.content_range() {
        None => (0, coming),
        Some(part) => place(part)?,
    };
    let wanted = range.end.min(whole).checked_sub(range.start)?;
    (first == range.start && coming == wanted).then_some((whole, coming))
}

/// The first byte and the length of the whole in `bytes FIRST-LAST/WHOLE`.
fn place(part: &str) -> Option<(u64, u64)> {
    let (part, whole) = part.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = part.split_once('-')?;
    Some((first.parse().ok()?, whole.parse().ok()?))
}

/// The bytes that are coming.
pub(crate) fn pieces(
    body: ByteStream,
    key: BlobKey,
    coming: u64,
) -> BoxStream<'static, Result<Bytes, Failure>> {
    stream::unfold(Some((body, coming)), move |state| async move {
        let (mut body, left) = state?;
        if left == 0 {
            return None;
        }
        match next(&mut body, key, left).await {
            Ok((piece, left)) => Some((Ok(piece), Some((body, left)))),
            Err(failure) => Some((Err(failure), None)),
        }
    })
    .boxed()
}

/// The next bytes, and how many are left behind them.
async fn next(body: &mut ByteStream, key: BlobKey, left: u64) -> Result<(Bytes, u64), Failure> {
    let cut_off = |why: &str| Failure::unavailable(ENGINE, format!("{key} was cut off: {why}"));
    let came = timeout(PIECE, body.next()).await;
    let came = came.map_err(|_| cut_off(&format!("no bytes within {} s", PIECE.as_secs())))?;
    let came = came.ok_or_else(|| cut_off("the answer is shorter than it says"))?;
    let piece = came.map_err(|error| cut_off(&innermost(&error)))?;
    let left = left.checked_sub(piece.len() as u64);
    let left = left.ok_or_else(|| cut_off("the answer is longer than it says"))?;
    Ok((piece, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_asks_for_its_bytes_in_numbers_that_engines_understand() {
        for (range, asked) in [
            (0..u64::MAX, None),
            (0..PLACE_MAX, None),
            (0..1, Some("bytes=0-0")),
            (5..17, Some("bytes=5-16")),
            (5..u64::MAX, Some("bytes=5-")),
        ] {
            assert_eq!(header(&range).as_deref(), asked);
        }
        assert!(is_empty(&(0..0)));
        assert!(is_empty(&(u64::MAX - 1..u64::MAX)));
        assert!(!is_empty(&(0..1)));
    }

    #[test]
    fn an_answer_with_other_bytes_than_the_ranges_is_none() {
        let answer = |length: i64, part: Option<&str>| {
            GetObjectOutput::builder()
                .content_length(length)
                .set_content_range(part.map(str::to_owned))
                .build()
        };
        let part = Some("bytes 5-9/10");
        assert_eq!(lengths(&answer(5, part), &(5..u64::MAX)), Some((10, 5)));
        assert_eq!(lengths(&answer(5, part), &(5..10)), Some((10, 5)));
        assert_eq!(lengths(&answer(10, None), &(0..u64::MAX)), Some((10, 10)));
        assert_eq!(lengths(&answer(10, None), &(0..10)), Some((10, 10)));
        for (length, part, range) in [
            (10, None, 5..10),
            (10, None, 0..9),
            (5, part, 4..10),
            (5, part, 5..9),
            (6, part, 5..10),
            (5, Some("bytes 5-9/*"), 5..10),
            (5, Some("5-9/10"), 5..10),
            (-1, None, 0..u64::MAX),
            (3, Some("bytes 5-7/4"), 5..8),
        ] {
            assert_eq!(lengths(&answer(length, part), &range), None, "{range:?}");
        }
    }
}
