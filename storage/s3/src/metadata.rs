//! What stands beside an object's bytes: its media type, in a header of our own. The one that S3
//! has for it may not be empty, and not every engine keeps what is no media type.

use std::collections::HashMap;

use guildhall_ports::Failure;
use guildhall_ports::blobs::{BlobInfo, BlobKey, MEDIA_TYPE_BYTES_MAX};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::error::ENGINE;

/// The name without the prefix that all headers of the kind have.
const MEDIA_TYPE: &str = "media-type";
/// Engines and proxies may change spaces at the ends of a header.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// The headers of an object with this media type. `None` if it is too long.
pub(crate) fn write(media_type: &str) -> Option<HashMap<String, String>> {
    let fits = media_type.len() <= MEDIA_TYPE_BYTES_MAX;
    let encoded = utf8_percent_encode(media_type, ENCODED).to_string();
    // An empty header might get lost, and so is none.
    let headers = [(MEDIA_TYPE.to_owned(), encoded)];
    fits.then(|| headers.into_iter().filter(|(_, t)| !t.is_empty()).collect())
}

/// What an object's headers say of it.
pub(crate) fn read(
    key: BlobKey,
    length: u64,
    headers: Option<&HashMap<String, String>>,
) -> Result<BlobInfo, Failure> {
    let encoded = headers.and_then(|headers| headers.get(MEDIA_TYPE));
    let decoded = percent_decode_str(encoded.map_or("", String::as_str)).decode_utf8();
    match decoded {
        Ok(media_type) if media_type.len() <= MEDIA_TYPE_BYTES_MAX => Ok(BlobInfo {
            length,
            media_type: media_type.into_owned(),
        }),
        _ => Err(Failure::damaged(
            ENGINE,
            format!("{key}: its media type is none; restore it from a backup"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use guildhall_ports::blobs::BlobKind;

    use super::*;

    const KEY: BlobKey = BlobKey::new(BlobKind::Attachment, 7);

    #[test]
    fn every_media_type_reads_back_and_fits_a_header() {
        let longest = "%".repeat(MEDIA_TYPE_BYTES_MAX);
        for media_type in ["", " ", "image/png", "a; b=\"%41\"\r\nc", "héllo", &longest] {
            let headers = write(media_type).unwrap();
            let is_visible = |value: &String| value.bytes().all(|b| b.is_ascii_graphic());
            assert!(headers.values().all(is_visible), "{headers:?}");
            let info = read(KEY, 5, Some(&headers)).unwrap();
            assert_eq!(info.media_type, media_type);
        }
        assert_eq!(write(&(longest + "x")), None);
    }

    #[test]
    fn an_object_that_somebody_else_made_has_no_media_type() {
        assert_eq!(read(KEY, 5, None).unwrap().media_type, "");
        assert_eq!(read(KEY, 5, Some(&HashMap::new())).unwrap().media_type, "");
    }

    #[test]
    fn what_cannot_be_a_media_type_is_damage() {
        let longer = "x".repeat(MEDIA_TYPE_BYTES_MAX + 1);
        for value in ["%FF", &longer] {
            let headers = HashMap::from([(MEDIA_TYPE.to_owned(), value.to_owned())]);
            let read = read(KEY, 5, Some(&headers));
            assert!(matches!(read, Err(Failure::Damaged { .. })), "{read:?}");
        }
    }
}
