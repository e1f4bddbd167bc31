//! Which part of a file is asked for: one range of bytes (RFC 9110 §14).

use std::ops::Range;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: without a range, or with one that we do not understand. Several ranges at a time
    /// are among those: they would be answered with a format that nobody needs here.
    Whole,
    /// A part that is there.
    Part(Range<u64>),
    /// A part of which nothing is there.
    Nothing,
}

/// Reads the header `Range` for a file of `length` bytes.
pub(crate) fn read(header: Option<&str>, length: u64) -> Wanted {
    let Some((first, last)) = header.and_then(bounds) else {
        return Wanted::Whole;
    };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Wanted::Whole,
        (Some(first), last) => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            first..end
        }
        (None, Some(suffix)) => length.saturating_sub(suffix)..length,
        (None, None) => return Wanted::Whole,
    };
    if range.is_empty() {
        Wanted::Nothing
    } else {
        Wanted::Part(range)
    }
}

/// The two numbers of `bytes=FIRST-LAST`, either of which may be left out.
fn bounds(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = header.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    unit.eq_ignore_ascii_case("bytes").then_some(())?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (is_number(first) && is_number(last)).then(|| (number(first), number(last)))
}

/// A number of any length; one that is larger than any file is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_there = !digits.is_empty();
    is_there.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_range_is_a_part_or_nothing() {
        for (header, wanted) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=0-99", Wanted::Part(0..10)),
            ("bytes=9-", Wanted::Part(9..10)),
            ("bytes=3-5", Wanted::Part(3..6)),
            ("BYTES=3-5", Wanted::Part(3..6)),
            ("bytes= 3-5", Wanted::Part(3..6)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=0-18446744073709551615", Wanted::Part(0..10)),
            ("bytes=0-99999999999999999999", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-20", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=99999999999999999999-", Wanted::Nothing),
        ] {
            assert_eq!(read(Some(header), 10), wanted, "{header}");
        }
        assert_eq!(read(Some("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(read(Some("bytes=-5"), 0), Wanted::Nothing);
    }

    #[test]
    fn what_is_not_understood_is_passed_over() {
        assert_eq!(read(None, 10), Wanted::Whole);
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-2,4-5",
            "bytes=1--2",
            "items=1-2",
            "bytes=1 - 2",
        ] {
            assert_eq!(read(Some(header), 10), Wanted::Whole, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_file(header in "bytes=[0-9]{0,3}-[0-9]{0,3}", length in 0_u64..500) {
            if let Wanted::Part(range) = read(Some(&header), length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }

        #[test]
        fn any_header_is_read(header: String, length: u64) {
            read(Some(&header), length);
        }
    }
}
