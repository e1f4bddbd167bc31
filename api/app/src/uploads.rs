//! Files: received before their message is posted, kept with it, found by their address.
//!
//! A file is stored as an *upload*, which nobody can read and which is swept away after a day. It
//! becomes an *attachment* just before its message is committed, never after: a node that is
//! killed in between leaves a file that no message names, where the other order would leave a
//! message whose file is swept away.

mod media;
mod receive;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use guildhall_host::Refused;
use guildhall_model::attachment::{Attachment, Signature};
use guildhall_model::interaction::InteractionClaim;
use guildhall_model::limits::{UPLOAD_ORPHAN_AGE_MS, UPLOAD_SWEEP_MAX, UPLOADS_MAX};
use guildhall_model::rejection::Noun;
use guildhall_model::webhook::Webhook;
use guildhall_model::{AttachmentId, ChannelId, Permissions, Rejection};
use guildhall_ports::blobs::{BlobInfo, BlobKey, BlobKind};
use guildhall_ports::guilds::Home;
use guildhall_ports::{Blobs, Failure};
use tokio::sync::Semaphore;

use crate::guilds::within;
use crate::{App, Context};

pub use receive::{FileNote, Upload, UploadError};

/// What it takes to post files into a guild's channel.
const NEEDED: Permissions = Permissions::SEND_MESSAGES.union(Permissions::ATTACH_FILES);

/// The use cases around files.
#[derive(Clone, Copy, Debug)]
pub struct Uploads<'a> {
    app: &'a App,
}

/// Places for requests that bring files.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UPLOADS_MAX)))
    }
}

/// A file that was found by its address.
#[derive(Clone, Debug)]
pub struct FoundFile {
    app: App,
    key: BlobKey,
    /// Bytes of the whole file.
    pub length: u64,
    /// What the file is: a picture only if its bytes say so.
    pub media_type: String,
}

impl App {
    /// The use cases around files.
    pub const fn uploads(&self) -> Uploads<'_> {
        Uploads { app: self }
    }
}

