//! Images as Discord's clients send them: `data:image/png;base64,…`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guildhall_model::picture::{Image, ImageFormat, Picture};

use crate::native::request::form::Wrong;

const BEGINNING: &str = "data:";
const BASE64: &str = ";base64";
/// What discord.js says of every picture; there is no such type.
const ANY: &str = "image/jpg";

/// A check for an image of at most `bytes_max` bytes, whose beginning is of the type that is
/// stated.
pub(super) fn image(bytes_max: usize) -> impl FnOnce(String) -> Result<Image, Wrong> {
    move |raw| {
        let (stated, encoded) = parts(&raw).ok_or_else(no_image)?;
        if bytes_max < encoded.len() / 4 * 3 - padding(encoded) {
            let kilobytes = bytes_max / 1_024;
            let message = format!("File cannot be larger than {kilobytes}.0 kb.");
            return Err(Wrong::new("binary_type_max_size", message));
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| no_image())?;
        let image = Image::of(bytes).ok_or_else(no_image)?;
        let is_as_stated = stated.is_none_or(|stated| stated == image.format());
        if is_as_stated {
            Ok(image)
        } else {
            let kind = image.format().media_type();
            let message = format!("the bytes are those of {kind}");
            Err(Wrong::new("image_invalid", message))
        }
    }
}

/// What an update of a picture says that is known at once: that it is removed.
#[expect(
    clippy::option_option,
    reason = "so the model tells leaving from removing"
)]
pub(super) fn removed(given: Option<&Option<Image>>) -> Option<Option<Picture>> {
    matches!(given, Some(None)).then_some(None)
}

/// The format that is stated, if it is said, and the bytes in base64.
fn parts(raw: &str) -> Option<(Option<ImageFormat>, &str)> {
    let (head, encoded) = raw.strip_prefix(BEGINNING)?.split_once(',')?;
    let media_type = head.strip_suffix(BASE64)?;
    let stated = match media_type {
        ANY => None,
        known => Some(ImageFormat::named(known)?),
    };
    Some((stated, encoded))
}

fn padding(encoded: &str) -> usize {
    let padding = encoded.bytes().rev().take(2).filter(|&byte| byte == b'=');
    padding.count().min(encoded.len() / 4)
}

fn no_image() -> Wrong {
    Wrong::new(
        "image_invalid",
        "must be a PNG, JPEG, GIF or WebP picture like data:image/png;base64,…",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06";

    fn uri(media_type: &str, bytes: &[u8]) -> String {
        format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
    }

    fn code(raw: &str) -> &'static str {
        image(64)(raw.to_owned()).map_or_else(|wrong| wrong.code(), |_| "fine")
    }

    #[test]
    fn an_image_is_read_if_it_is_what_it_says() {
        assert_eq!(code(&uri("image/png", PNG)), "fine");
        assert_eq!(code(&uri("image/gif", b"GIF89a\x01\0\x01\0\0\0\0")), "fine");
        assert_eq!(code(&uri("image/gif", PNG)), "image_invalid");
        assert_eq!(code(&uri("image/png", b"<svg></svg>")), "image_invalid");
        assert_eq!(code(&uri("image/svg+xml", PNG)), "image_invalid");
    }

    #[test]
    fn discord_js_names_no_type() {
        assert_eq!(code(&uri("image/jpg", PNG)), "fine");
    }

    #[test]
    fn an_image_has_a_bound() {
        let exact = [PNG, &[0; 64]].concat();
        assert_eq!(code(&uri("image/png", &exact[..64])), "fine");
        assert_eq!(code(&uri("image/png", &exact[..63])), "fine");
        assert_eq!(
            code(&uri("image/png", &exact[..65])),
            "binary_type_max_size"
        );
    }

    #[test]
    fn what_is_no_data_uri_is_no_image() {
        for raw in [
            "",
            "data:",
            "data:,",
            "data:image/png,x",
            "data:image/png;base64",
            "data:image/png;base64,",
            "data:image/png;base64,=",
            "data:image/png;base64,iVBOR w0K",
            "https://example.org/a.png",
            "iVBORw0KGgo=",
        ] {
            assert_eq!(code(raw), "image_invalid", "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(tail: String) {
            code(&tail);
            code(&format!("data:image/png;base64,{tail}"));
        }
    }
}
