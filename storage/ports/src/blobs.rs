//! Blobs: the bytes of files, under keys of our own.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use guildhall_model::picture::PictureHash;
use guildhall_model::{AttachmentId, EmojiId};

use crate::error::Failure;

/// Bytes of the longest media type that a store keeps.
pub const MEDIA_TYPE_BYTES_MAX: usize = guildhall_model::limits::MEDIA_TYPE_BYTES_MAX;

/// What a blob is for. Each kind has a space of keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlobKind {
    /// A file that waits for its message. What waits too long is swept away.
    Upload,
    /// A file of a message.
    Attachment,
    /// A picture of a user or guild.
    Picture,
    /// The picture of a guild's own emoji.
    Emoji,
}

impl BlobKind {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Upload, Self::Attachment, Self::Picture, Self::Emoji];

    /// The name of the kind's folder or prefix: lower-case letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upload => "uploads",
            Self::Attachment => "attachments",
            Self::Picture => "pictures",
            Self::Emoji => "emojis",
        }
    }
}

/// Names a blob: a kind and a number of ours. Nothing that a client says is ever part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey {
    kind: BlobKind,
    number: u64,
}

impl BlobKey {
    /// A file that waits for its message.
    pub const fn upload(id: AttachmentId) -> Self {
        Self::new(BlobKind::Upload, id.get())
    }

    /// A file of a message.
    pub const fn attachment(id: AttachmentId) -> Self {
        Self::new(BlobKind::Attachment, id.get())
    }

    /// A picture of the user or guild with this number. Its code is unguessable, so that nobody can
    /// make two of the same first half; who is named as its owner by mistake has none.
    pub const fn picture(owner: u64, hash: PictureHash) -> Self {
        let upper = (u128::from_be_bytes(hash.code) >> 64) as u64;
        Self::new(BlobKind::Picture, upper ^ owner)
    }

    /// The picture of an emoji.
    pub const fn emoji(id: EmojiId) -> Self {
        Self::new(BlobKind::Emoji, id.get())
    }

    /// For adapters, which read keys back from names.
    pub const fn new(kind: BlobKind, number: u64) -> Self {
        Self { kind, number }
    }

    /// What the blob is for.
    pub const fn kind(self) -> BlobKind {
        self.kind
    }

    /// Which one of its kind.
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:016x}", self.kind.name(), self.number)
    }
}

/// What a store says of a blob without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Bytes.
    pub length: u64,
    /// The media type that the blob was put with.
    pub media_type: String,
}

/// A blob that is being read.
pub struct OpenBlob {
    /// The whole blob, whichever part is read.
    pub info: BlobInfo,
    /// The bytes that were asked for, in order, in pieces of bounded size. It ends early only with
    /// a failure.
    pub bytes: BoxStream<'static, Result<Bytes, Failure>>,
}

impl fmt::Debug for OpenBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBlob")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// Why bytes were not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    /// More bytes than the writer was opened for.
    #[error("more than {max} bytes")]
    TooLong {
        /// How many were allowed.
        max: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Keeps files. A blob is written once and then there as a whole, or it is not there at all.
#[async_trait]
pub trait Blobs: fmt::Debug + Send + Sync {
    /// Begins to write a blob of at most `bytes_max` bytes. Nobody sees it before
    /// [`BlobWriter::finish`], which replaces what may stand under the key. A media type over
    /// [`MEDIA_TYPE_BYTES_MAX`] is a mistake of the caller's and refused as `Unavailable`.
    async fn put(
        &self,
        key: BlobKey,
        media_type: &str,
        bytes_max: u64,
    ) -> Result<Box<dyn BlobWriter>, Failure>;

    /// What is known of a blob.
    async fn info(&self, key: BlobKey) -> Result<Option<BlobInfo>, Failure>;

    /// Reads the part of a blob that lies in `range`; what of the range is beyond the end is left
    /// out. Whoever reads goes on reading though the blob is moved or deleted meanwhile.
    async fn open(&self, key: BlobKey, range: Range<u64>) -> Result<Option<OpenBlob>, Failure>;

    /// Gives a blob another key and replaces what may stand there. Tells whether there was one.
    /// When this returns the move is durable; when it fails the blob is under one of the two keys
    /// or under both.
    async fn rename(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure>;

    /// Deletes a blob, if there is one.
    async fn delete(&self, key: BlobKey) -> Result<(), Failure>;

    /// The blobs of a kind with the smallest numbers, rising, at most `limit`.
    async fn list(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure>;
}

/// A blob that is being written. One that is dropped unfinished leaves nothing behind.
#[async_trait]
pub trait BlobWriter: Send {
    /// Appends bytes. After an error nothing more is taken and the blob cannot be finished.
    async fn write(&mut self, bytes: Bytes) -> Result<(), WriteError>;

    /// Makes the blob durable and then visible. Answers its length.
    async fn finish(self: Box<Self>) -> Result<u64, WriteError>;
}
