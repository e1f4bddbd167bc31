//! Files of a message.

use guildhall_model::attachment as model;
use guildhall_model::attachment::Dimensions;
use guildhall_model::{ChannelId, id};
use serde::Serialize;

use crate::file_url::{AttachmentUrl, FileUrls};
use crate::id::Decimal;

const FLAG_SPOILER: u32 = 1 << 3;

/// A file of a message.
#[derive(Serialize)]
pub struct Attachment<'a> {
    id: Decimal<id::kind::Attachment>,
    filename: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    content_type: &'a str,
    size: u32,
    url: AttachmentUrl<'a>,
    /// The same: nothing stands between clients and our files.
    proxy_url: AttachmentUrl<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    flags: u32,
}

impl<'a> Attachment<'a> {
    /// A file of a message in this channel.
    pub fn new(
        channel_id: ChannelId,
        attachment: &'a model::Attachment,
        urls: &'a FileUrls,
    ) -> Self {
        let url = urls.attachment(channel_id, attachment);
        let side = |of: fn(&Dimensions) -> u32| attachment.dimensions.as_ref().map(of);
        Self {
            id: Decimal(attachment.id),
            filename: attachment.filename.as_str(),
            title: attachment.title.as_deref(),
            description: attachment.description.as_deref(),
            content_type: &attachment.content_type,
            size: attachment.size,
            url,
            proxy_url: url,
            height: side(|size| size.height),
            width: side(|size| size.width),
            flags: if attachment.is_spoiler {
                FLAG_SPOILER
            } else {
                0
            },
        }
    }
}
