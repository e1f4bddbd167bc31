//! Pictures of users and guilds: uploaded images, and where a picture is afterwards.

use std::fmt;

use imagesize::ImageType;
use serde::{Deserialize, Serialize};

use crate::text::PictureUrl;

/// What a file of pixels is: those that every browser shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// `image/gif`
    Gif,
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    Webp,
}

impl ImageFormat {
    /// What the first bytes of a file say it is.
    pub fn of(head: &[u8]) -> Option<Self> {
        match imagesize::image_type(head).ok()? {
            ImageType::Gif => Some(Self::Gif),
            ImageType::Jpeg => Some(Self::Jpeg),
            ImageType::Png => Some(Self::Png),
            ImageType::Webp => Some(Self::Webp),
            _ => None,
        }
    }

    /// The format that a media type names.
    pub fn named(media_type: &str) -> Option<Self> {
        let all = [Self::Gif, Self::Jpeg, Self::Png, Self::Webp];
        all.into_iter()
            .find(|format| format.media_type() == media_type)
    }

    /// The ending of its files' names.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// How HTTP calls it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// An image whose bytes are of its format.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    format: ImageFormat,
    bytes: Vec<u8>,
}

impl Image {
    /// The image that these bytes are, if their beginning says that they are one.
    pub fn of(bytes: Vec<u8>) -> Option<Self> {
        let format = ImageFormat::of(&bytes)?;
        Some(Self { format, bytes })
    }

    /// What its bytes say it is.
    pub const fn format(&self) -> ImageFormat {
        self.format
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole file, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Discord counts every GIF among the animated ones.
    pub const fn is_animated(&self) -> bool {
        matches!(self.format, ImageFormat::Gif)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("format", &self.format)
            .field("length", &self.bytes.len())
            .finish()
    }
}

/// Where the picture of a user or guild is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Picture {
    /// Somewhere else: an `http` or `https` address, which Discord's clients cannot be shown.
    Address(String),
    /// Among our files.
    Stored(PictureHash),
}

/// Names a stored picture by its content: the same picture of the same owner has the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PictureHash {
    /// 128 bits that only this installation can compute from the content.
    pub code: [u8; 16],
    /// It may move.
    pub is_animated: bool,
}

/// What stands before the code of an animated picture.
const ANIMATED: &str = "a_";
/// Digits of a code.
const DIGITS: usize = 32;

impl PictureHash {
    /// Reads the one spelling that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(ANIMATED).unwrap_or(text);
        let is_written_so = digits.len() == DIGITS
            && digits
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(digits, 16)
            .ok()
            .filter(|_| is_written_so)?;
        Some(Self {
            code: number.to_be_bytes(),
            is_animated: digits.len() < text.len(),
        })
    }
}

/// As Discord writes it: hexadecimal digits, after `a_` where the picture is animated.
impl fmt::Display for PictureHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_animated { ANIMATED } else { "" };
        let number = u128::from_be_bytes(self.code);
        write!(f, "{mark}{number:0DIGITS$x}")
    }
}

impl Picture {
    /// The name among our files, if it is one of them.
    pub const fn hash(&self) -> Option<PictureHash> {
        match self {
            Self::Stored(hash) => Some(*hash),
            Self::Address(_) => None,
        }
    }

    /// Reads what [`fmt::Display`] has written. No address has the form of a name.
    pub fn read(text: String) -> Self {
        match PictureHash::parse(&text) {
            Some(hash) => Self::Stored(hash),
            None => Self::Address(text),
        }
    }
}

/// The address, or the name of the stored picture.
impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Stored(hash) => hash.fmt(f),
        }
    }
}

impl From<PictureUrl> for Picture {
    fn from(url: PictureUrl) -> Self {
        Self::Address(url.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_image_is_what_its_bytes_say() {
        let of = |bytes: &[u8]| Image::of(bytes.to_vec()).map(|image| image.format());
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(of(png), Some(ImageFormat::Png));
        assert_eq!(of(b"GIF89a\x01\0\x01\0\0\0\0"), Some(ImageFormat::Gif));
        assert_eq!(
            of(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"),
            Some(ImageFormat::Jpeg)
        );
        let webp = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0";
        assert_eq!(of(webp), Some(ImageFormat::Webp));
        assert_eq!(of(b"<svg xmlns=\"http://www.w3.org/2000/svg\">"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn a_format_is_found_by_its_media_type() {
        assert_eq!(ImageFormat::named("image/webp"), Some(ImageFormat::Webp));
        for other in ["image/svg+xml", "image/jpg", "IMAGE/PNG", "png", ""] {
            assert_eq!(ImageFormat::named(other), None, "{other}");
        }
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = PictureHash {
            code: [0xAB; 16],
            is_animated: true,
        };
        let text = "a_abababababababababababababababab";
        assert_eq!(hash.to_string(), text);
        for other in [
            "",
            "a_",
            "ABABABABABABABABABABABABABABABAB",
            "a_a_ababababababababababababababab",
            "+bababababababababababababababab",
            "abababababababababababababababababab",
        ] {
            assert_eq!(PictureHash::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_picture_is_read_back(code: [u8; 16], is_animated: bool) {
            let stored = Picture::Stored(PictureHash { code, is_animated });
            prop_assert_eq!(Picture::read(stored.to_string()), stored);
            let address = PictureUrl::parse("https://example.org/a.png").unwrap();
            let elsewhere = Picture::from(address);
            prop_assert_eq!(Picture::read(elsewhere.to_string()), elsewhere);
        }
    }
}
