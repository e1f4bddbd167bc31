//! Ids and tags as small numbers: a history names each of them thousands of times.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::history::Text;

/// An id, nonce or tag of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(NonZeroU32);

/// All names of a history.
#[derive(Debug, Default)]
pub(super) struct Names {
    texts: Vec<Arc<str>>,
    known: HashMap<Arc<str>, Name>,
}

impl Names {
    /// The name of a text, new or known.
    pub(super) fn of(&mut self, text: &str) -> Name {
        if let Some(name) = self.known.get(text) {
            return *name;
        }
        let shared: Arc<str> = text.into();
        self.texts.push(Arc::clone(&shared));
        let number = u32::try_from(self.texts.len()).expect("intake bounds the number of lines");
        let name = Name(NonZeroU32::new(number).expect("the length after a push is not zero"));
        self.known.insert(shared, name);
        name
    }

    /// The name of a text that may be missing.
    pub(super) fn of_some(&mut self, text: Option<&Text<'_>>) -> Option<Name> {
        text.map(|text| self.of(text.as_str()))
    }

    /// The name of a text that is known.
    pub(super) fn known(&self, text: &str) -> Option<Name> {
        self.known.get(text).copied()
    }

    /// What a name stands for.
    pub(super) fn text(&self, name: Name) -> &str {
        &self.texts[name.0.get() as usize - 1]
    }

    /// What a name stands for, or a dash.
    pub(super) fn text_or_dash(&self, name: Option<Name>) -> &str {
        name.map_or("-", |name| self.text(name))
    }

    /// The order of ids: by length, then by bytes. It is the numeric order of decimal snowflakes,
    /// and the order of the UUIDs that stand for them.
    pub(super) fn compare_ids(&self, a: Name, b: Name) -> Ordering {
        let (a, b) = (self.text(a), self.text(b));
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_as_their_numbers_do() {
        let mut names = Names::default();
        let (nine, ten) = (names.of("9"), names.of("10"));
        assert_eq!(names.compare_ids(nine, ten), Ordering::Less);
        assert_eq!(names.of("9"), nine);
        assert_eq!(names.text(ten), "10");
    }
}
