//! What makes a type a setting: how its text is read, written, described and compared.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A type that settings may have.
pub(super) trait Setting: Sized {
    /// What a value looks like, to follow the word "expected".
    const EXPECTED: &'static str;
    /// Whether TOML writes it without quotes.
    const IS_BARE: bool = false;
    /// Whether its value may be shown to nobody.
    const IS_SECRET: bool = false;

    /// Reads a value; `None` where the text is none.
    fn parse(text: &str) -> Option<Self>;

    /// Writes a value so that [`Self::parse`] reads it back; of a secret only `***`.
    fn text(&self) -> String;

    /// Compares two values of a type that has bounds.
    fn order(&self, _other: &Self) -> Option<Ordering> {
        None
    }
}

/// Implements [`Setting`] for numbers.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            const EXPECTED: &'static str = "a whole number";
            const IS_BARE: bool = true;

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn order(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )+};
}
numbers!(u16, u32, u64);

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an IP address with a port such as 127.0.0.1:8080 or [::1]:0";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        // A zero byte can be in a TOML string, but in no path of the system.
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }

    fn text(&self) -> String {
        // Paths come from text, so nothing is lost here.
        self.display().to_string()
    }
}

/// An optional setting: empty text means "not set".
impl<T: Setting> Setting for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const IS_BARE: bool = T::IS_BARE;
    const IS_SECRET: bool = T::IS_SECRET;

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(None)
        } else {
            T::parse(text).map(Some)
        }
    }

    fn text(&self) -> String {
        self.as_ref().map_or_else(String::new, T::text)
    }

    /// What is not set is within all bounds.
    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Some(one), Some(other)) => one.order(other),
            _ => Some(Ordering::Equal),
        }
    }
}
