//! Words of the program that come from another node and live as long as the process again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer};

/// Words that are kept at most. The program has some hundred of them; a node of another version may
/// bring a few more.
const WORDS_MAX: usize = 4_096;
/// What stands for words above the bound.
const UNKNOWN: &str = "something";

static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same text, kept for ever. Each text takes its memory once, and there is a bound on how many.
pub fn intern(text: &str) -> &'static str {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(text) {
        return word;
    }
    if words.len() >= WORDS_MAX {
        return UNKNOWN;
    }
    let word: &'static str = Box::leak(Box::from(text));
    words.insert(word);
    word
}

/// Reads a text that is one of the program's own words.
pub(crate) fn interned<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    Cow::<str>::deserialize(from).map(|text| intern(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once() {
        let (first, second) = (intern("members"), intern(&String::from("members")));
        assert!(std::ptr::eq(first, second));
        assert_ne!(intern("roles"), first);
    }
}
