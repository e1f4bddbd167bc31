//! What a file is: a picture if its first bytes say so, else what its sender says, else what its
//! name says.

use guildhall_model::attachment::{Dimensions, FileName};
use guildhall_model::limits::MEDIA_TYPE_BYTES_MAX;
use guildhall_model::picture::ImageFormat;

/// What is said where nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// What the beginning of a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Media {
    /// Lower case, without parameters.
    pub(super) media_type: String,
    /// Of pictures whose size stands within the beginning.
    pub(super) dimensions: Option<Dimensions>,
}

/// Judges a file by its first bytes, of which a few hundred are enough for most pictures.
pub(super) fn judge(head: &[u8], declared: Option<&str>, name: &FileName) -> Media {
    if let Some(format) = ImageFormat::of(head) {
        return Media {
            media_type: format.media_type().to_owned(),
            dimensions: dimensions(head),
        };
    }
    let declared = declared.and_then(essence);
    // Libraries declare every file as the type that says nothing.
    let said = declared.filter(|declared| declared != UNKNOWN);
    let media_type = said
        .or_else(|| named(name))
        .filter(|said| !is_picture(said))
        .unwrap_or_else(|| UNKNOWN.to_owned());
    Media {
        media_type,
        dimensions: None,
    }
}

/// Types that only the bytes may claim.
fn is_picture(media_type: &str) -> bool {
    ImageFormat::named(media_type).is_some()
}

fn dimensions(head: &[u8]) -> Option<Dimensions> {
    let size = imagesize::blob_size(head).ok()?;
    // Clients read 32 bits with a sign.
    let side = |n: usize| i32::try_from(n).ok().filter(|n| *n > 0);
    Some(Dimensions {
        width: side(size.width)?.unsigned_abs(),
        height: side(size.height)?.unsigned_abs(),
    })
}

/// The type itself of what a sender declares, if it is one.
fn essence(declared: &str) -> Option<String> {
    let essence = declared.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, rest) = essence.split_once('/')?;
    let is_token = |text: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b);
        !text.is_empty() && text.bytes().all(plain)
    };
    let is_type = is_token(kind) && is_token(rest) && essence.len() <= MEDIA_TYPE_BYTES_MAX;
    is_type.then_some(essence)
}

fn named(name: &FileName) -> Option<String> {
    let guess = mime_guess::from_path(name.as_str());
    guess.first_raw().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06";
    const GIF: &[u8] = b"GIF89a\x80\x02\xe0\x01\xf7\0\0";
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03";
    const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0";

    fn said(head: &[u8], declared: Option<&str>, name: &str) -> String {
        judge(head, declared, &FileName::clean(name)).media_type
    }

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        for (head, media_type) in [
            (PNG, "image/png"),
            (GIF, "image/gif"),
            (JPEG, "image/jpeg"),
            (WEBP, "image/webp"),
        ] {
            let media = judge(head, Some("text/html"), &FileName::clean("a.html"));
            assert_eq!(media.media_type, media_type);
            let size = Dimensions {
                width: 640,
                height: 480,
            };
            assert_eq!(media.dimensions, Some(size), "{media_type}");
        }
    }

    #[test]
    fn what_only_claims_to_be_a_picture_is_none() {
        let html = b"<html><script>alert(1)</script>";
        assert_eq!(said(html, Some("image/png"), "cat.png"), UNKNOWN);
        assert_eq!(said(html, None, "cat.jpeg"), UNKNOWN);
        assert_eq!(said(b"", Some("image/gif"), "cat"), UNKNOWN);
    }

    #[test]
    fn other_files_are_what_their_sender_or_their_name_says() {
        for (declared, name, media_type) in [
            (Some("text/HTML; charset=utf-8"), "a.bin", "text/html"),
            (Some("application/octet-stream"), "a.txt", "text/plain"),
            (None, "film.mp4", "video/mp4"),
            (None, "drawing.svg", "image/svg+xml"),
            (None, "unheard.of", UNKNOWN),
            (None, "nothing", UNKNOWN),
            (Some("text"), "a.json", "application/json"),
            (Some("text/pl\r\nain"), "nothing", UNKNOWN),
            (Some("text/\"x\""), "nothing", UNKNOWN),
            (Some(""), "nothing", UNKNOWN),
        ] {
            assert_eq!(
                said(b"x", declared, name),
                media_type,
                "{declared:?} {name}"
            );
        }
        let long = format!("text/{}", "x".repeat(MEDIA_TYPE_BYTES_MAX));
        assert_eq!(said(b"x", Some(&long), "a"), UNKNOWN);
    }

    #[test]
    fn a_picture_of_no_size_or_cut_short_has_no_dimensions() {
        let mut nothing = GIF.to_vec();
        nothing[6..8].fill(0);
        assert_eq!(dimensions(&nothing), None);
        let mut endless = PNG.to_vec();
        endless[16] = 0xFF;
        assert_eq!(dimensions(&endless), None);
        for head in [PNG, GIF, JPEG, WEBP] {
            for length in 0..head.len() {
                judge(&head[..length], None, &FileName::clean("a"));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(
            start in prop::sample::select(vec![&PNG[..8], &GIF[..6], &JPEG[..3], &WEBP[..16], b""]),
            rest in prop::collection::vec(any::<u8>(), 0..300),
            declared: Option<String>,
        ) {
            let head = [start, &rest].concat();
            let media = judge(&head, declared.as_deref(), &FileName::clean("a"));
            prop_assert!(media.media_type.len() <= MEDIA_TYPE_BYTES_MAX);
            prop_assert!(media.media_type.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
