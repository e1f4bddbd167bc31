//! Files that are attached to messages, and the names that they may have.

use serde::{Deserialize, Serialize};

use crate::id::AttachmentId;
use crate::limits::{FILE_ENDING_CHARS_MAX, FILE_NAME_CHARS_MAX};
use crate::text::is_deceptive;

/// What a file is called of whose name nothing can be kept.
const NAMELESS: &str = "unknown";
/// How the name begins of a file that is to be hidden until it is asked for. Clients look at the
/// name alone.
const SPOILER: &str = "SPOILER_";

/// A file of a message. Its bytes are in the blob store under its id; when it was uploaded is in
/// the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attachment {
    /// Names the attachment.
    pub id: AttachmentId,
    /// A name that is safe in a path and in a header.
    pub filename: FileName,
    /// The name as its author has it, where [`Self::filename`] had to differ.
    pub title: Option<String>,
    /// What the author says about the content, for those who cannot see it.
    pub description: Option<String>,
    /// The media type: what the bytes are if they are a picture, what the author says otherwise.
    /// It is shown, and never what a browser is told when it would run the file.
    pub content_type: String,
    /// Bytes, at most [`crate::limits::UPLOAD_BYTES_MAX`].
    pub size: u32,
    /// Width and height of a picture, as its first bytes say.
    pub dimensions: Option<Dimensions>,
    /// Hidden until it is asked for.
    pub is_spoiler: bool,
    /// What makes the file's address unguessable.
    pub signature: Signature,
}

/// The size of a picture in pixels. Nobody has looked whether the pixels are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dimensions {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// The part of a file's address that only the installation can make: a message authentication
/// code over channel, id and name. It does not expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature(pub [u8; 16]);

/// A file's name without anything that means something in a path, in a header or to a reader's
/// eye: no separators, control or direction characters, white space or leading dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileName(String);

impl FileName {
    /// The nearest name to what a client sent; the whole of it if nothing is wrong with it.
    pub fn clean(raw: &str) -> Self {
        // What stands before a separator is a folder of the sender's machine.
        let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
        let kept: String = last
            .trim_matches(|c: char| c.is_whitespace())
            .chars()
            .filter(|&c| !is_deceptive(c))
            .map(|c| if is_kept(c) { c } else { '_' })
            .collect();
        let kept = kept.trim_start_matches('.').trim_end_matches('.');
        if kept.is_empty() {
            return Self(NAMELESS.to_owned());
        }
        Self(cut(kept))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name says that the file is to be hidden until it is asked for.
    pub fn is_spoiler(&self) -> bool {
        self.0.starts_with(SPOILER)
    }

    /// The same name, saying so.
    pub fn into_spoiler(self) -> Self {
        if self.is_spoiler() {
            self
        } else {
            Self(cut(&format!("{SPOILER}{}", self.0)))
        }
    }
}

/// Reserved by some file system, shell or markup, or not visible.
fn is_kept(c: char) -> bool {
    !c.is_whitespace() && !"<>:\"|?*'`;&$%#{}[]^~,=@!+".contains(c)
}

/// Cuts a name in its middle, so that its ending still tells what the file is.
fn cut(name: &str) -> String {
    let n = name.chars().count();
    if n <= FILE_NAME_CHARS_MAX {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending_chars = ending.chars().count();
    if ending_chars > FILE_ENDING_CHARS_MAX {
        let kept: String = name.chars().take(FILE_NAME_CHARS_MAX).collect();
        return kept.trim_end_matches('.').to_owned();
    }
    let stem = name.chars().take(FILE_NAME_CHARS_MAX - ending_chars);
    stem.chain(ending.chars()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(raw: &str) -> String {
        FileName::clean(raw).as_str().to_owned()
    }

    #[test]
    fn a_plain_name_stays_as_it_is() {
        for name in [
            "cat.png",
            "a-b_c.tar.gz",
            "Straße.txt",
            "猫.webp",
            "SPOILER_x.gif",
            "(1).md",
        ] {
            assert_eq!(clean(name), name);
        }
    }

    #[test]
    fn a_hostile_name_loses_what_makes_it_so() {
        for (raw, name) in [
            ("", "unknown"),
            (".", "unknown"),
            ("..", "unknown"),
            ("...", "unknown"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/", "unknown"),
            ("a/..", "unknown"),
            ("C:\\a\\b.txt", "b.txt"),
            (".htaccess", "htaccess"),
            ("my cat.png", "my_cat.png"),
            ("  cat.png\n", "cat.png"),
            ("a\0b.png", "ab.png"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie__x.png"),
            ("gpj\u{202E}exe.png", "gpjexe.png"),
            ("\u{200B}", "unknown"),
            ("\u{FEFF}cat.png", "cat.png"),
            ("a\";x=\"b.png", "a__x__b.png"),
            ("100%.txt", "100_.txt"),
            ("a?b#c.png", "a_b_c.png"),
            ("cat.png.", "cat.png"),
        ] {
            assert_eq!(clean(raw), name, "{raw:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = clean(&format!("{}.png", "ü".repeat(5_000)));
        assert_eq!(name.chars().count(), FILE_NAME_CHARS_MAX);
        assert!(name.ends_with("ü.png"));
        let name = clean(&format!("a.{}", "x".repeat(5_000)));
        assert_eq!(name.chars().count(), FILE_NAME_CHARS_MAX);
        let name = clean(&format!("{}.{0}", "x".repeat(FILE_NAME_CHARS_MAX - 1)));
        assert_eq!(name, "x".repeat(FILE_NAME_CHARS_MAX - 1));
    }

    #[test]
    fn a_spoiler_is_known_by_its_name() {
        let name = FileName::clean("cat.png");
        assert!(!name.is_spoiler());
        let name = name.into_spoiler();
        assert_eq!(name.as_str(), "SPOILER_cat.png");
        assert_eq!(name.clone().into_spoiler(), name);
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_safe_name_and_a_safe_name_stays(raw: String) {
            let name = clean(&raw);
            prop_assert!(!name.is_empty() && name != "." && name != "..");
            prop_assert!(name.chars().count() <= FILE_NAME_CHARS_MAX);
            let is_harmful = |c: char| "/\\\"<>%?#".contains(c) || c.is_whitespace() || is_deceptive(c);
            prop_assert!(!name.contains(is_harmful), "{name:?}");
            prop_assert_eq!(clean(&name), name);
        }
    }
}
