//! What the head of a part says: which file it is, and what the file is called.
//!
//! Libraries write the same head in different ways. aiohttp percent-encodes names unless it is
//! told not to, browsers and what follows them escape quotes as `%22`, others with a backslash;
//! brackets come as they are or percent-encoded, quoted or bare.

use http::header::CONTENT_DISPOSITION;
use multer::Field;
use percent_encoding::percent_decode_str;

/// A file whose sender does not say what it is called.
const NAMELESS: &str = "unknown";
/// Digits of a file's number: ten files are more than enough for two.
const SLOT_DIGITS_MAX: usize = 3;

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A file under a number of the sender's.
    File {
        /// The `n` of `files[n]`.
        slot: u32,
        /// As the sender says it; anything may stand there.
        name: String,
    },
    /// The JSON.
    Payload,
    /// What we do not know.
    Other,
}

/// Reads the head of a part.
pub(super) fn part(field: &Field<'_>) -> Part {
    let name = field.name().unwrap_or_default();
    let name = percent_decode_str(name).decode_utf8_lossy();
    if name == "payload_json" {
        return Part::Payload;
    }
    let Some(slot) = slot(&name) else {
        return Part::Other;
    };
    let extended = field.headers().get(CONTENT_DISPOSITION);
    let extended = extended.and_then(|value| extended_name(value.to_str().ok()?));
    let name = extended.or_else(|| field.file_name().map(unquoted));
    Part::File {
        slot,
        name: name.unwrap_or_else(|| NAMELESS.to_owned()),
    }
}

/// The number of `files[n]`; older libraries write `file`, or `filen`.
fn slot(name: &str) -> Option<u32> {
    let bracketed = name
        .strip_prefix("files[")
        .and_then(|rest| rest.strip_suffix(']'));
    let digits = match bracketed {
        Some("") => return None,
        Some(digits) => digits,
        None => name.strip_prefix("file")?,
    };
    if digits.is_empty() {
        return Some(0);
    }
    let is_number = digits.len() <= SLOT_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// The name without the escapes of whoever wrote it.
fn unquoted(name: &str) -> String {
    let encoded = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
    if name.contains('%')
        && name.chars().all(encoded)
        && let Ok(decoded) = percent_decode_str(name).decode_utf8()
    {
        return decoded.into_owned();
    }
    name.replace("%22", "\"")
}

/// The name of `filename*=UTF-8''NAME` (RFC 5987).
fn extended_name(head: &str) -> Option<String> {
    let mut parameters = head.split(';').map(str::trim);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("filename*")
            .then_some(value)
    })?;
    let mut parts = value.trim().splitn(3, '\'');
    let charset = parts.next()?;
    let encoded = parts.nth(1)?;
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use multer::Multipart;
    use proptest::prelude::*;

    use super::*;

    async fn read(head: &[u8]) -> Option<Part> {
        let head = [b"Content-Disposition: form-data", head].concat();
        let body = [b"--x\r\n", &*head, b"\r\n\r\nbytes\r\n--x--\r\n"].concat();
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(body))]);
        let field = Multipart::new(body, "x").next_field().await.ok()??;
        Some(part(&field))
    }

    fn file(slot: u32, name: &str) -> Part {
        let name = name.to_owned();
        Part::File { slot, name }
    }

    /// As the libraries write them on the wire.
    #[tokio::test]
    async fn each_library_is_understood() {
        for (library, head, expected) in [
            (
                "discord.js (undici)",
                r#"; name="files[0]"; filename="my cat.png""#,
                file(0, "my cat.png"),
            ),
            (
                "undici, with what browsers escape",
                r#"; name="files[1]"; filename="a%22b.png""#,
                file(1, "a\"b.png"),
            ),
            (
                "undici, beyond ASCII",
                "; name=\"files[0]\"; filename=\"猫 1.png\"",
                file(0, "猫 1.png"),
            ),
            (
                "discord.py (aiohttp, quote_fields=False)",
                r#"; name="files[9]"; filename="a\"b.png""#,
                file(9, "a\"b.png"),
            ),
            (
                "hikari (aiohttp, quote_fields=True)",
                r#"; name="files[0]"; filename="my%20%E7%8C%AB.png""#,
                file(0, "my 猫.png"),
            ),
            (
                "with encoded brackets",
                r#"; name="files%5B3%5D"; filename="a.png""#,
                file(3, "a.png"),
            ),
            ("bare", "; name=files[2]; filename=a.png", file(2, "a.png")),
            (
                "oceanic.js",
                r#"; name="files[0]"; filename="100%.txt""#,
                file(0, "100%.txt"),
            ),
            (
                "urllib3",
                "; name=\"files[0]\"; filename*=utf-8''na%C3%AFve.txt",
                file(0, "naïve.txt"),
            ),
            (
                "both names",
                "; name=\"files[0]\"; filename=\"x\"; filename*=UTF-8'en'%e2%82%ac",
                file(0, "€"),
            ),
            (
                "old",
                r#"; name="file"; filename="a.png""#,
                file(0, "a.png"),
            ),
            (
                "old",
                r#"; name="file1"; filename="a.png""#,
                file(1, "a.png"),
            ),
            ("nameless", r#"; name="files[0]""#, file(0, "unknown")),
            ("the JSON", r#"; name="payload_json""#, Part::Payload),
        ] {
            assert_eq!(read(head.as_bytes()).await, Some(expected), "{library}");
        }
    }

    #[tokio::test]
    async fn a_head_that_says_nothing_sensible_is_of_no_file() {
        for head in [
            "",
            "; name",
            "; name=",
            "; name=\"",
            r#"; name="files[]""#,
            r#"; name="files[-1]""#,
            r#"; name="files[+1]""#,
            r#"; name="files[0""#,
            r#"; name="files[0]x""#,
            r#"; name="files[99999999999]""#,
            r#"; name="FILES[0]""#,
            r#"; name="attachments""#,
            r#"; filename="a.png""#,
        ] {
            assert_eq!(read(head.as_bytes()).await, Some(Part::Other), "{head}");
        }
        // Bytes that are no text make no name.
        let head = b"; name=\"files[0]\"; filename=\"\xff\xfe.png\"";
        assert_eq!(read(head).await, Some(file(0, "unknown")));
    }

    proptest! {
        #[test]
        fn any_head_is_read(head in prop::collection::vec(any::<u8>(), 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(read(&head));
        }

        #[test]
        fn any_text_is_unquoted(name: String) {
            unquoted(&name);
            extended_name(&name);
            slot(&name);
        }
    }
}
