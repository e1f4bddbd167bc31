//! Files that are being received: written as they come, judged by how they begin.

use bytes::{Bytes, BytesMut};
use guildhall_host::Refused;
use guildhall_model::attachment::{Attachment, FileName};
use guildhall_model::limits::{ATTACHMENTS_MAX, UPLOAD_BYTES_MAX, UPLOAD_HEAD_BYTES_MAX};
use guildhall_model::{AttachmentId, ChannelId, Rejection};
use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobKey, BlobWriter, WriteError};
use tokio::sync::OwnedSemaphorePermit;

use super::media::{self, Media};
use crate::App;

/// Why a file was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UploadError {
    /// The files of the request are larger than one may be.
    #[error("more than {UPLOAD_BYTES_MAX} bytes")]
    TooLarge,
    /// As for every other request.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<Rejection> for UploadError {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.into())
    }
}

impl From<Failure> for UploadError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

impl From<WriteError> for UploadError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::TooLong { .. } => Self::TooLarge,
            WriteError::Failure(failure) => failure.into(),
        }
    }
}

/// What the sender says of one of its files, apart from the bytes.
#[derive(Clone, Debug, Default)]
pub struct FileNote {
    /// A name instead of the one that came with the bytes.
    pub filename: Option<String>,
    /// Shown instead of the name.
    pub title: Option<String>,
    /// For those who cannot see the content.
    pub description: Option<String>,
    /// Hide it until it is asked for.
    pub is_spoiler: bool,
}

/// The files of one request, on their way into a channel. Dropped unfinished, what it has stored
/// is swept away later; [`Self::abandon`] does it at once.
#[derive(Debug)]
pub struct Upload {
    app: App,
    channel: ChannelId,
    bytes_left: u64,
    files: Vec<Stored>,
    /// The file that is being received.
    open: Option<Open>,
    _place: OwnedSemaphorePermit,
}

/// A file whose bytes are all there.
#[derive(Debug)]
struct Stored {
    slot: u32,
    name: String,
    id: AttachmentId,
    size: u32,
    media: Media,
}

struct Open {
    slot: u32,
    name: String,
    declared: Option<String>,
    id: AttachmentId,
    size: u64,
    /// The beginning, until it is long enough to be judged.
    head: BytesMut,
    /// The rest's way into the store, once the beginning is judged.
    writer: Option<(Box<dyn BlobWriter>, Media)>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Upload {
    pub(super) fn new(app: App, channel: ChannelId, place: OwnedSemaphorePermit) -> Self {
        Self {
            app,
            channel,
            bytes_left: UPLOAD_BYTES_MAX,
            files: Vec::new(),
            open: None,
            _place: place,
        }
    }

    /// Begins the next file; the one before must have ended. `slot` is the number under which the
    /// sender speaks of it, `declared` the media type that it says.
    pub fn begin_file(
        &mut self,
        slot: u32,
        name: &str,
        declared: Option<&str>,
    ) -> Result<(), UploadError> {
        if self.files.len() >= ATTACHMENTS_MAX {
            let why = format!("must be at most {ATTACHMENTS_MAX} files");
            return Err(Rejection::field("attachments", "too_many", why).into());
        }
        if self.files.iter().any(|file| file.slot == slot) {
            let why = "must be there once";
            return Err(Rejection::field(&format!("files.{slot}"), "repeated", why).into());
        }
        self.open = Some(Open {
            slot,
            name: name.to_owned(),
            declared: declared.map(str::to_owned),
            id: self.app.node().mint(),
            size: 0,
            head: BytesMut::new(),
            writer: None,
        });
        Ok(())
    }

    /// Takes the next bytes of the file that was begun. No more of it is held in memory than its
    /// beginning.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), UploadError> {
        let Some(open) = &mut self.open else {
            return Err(Failure::unavailable("upload", "no file was begun").into());
        };
        let length = bytes.len() as u64;
        if self.bytes_left < length {
            return Err(UploadError::TooLarge);
        }
        self.bytes_left -= length;
        open.size += length;
        if let Some((writer, _)) = &mut open.writer {
            return Ok(writer.write(bytes).await?);
        }
        open.head.extend_from_slice(&bytes);
        if open.head.len() >= UPLOAD_HEAD_BYTES_MAX {
            open.judge(&self.app).await?;
        }
        Ok(())
    }

