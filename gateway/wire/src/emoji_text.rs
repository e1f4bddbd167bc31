//! Emoji as one text: how paths name them, and how the native dialect shows them.
//!
//! A standard one is its Unicode text, a guild's own is `name:id`.

use std::fmt;

use guildhall_model::emoji::{CustomEmoji, Emoji};
use guildhall_model::limits::EMOJI_CHARS_MAX;
use guildhall_model::text::parse_emoji;
use serde::{Serialize, Serializer};

use crate::id::{Spelling, UuidText};

/// Reads either kind, a guild's own with its id in either spelling. What it is called and whether
/// it moves is only known to its guild.
pub fn read(text: &str, spelling: &Spelling) -> Option<Emoji> {
    if EMOJI_CHARS_MAX < text.len() && EMOJI_CHARS_MAX < text.chars().count() {
        return None;
    }
    let Some((name, id)) = text.rsplit_once(':') else {
        return parse_emoji(text).ok();
    };
    Some(Emoji::Custom(CustomEmoji {
        id: spelling.parse(id)?,
        name: name.to_owned(),
        is_animated: false,
    }))
}

/// An emoji as the native dialect shows it.
#[derive(Clone, Copy, Debug)]
pub enum EmojiText<'a> {
    /// The emoji itself.
    Standard(&'a str),
    /// A guild's own by name and id.
    Custom(&'a str, UuidText),
}

impl<'a> EmojiText<'a> {
    /// Either kind.
    pub fn new(emoji: &'a Emoji, spelling: &Spelling) -> Self {
        match emoji {
            Emoji::Standard(text) => Self::Standard(text),
            Emoji::Custom(custom) => Self::Custom(&custom.name, spelling.uuid(custom.id)),
        }
    }
}

impl fmt::Display for EmojiText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(text) => f.write_str(text),
            Self::Custom(name, id) => write!(f, "{name}:{}", &**id),
        }
    }
}

impl Serialize for EmojiText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::Id;
    use proptest::prelude::*;

    use super::*;

    const SPELLING: Spelling = Spelling::new(7);

    #[test]
    fn what_is_shown_is_read_back_in_either_spelling() {
        let beer = Emoji::Custom(CustomEmoji {
            id: Id::new(1_500_000_000_000_000_007).unwrap(),
            name: "beer".to_owned(),
            is_animated: true,
        });
        let shown = EmojiText::new(&beer, &SPELLING).to_string();
        assert_eq!(read(&shown, &SPELLING), Some(beer.clone()));
        assert_eq!(read("beer:1500000000000000007", &SPELLING), Some(beer));
        assert_eq!(read("👍", &SPELLING), parse_emoji("👍").ok());
    }

    #[test]
    fn what_names_nothing_is_no_emoji() {
        let long = format!("{}:1500000000000000007", "a".repeat(EMOJI_CHARS_MAX));
        for text in ["", "beer", "beer:", ":", "beer:0", "beer:x", "👍:", &long] {
            assert_eq!(read(text, &SPELLING), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text: String) {
            let _ = read(&text, &SPELLING);
        }
    }
}
