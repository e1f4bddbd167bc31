//! The addresses of files: how they are written into bodies, and read back from requests.
//!
//! `ORIGIN/cdn/attachments/CHANNEL/ATTACHMENT/NAME?hm=SIGNATURE`, as on Discord's file server, but
//! without an end: a message of years ago is shown with the address that it always had.

use std::fmt;
use std::sync::Arc;

use guildhall_model::attachment::{Attachment, Signature};
use guildhall_model::picture::{Picture, PictureHash};
use guildhall_model::{ChannelId, EmojiId, GuildId, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

/// The path of an attachment as a template.
pub const ATTACHMENT_PATH: &str = "/cdn/attachments/{channel_id}/{attachment_id}/{filename}";
/// The path of a user's picture as a template.
pub const AVATAR_PATH: &str = "/cdn/avatars/{user_id}/{picture}";
/// The path of a guild's picture as a template.
pub const ICON_PATH: &str = "/cdn/icons/{guild_id}/{picture}";
/// The path of the picture of an emoji as a template.
pub const EMOJI_PATH: &str = "/cdn/emojis/{picture}";
/// The parameter of the query that holds the signature.
pub const SIGNATURE_PARAMETER: &str = "hm";

/// What stands as it is in a path: RFC 3986's unreserved characters.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes the addresses of one installation's files. A clone is the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileUrls {
    origin: Arc<str>,
}

impl FileUrls {
    /// For files that clients reach under this origin: scheme, host and perhaps port, without a
    /// slash at the end.
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.into(),
        }
    }

    /// The address of a file of a message in this channel.
    pub const fn attachment<'a>(
        &'a self,
        channel_id: ChannelId,
        attachment: &'a Attachment,
    ) -> AttachmentUrl<'a> {
        AttachmentUrl {
            urls: self,
            channel_id,
            attachment,
        }
    }

    /// The address of a user's picture.
    pub fn avatar<'a>(&'a self, owner: UserId, picture: &'a Picture) -> PictureAddress<'a> {
        self.picture("avatars", owner.get(), picture)
    }

    /// The address of a guild's picture.
    pub fn icon<'a>(&'a self, owner: GuildId, picture: &'a Picture) -> PictureAddress<'a> {
        self.picture("icons", owner.get(), picture)
    }

    /// The address of the picture of an emoji.
    pub fn emoji(&self, id: EmojiId, is_animated: bool) -> PictureAddress<'_> {
        PictureAddress::Emoji {
            origin: &self.origin,
            id,
            is_animated,
        }
    }

    fn picture<'a>(
        &'a self,
        folder: &'static str,
        owner: u64,
        picture: &'a Picture,
    ) -> PictureAddress<'a> {
        match picture {
            Picture::Address(address) => PictureAddress::Elsewhere(address),
            Picture::Stored(hash) => PictureAddress::Ours {
                origin: &self.origin,
                folder,
                owner,
                hash: *hash,
            },
        }
    }
}

/// The address of a picture.
#[derive(Clone, Copy, Debug)]
pub enum PictureAddress<'a> {
    /// Not ours.
    Elsewhere(&'a str),
    /// Among our files: `ORIGIN/cdn/FOLDER/OWNER/HASH.png`, as on Discord's file server.
    Ours {
        /// Scheme, host and perhaps port.
        origin: &'a str,
        /// What it is a picture of.
        folder: &'static str,
        /// Whose it is.
        owner: u64,
        /// Which of the owner's.
        hash: PictureHash,
    },
    /// That of an emoji: `ORIGIN/cdn/emojis/ID.png`.
    Emoji {
        /// Scheme, host and perhaps port.
        origin: &'a str,
        /// Which emoji.
        id: EmojiId,
        /// It moves.
        is_animated: bool,
    },
}

impl fmt::Display for PictureAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere(address) => f.write_str(address),
            Self::Ours {
                origin,
                folder,
                owner,
                hash,
            } => {
                let ending = picture_ending(hash.is_animated);
                write!(f, "{origin}/cdn/{folder}/{owner}/{hash}.{ending}")
            }
            Self::Emoji {
                origin,
                id,
                is_animated,
            } => {
                let ending = picture_ending(*is_animated);
                write!(f, "{origin}/cdn/emojis/{id}.{ending}")
            }
        }
    }
}

impl Serialize for PictureAddress<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The ending of the address of a picture. Whichever is asked for, the picture that is stored is
/// answered, with its own type.
const fn picture_ending(is_animated: bool) -> &'static str {
    if is_animated { "gif" } else { "png" }
}

/// What stands before the ending of the address of a picture; nothing if no picture of ours could
/// have the name.
pub fn picture_stem(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    matches!(ending, "png" | "jpg" | "jpeg" | "webp" | "gif").then_some(stem)
}

/// The address of an attachment.
#[derive(Clone, Copy, Debug)]
pub struct AttachmentUrl<'a> {
    urls: &'a FileUrls,
    channel_id: ChannelId,
    attachment: &'a Attachment,
}

impl fmt::Display for AttachmentUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attachment {
            id,
            filename,
            signature,
            ..
        } = self.attachment;
        let name = utf8_percent_encode(filename.as_str(), &ESCAPED);
        let number = u128::from_be_bytes(signature.0);
        write!(
            f,
            "{}/cdn/attachments/{}/{id}/{name}?{SIGNATURE_PARAMETER}={number:032x}",
            self.urls.origin, self.channel_id
        )
    }
}

impl Serialize for AttachmentUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a signature back in the one spelling that it is written in.
pub fn signature(text: &str) -> Option<Signature> {
    let is_written_so =
        text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_written_so {
        return None;
    }
    let number = u128::from_str_radix(text, 16).ok()?;
    Some(Signature(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use guildhall_model::attachment::FileName;
    use guildhall_model::{AttachmentId, ChannelId};
    use proptest::prelude::*;

    use super::*;

    fn address(name: &str, signature: [u8; 16]) -> String {
        let attachment = Attachment {
            id: AttachmentId::new(7).unwrap(),
            filename: FileName::clean(name),
            title: None,
            description: None,
            content_type: "text/plain".to_owned(),
            size: 1,
            dimensions: None,
            is_spoiler: false,
            signature: Signature(signature),
        };
        let urls = FileUrls::new("https://chat.example.org");
        let channel = ChannelId::new(5).unwrap();
        urls.attachment(channel, &attachment).to_string()
    }

    #[test]
    fn an_address_has_discords_form() {
        assert_eq!(
            address("猫 (1).png", [1; 16]),
            "https://chat.example.org/cdn/attachments/5/7/%E7%8C%AB_%281%29.png\
             ?hm=01010101010101010101010101010101"
        );
    }

    #[test]
    fn a_signature_has_one_spelling() {
        assert!(signature("0123456789abcdef0123456789abcdef").is_some());
        for other in [
            "",
            "0",
            "0123456789ABCDEF0123456789abcdef",
            "+123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef0123456789abcdé",
        ] {
            assert_eq!(signature(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_name_and_signature_is_read_back(name: String, bytes: [u8; 16]) {
            let address = address(&name, bytes);
            let uri = address.strip_prefix("https://chat.example.org").unwrap();
            let (path, query) = uri.split_once('?').unwrap();
            prop_assert_eq!(signature(query.strip_prefix("hm=").unwrap()), Some(Signature(bytes)));
            let last = path.rsplit('/').next().unwrap();
            let decoded = percent_encoding::percent_decode_str(last).decode_utf8().unwrap();
            let name = FileName::clean(&name);
            prop_assert_eq!(&*decoded, name.as_str());
        }
    }
}
