//! Pictures of users, guilds, webhooks and emojis: stored under a name of their own, and found by it.
//!
//! A picture is stored before the change that names it is committed, so a node that is killed in
//! between leaves one that nothing names. One that is replaced stays: messages keep showing their
//! authors as they were.

use bytes::Bytes;
use guildhall_host::Refused;
use guildhall_model::EmojiId;
use guildhall_model::picture::{Image, ImageFormat, Picture, PictureHash};
use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobKey, WriteError};

use crate::App;
use crate::uploads::FoundFile;

/// The use cases around pictures.
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    app: &'a App,
}

impl App {
    /// The use cases around pictures.
    pub const fn pictures(&self) -> Pictures<'_> {
        Pictures { app: self }
    }
}

impl Pictures<'_> {
    /// A picture of the user, guild or webhook with this number. There are no secrets in pictures: whoever
    /// has the address may see one.
    pub async fn find(&self, owner: u64, hash: PictureHash) -> Result<Option<FoundFile>, Failure> {
        let found = FoundFile::at(self.app, BlobKey::picture(owner, hash)).await?;
        let is_animated = |file: &FoundFile| file.media_type == ImageFormat::Gif.media_type();
        Ok(found.filter(|file| is_animated(file) == hash.is_animated))
    }

    /// The picture of an emoji. It outlives the emoji, which reactions go on showing.
    pub async fn find_emoji(&self, id: EmojiId) -> Result<Option<FoundFile>, Failure> {
        FoundFile::at(self.app, BlobKey::emoji(id)).await
    }

    /// Stores a picture of the user, guild or webhook with this number, unless it is there already.
    pub(crate) async fn store(&self, owner: u64, image: Image) -> Result<Picture, Refused> {
        let hash = PictureHash {
            code: self.app.file_links().picture_code(owner, image.bytes()),
            is_animated: image.is_animated(),
        };
        let key = BlobKey::picture(owner, hash);
        if self.app.blobs().info(key).await?.is_none() {
            self.put(key, image).await?;
        }
        Ok(Picture::Stored(hash))
    }

    /// Stores the picture of an emoji that is about to be made.
    pub(crate) async fn store_emoji(&self, id: EmojiId, image: Image) -> Result<(), Refused> {
        self.put(BlobKey::emoji(id), image).await?;
        Ok(())
    }

    /// Deletes the picture of an emoji that was not made. One that cannot be deleted takes room
    /// and nothing else.
    pub(crate) async fn discard_emoji(&self, id: EmojiId) {
        if let Err(failure) = self.app.blobs().delete(BlobKey::emoji(id)).await {
            tracing::warn!(error = %failure, "a picture was not deleted: {failure}");
        }
    }

    async fn put(&self, key: BlobKey, image: Image) -> Result<(), Failure> {
        let media_type = image.format().media_type();
        let bytes = Bytes::from(image.into_bytes());
        let length = bytes.len() as u64;
        let mut writer = self.app.blobs().put(key, media_type, length).await?;
        let written = match writer.write(bytes).await {
            Ok(()) => writer.finish().await.map(drop),
            Err(error) => Err(error),
        };
        written.map_err(|error| match error {
            WriteError::Failure(failure) => failure,
            too_long @ WriteError::TooLong { .. } => {
                Failure::damaged("blobs", too_long.to_string())
            }
        })
    }
}
