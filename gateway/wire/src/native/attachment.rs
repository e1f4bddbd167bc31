//! Files of a message.

use guildhall_model::attachment as model;
use guildhall_model::attachment::Dimensions;
use guildhall_model::{ChannelId, MessageId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::file_url::{AttachmentUrl, FileUrls};
use crate::id::{Spelling, UuidText};
use crate::time::Utc;

/// A file of a message.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Attachment<'a> {
    id: UuidText,
    /// Null as long as the file waits for its message.
    #[schema(required)]
    message_id: Option<UuidText>,
    file_name: &'a str,
    /// Where the bytes are. It needs no credential and does not expire.
    #[schema(value_type = String, format = "uri")]
    file_url: AttachmentUrl<'a>,
    /// The media type.
    file_type: &'a str,
    /// Bytes.
    file_size: u32,
    /// The name as its author has it, where `file_name` had to differ.
    #[schema(required)]
    title: Option<&'a str>,
    /// What the author says about the content.
    #[schema(required)]
    description: Option<&'a str>,
    /// Pixels of a picture.
    #[schema(required)]
    width: Option<u32>,
    /// Pixels of a picture.
    #[schema(required)]
    height: Option<u32>,
    /// Hidden until it is asked for.
    is_spoiler: bool,
    uploaded_at: Utc,
}

impl<'a> Attachment<'a> {
    /// A file of a message in this channel, or one that waits for it.
    pub fn new(
        (channel_id, message_id): (ChannelId, Option<MessageId>),
        attachment: &'a model::Attachment,
        urls: &'a FileUrls,
        spelling: &Spelling,
    ) -> Self {
        let side = |of: fn(&Dimensions) -> u32| attachment.dimensions.as_ref().map(of);
        Self {
            id: spelling.uuid(attachment.id),
            message_id: message_id.map(|id| spelling.uuid(id)),
            file_name: attachment.filename.as_str(),
            file_url: urls.attachment(channel_id, attachment),
            file_type: &attachment.content_type,
            file_size: attachment.size,
            title: attachment.title.as_deref(),
            description: attachment.description.as_deref(),
            width: side(|size| size.width),
            height: side(|size| size.height),
            is_spoiler: attachment.is_spoiler,
            uploaded_at: Utc(attachment.id.created_at()),
        }
    }
}
