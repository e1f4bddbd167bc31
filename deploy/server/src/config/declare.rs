//! The declaration of settings: one macro that makes the struct, the reader and the documents of
//! each part from one list, so that they cannot drift apart.

use std::collections::BTreeMap;

use super::Mistake;
use super::setting::Setting;
use super::source::{Found, Given, Sources};
use super::tree::TREE;

/// What holds where nobody says anything, and between which bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The default as text; empty for an optional setting that is not set.
    pub(super) default: &'static str,
    /// A value to show where the default is "not set".
    pub(super) instance: Option<&'static str>,
    /// The least and the greatest value allowed.
    pub(super) bounds: Option<(&'static str, &'static str)>,
}

impl Rule {
    /// A setting with this value unless somebody says otherwise.
    pub(super) const fn default(default: &'static str) -> Self {
        Self {
            default,
            instance: None,
            bounds: None,
        }
    }

    /// A setting that is not set unless somebody sets it, for example to `instance`.
    pub(super) const fn unset(instance: &'static str) -> Self {
        Self {
            default: "",
            instance: Some(instance),
            bounds: None,
        }
    }

    /// Allows values from `least` to `greatest` only, both included.
    pub(super) const fn between(mut self, least: &'static str, greatest: &'static str) -> Self {
        self.bounds = Some((least, greatest));
        self
    }
}

/// A part of the tree, as documented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The table in TOML.
    pub(super) name: &'static str,
    /// The lines of its documentation.
    pub(super) doc: &'static [&'static str],
    /// Its settings in the order of the declaration.
    pub(super) settings: &'static [Entry],
}

/// A setting, as documented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The key in its part.
    pub(super) key: &'static str,
    /// The lines of its documentation.
    pub(super) doc: &'static [&'static str],
    /// Its default and bounds.
    pub(super) rule: Rule,
    /// What a value looks like.
    pub(super) expected: &'static str,
    /// Whether TOML writes it without quotes.
    pub(super) is_bare: bool,
}

/// Declares the parts of the tree.
macro_rules! parts {
    ($(
        $(#[doc = $part_doc:literal])+
        $part:ident: $name:ident {$(
            $(#[doc = $doc:literal])+
            $key:ident: $type:ty = $rule:expr;
        )+}
    )+) => {
        /// The whole configuration of a node.
        #[derive(Clone, Debug)]
        pub struct Config {$(
            $(#[doc = $part_doc])+
            pub $part: $name,
        )+}

        $(
            $(#[doc = $part_doc])+
            #[derive(Clone, Debug)]
            pub struct $name {$(
                $(#[doc = $doc])+
                pub $key: $type,
            )+}
        )+

        impl Config {
            /// Takes every setting from the reader, which collects the mistakes.
            pub(super) fn read(reader: &mut Reader) -> Self {
                Self {$(
                    $part: $name {$(
                        $key: reader.take(stringify!($part), stringify!($key), $rule),
                    )+},
                )+}
            }

            /// Every setting as text, parts and keys in the order of the declaration.
            pub(super) fn texts(&self) -> Vec<Vec<String>> {
                vec![$(vec![$(Setting::text(&self.$part.$key)),+]),+]
            }
        }

        /// The documentation of every part and setting.
        pub(super) const TREE: &[Part] = &[$(
            Part {
                name: stringify!($part),
                doc: &[$($part_doc),+],
                settings: &[$(
                    Entry {
                        key: stringify!($key),
                        doc: &[$($doc),+],
                        rule: $rule,
                        expected: <$type as Setting>::EXPECTED,
                        is_bare: <$type as Setting>::IS_BARE,
                    },
                )+],
            },
        )+];
    };
}
pub(super) use parts;

/// Gives out what the sources say, setting by setting, and collects what is wrong with it.
pub(super) struct Reader {
    given: BTreeMap<(String, String), Vec<Given>>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn new(sources: &Sources) -> Self {
        let mut mistakes = Vec::new();
        let mut given: BTreeMap<_, Vec<Given>> = BTreeMap::new();
        for (path, value) in sources.gather(&mut mistakes) {
            given.entry(path).or_default().push(value);
        }
        Self { given, mistakes }
    }

    /// The value of a setting. Where it is wrong the default stands in, which nobody will see:
    /// a reader with mistakes yields no configuration.
    pub(super) fn take<T: Setting>(&mut self, part: &str, key: &str, rule: Rule) -> T {
        let path = (part.to_owned(), key.to_owned());
        let mut value = T::parse(rule.default).expect("defaults parse, a test holds it");
        // A value that a later source overrides is checked all the same: it is a mistake that
        // waits for the override to go away.
        for given in self.given.remove(&path).unwrap_or_default() {
            match judge::<T>(&given.found, rule) {
                Ok(judged) => value = judged,
                Err(what) => self.mistakes.push(Mistake {
                    origin: Some(given.origin),
                    path: format!("{part}.{key}"),
                    what,
                }),
            }
        }
        value
    }

    /// All mistakes; what nobody has taken is one, too.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        for ((part, key), all) in self.given {
            for given in all {
                self.mistakes.push(Mistake {
                    origin: Some(given.origin),
                    path: join(&part, &key),
                    what: unknown(&part),
                });
            }
        }
        self.mistakes
    }
}

fn join(part: &str, key: &str) -> String {
    if key.is_empty() {
        part.to_owned()
    } else {
        format!("{part}.{key}")
    }
}

fn unknown(part: &str) -> String {
    if let Some(known) = TREE.iter().find(|known| known.name == part) {
        let keys: Vec<_> = known.settings.iter().map(|entry| entry.key).collect();
        return format!("unknown setting, [{part}] has {}", keys.join(", "));
    }
    let parts: Vec<_> = TREE.iter().map(|part| part.name).collect();
    format!("unknown part, there are {}", parts.join(", "))
}

/// The value that was found, or what is wrong with it.
fn judge<T: Setting>(found: &Found, rule: Rule) -> Result<T, String> {
    let expected = T::EXPECTED;
    let text = match found {
        Found::Quoted(_) if T::IS_BARE => {
            return Err(format!("expected {expected} without quotes"));
        }
        Found::Quoted(text) | Found::Bare(text) | Found::Untyped(text) => text.trim(),
        Found::Other(kind) => return Err(format!("expected {expected}, found {kind}")),
    };
    let shown = if T::IS_SECRET { "***" } else { text };
    let Some(value) = T::parse(text) else {
        return Err(format!("expected {expected}, found {shown:?}"));
    };
    if let Some((least, greatest)) = rule.bounds {
        let is_within = |bound: &str, is_least: bool| {
            let bound = T::parse(bound).expect("bounds parse, a test holds it");
            value
                .order(&bound)
                .is_some_and(|order| order.is_eq() || order.is_gt() == is_least)
        };
        if !(is_within(least, true) && is_within(greatest, false)) {
            return Err(format!("expected {least} to {greatest}, found {shown}"));
        }
    }
    Ok(value)
}
