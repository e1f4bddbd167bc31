//! Durations such as `15m` and sizes such as `64MiB`: a number and one unit.

use std::cmp::Ordering;
use std::time::Duration;

use super::setting::Setting;

const DURATION_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const SIZE_UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// An amount of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration such as 250ms, 10s, 15m, 24h or 30d";

    fn parse(text: &str) -> Option<Self> {
        parse(text, &DURATION_UNITS).map(Self::from_millis)
    }

    fn text(&self) -> String {
        duration_text(*self)
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Setting for ByteSize {
    const EXPECTED: &'static str = "a size such as 512B, 64KiB, 64MiB or 1GiB";

    fn parse(text: &str) -> Option<Self> {
        parse(text, &SIZE_UNITS).map(Self)
    }

    fn text(&self) -> String {
        text(self.0, &SIZE_UNITS)
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A duration in the largest unit that shows it exactly, to the millisecond.
pub(super) fn duration_text(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    text(ms, &DURATION_UNITS)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

fn text(value: u64, units: &[(&str, u64)]) -> String {
    let exact = units
        .iter()
        .find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale));
    let (name, scale) = exact.or(units.last()).expect("there are units");
    format!("{}{name}", value / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_unit_is_asked_for() {
        for wrong in [
            "",
            "15",
            "m",
            "-1s",
            "1.5s",
            "10 parsecs",
            "1s ",
            "99999999999999999d",
        ] {
            assert_eq!(Duration::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(Duration::parse("15 m"), Some(Duration::from_mins(15)));
        assert_eq!(ByteSize::parse("64MB"), None);
        assert_eq!(ByteSize::parse("64MiB"), Some(ByteSize(64 << 20)));
    }

    #[test]
    fn the_largest_exact_unit_is_shown() {
        assert_eq!(duration_text(Duration::from_millis(41_250)), "41250ms");
        assert_eq!(duration_text(Duration::from_hours(24)), "1d");
        assert_eq!(duration_text(Duration::ZERO), "0ms");
        assert_eq!(ByteSize(1536).text(), "1536B");
    }

    proptest! {
        #[test]
        fn parse_inverts_text(ms in 0..u64::MAX) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(Duration::parse(&duration.text()), Some(duration));
            prop_assert_eq!(ByteSize::parse(&ByteSize(ms).text()), Some(ByteSize(ms)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Duration::parse(&text);
        }
    }
}