impl Uploads<'_> {
    /// Begins to receive files for a message in this channel, if the caller may post them there.
    /// Nothing of them has been read by then.
    pub async fn begin(&self, ctx: &Context, channel: ChannelId) -> Result<Upload, Refused> {
        self.require_writer(ctx, channel).await?;
        self.begin_in(channel)
    }

    /// Begins to receive files for an answer to an interaction, whose token was shown.
    pub(crate) fn begin_answer(self, claim: &InteractionClaim) -> Result<Upload, Refused> {
        self.begin_in(claim.channel_id)
    }

    /// Begins to receive files for a message of a webhook whose token was shown.
    pub fn begin_opened(self, webhook: &Webhook) -> Result<Upload, Refused> {
        self.begin_in(webhook.channel_id)
    }

    fn begin_in(self, channel: ChannelId) -> Result<Upload, Refused> {
        let places = Arc::clone(&self.app.places().0);
        let place = places
            .try_acquire_owned()
            .map_err(|_| Rejection::Overloaded)?;
        Ok(Upload::new(self.app.clone(), channel, place))
    }

    /// Posts a message with these files, which [`Upload::finish`] has answered: keeps them, lets
    /// `post` commit the message, and deletes them if no message came of it. `names_them` tells
    /// whether the message that `post` answers is the one that names them: one that was posted
    /// before, with the same nonce, has files of its own.
    ///
    /// After a `Failure` nobody knows whether there is a message, so the files stay.
    pub async fn posting<T>(
        &self,
        files: &[Attachment],
        post: impl Future<Output = Result<T, Refused>>,
        names_them: impl FnOnce(&T) -> bool,
    ) -> Result<T, Refused> {
        if let Err(refused) = self.keep(files).await {
            self.discard(files).await;
            return Err(refused);
        }
        let posted = post.await;
        let is_without = match &posted {
            Ok(posted) => !names_them(posted),
            Err(Refused::Rejection(_)) => true,
            Err(Refused::Failure(_)) => false,
        };
        if is_without {
            self.discard(files).await;
        }
        posted
    }

    /// Deletes files, of a message that is deleted or that never came.
    pub async fn discard(&self, files: &[Attachment]) {
        let keys = files
            .iter()
            .flat_map(|file| [BlobKey::upload(file.id), BlobKey::attachment(file.id)]);
        delete(self.app, keys).await;
    }

    /// Makes attachments of uploads.
    async fn keep(&self, files: &[Attachment]) -> Result<(), Refused> {
        for file in files {
            let kept = BlobKey::attachment(file.id);
            let blobs = self.app.blobs();
            if !blobs.rename(BlobKey::upload(file.id), kept).await? {
                let why = "has waited too long for its message";
                return Err(Rejection::field("attachments", "expired", why).into());
            }
        }
        Ok(())
    }

    /// The file at an address; nothing if the installation has not signed it or the file is gone.
    pub async fn find(
        &self,
        channel: ChannelId,
        id: AttachmentId,
        filename: &str,
        signature: Signature,
    ) -> Result<Option<FoundFile>, Failure> {
        let links = self.app.file_links();
        if !links.verify(channel, id, filename, signature) {
            return Ok(None);
        }
        FoundFile::at(self.app, BlobKey::attachment(id)).await
    }

    /// Deletes uploads that have waited too long for their message, a bounded number of them.
    /// Answers how many.
    pub async fn sweep(&self) -> Result<usize, Failure> {
        let now = self.app.env().now();
        let uploads = self
            .app
            .blobs()
            .list(BlobKind::Upload, UPLOAD_SWEEP_MAX)
            .await?;
        let mut swept = 0;
        for key in uploads {
            let Some(id) = AttachmentId::new(key.number()) else {
                continue;
            };
            if now < id.created_at().plus_ms(UPLOAD_ORPHAN_AGE_MS) {
                break;
            }
            self.app.blobs().delete(key).await?;
            swept += 1;
        }
        Ok(swept)
    }

    async fn require_writer(&self, ctx: &Context, channel: ChannelId) -> Result<(), Refused> {
        let unknown = || Refused::from(Rejection::Unknown(Noun::Channel));
        let user = ctx.user_id();
        let guild = match self.app.node().home_of(channel).await? {
            Some(Home::Guild(guild)) => guild,
            Some(Home::Direct(direct)) if direct.users.contains(&user) => return Ok(()),
            _ => return Err(unknown()),
        };
        let view = self.app.guild_of_member(guild, user).await;
        let view = view.map_err(within(Noun::Channel))?;
        let held = view.read(|state| {
            let channel = state.channel(channel)?;
            let can_view = state.can_view(user, channel);
            can_view.then(|| state.channel_permissions(user, channel.id, ctx.now))
        });
        let missing = NEEDED - held.ok_or_else(unknown)?;
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Rejection::MissingPermission(missing).into())
        }
    }
}

impl FoundFile {
    /// The blob with this key, if it is there.
    pub(crate) async fn at(app: &App, key: BlobKey) -> Result<Option<Self>, Failure> {
        let found = app.blobs().info(key).await?;
        Ok(found.map(|BlobInfo { length, media_type }| Self {
            app: app.clone(),
            key,
            length,
            media_type,
        }))
    }

    /// The bytes within a range, in pieces; nothing if the file is gone by now.
    pub async fn read(
        &self,
        range: Range<u64>,
    ) -> Result<Option<BoxStream<'static, Result<Bytes, Failure>>>, Failure> {
        let open = self.app.blobs().open(self.key, range).await?;
        Ok(open.map(|open| open.bytes))
    }
}

/// Deletes blobs. One that cannot be deleted takes room and nothing else.
async fn delete(app: &App, keys: impl Iterator<Item = BlobKey>) {
    let blobs: &dyn Blobs = app.blobs();
    for key in keys {
        if let Err(failure) = blobs.delete(key).await {
            tracing::warn!(error = %failure, "a file was not deleted: {failure}");
        }
    }
}
