//! A body that comes no faster than it is read.
//!
//! The parser takes all that is there before it looks at any of it. So a body that is always
//! there would be held whole, and a head without an end would be searched from its beginning
//! again and again. This one gives a piece at a time, and no more for a head than is allowed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::BoxError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use guildhall_model::limits::UPLOAD_FRAMING_BYTES_MAX;

/// Bytes of a piece at most.
const PIECE_BYTES: usize = 64 * 1024;

/// How many bytes may still come.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// As many as the head of a part may need. What comes with it is as good as two pieces: the
    /// parser asks for one before it looks at what it has, and the head may end within another.
    pub(super) fn for_head(&self) {
        self.set(UPLOAD_FRAMING_BYTES_MAX + 2 * PIECE_BYTES as u64);
    }

    fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// As many as the request may have.
    pub(super) fn lift(&self) {
        self.set(u64::MAX);
    }

    /// More would have come than was allowed.
    pub(super) fn is_exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed);
        self.set(left.saturating_sub(bytes as u64));
        if self.is_exhausted() {
            Err(io::Error::other("more than is allowed"))
        } else {
            Ok(())
        }
    }
}

/// The body, piece by piece.
pub(super) struct Paced<S> {
    body: S,
    allowance: Allowance,
    /// What is left of a piece that was too large.
    rest: Bytes,
    /// A piece was given; the reader is to look at it before there is another.
    is_given: bool,
}

impl<S> Paced<S> {
    pub(super) fn new(body: S) -> (Self, Allowance) {
        let allowance = Allowance(Arc::new(AtomicU64::new(0)));
        let paced = Self {
            body,
            allowance: allowance.clone(),
            rest: Bytes::new(),
            is_given: false,
        };
        (paced, allowance)
    }
}

impl<S, E> Stream for Paced<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_given {
            self.is_given = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            self.rest = match ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            };
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        self.is_given = true;
        let allowed = self.allowance.take(piece.len());
        Poll::Ready(Some(allowed.map(|()| piece).map_err(BoxError::from)))
    }
}