    /// Ends the file that was begun.
    pub async fn end_file(&mut self) -> Result<(), UploadError> {
        let Some(mut open) = self.open.take() else {
            return Err(Failure::unavailable("upload", "no file was begun").into());
        };
        if open.writer.is_none() {
            open.judge(&self.app).await?;
        }
        let Some((writer, media)) = open.writer else {
            return Err(Failure::unavailable("upload", "a file was not stored").into());
        };
        // Before it can be refused: what is finished must be found when the upload is abandoned.
        self.files.push(Stored {
            slot: open.slot,
            name: open.name,
            id: open.id,
            size: u32::try_from(open.size).map_err(|_| UploadError::TooLarge)?,
            media,
        });
        writer.finish().await?;
        Ok(())
    }

    /// The numbers of the files that are stored, as their sender counts them.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.files.iter().map(|file| file.slot)
    }

    /// All files in the order of their numbers, with what their sender says of them. They wait for
    /// their message now.
    pub fn finish(mut self, mut note: impl FnMut(u32) -> FileNote) -> Vec<Attachment> {
        self.files.sort_by_key(|file| file.slot);
        let files = std::mem::take(&mut self.files);
        files
            .into_iter()
            .map(|file| self.attachment(file.slot, file, &mut note))
            .collect()
    }

    /// Gives up, and deletes what is stored.
    pub async fn abandon(mut self) {
        // Dropping the open one leaves nothing behind.
        self.open = None;
        let keys = self.files.iter().map(|file| BlobKey::upload(file.id));
        super::delete(&self.app, keys).await;
    }

    fn attachment(
        &self,
        slot: u32,
        file: Stored,
        note: &mut impl FnMut(u32) -> FileNote,
    ) -> Attachment {
        let note = note(slot);
        let said = note.filename.as_deref().unwrap_or(&file.name);
        let mut filename = FileName::clean(said);
        if note.is_spoiler {
            filename = filename.into_spoiler();
        }
        let own_title = || title_of(said, &filename);
        Attachment {
            id: file.id,
            title: note.title.or_else(own_title),
            description: note.description,
            content_type: file.media.media_type,
            size: file.size,
            dimensions: file.media.dimensions,
            is_spoiler: filename.is_spoiler(),
            signature: self
                .app
                .file_links()
                .sign(self.channel, file.id, filename.as_str()),
            filename,
        }
    }
}

/// The name as its author has it, where it could not be kept.
fn title_of(said: &str, filename: &FileName) -> Option<String> {
    use guildhall_model::limits::FILE_TITLE_CHARS_MAX;
    let kept = filename.as_str();
    let kept = kept.strip_prefix("SPOILER_").unwrap_or(kept);
    if said == kept || said == filename.as_str() {
        return None;
    }
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last
        .chars()
        .filter(|c| !c.is_control())
        .take(FILE_TITLE_CHARS_MAX)
        .collect();
    let shown = shown.trim();
    (!shown.is_empty() && shown != kept).then(|| shown.to_owned())
}

impl Open {
    /// Judges the beginning and opens the way into the store, with the beginning on it.
    async fn judge(&mut self, app: &App) -> Result<(), UploadError> {
        let head = std::mem::take(&mut self.head).freeze();
        let name = FileName::clean(&self.name);
        let media = media::judge(&head, self.declared.as_deref(), &name);
        let key = BlobKey::upload(self.id);
        let put = app.blobs().put(key, &media.media_type, UPLOAD_BYTES_MAX);
        let mut writer = put.await?;
        writer.write(head).await?;
        self.writer = Some((writer, media));
        Ok(())
    }
}
