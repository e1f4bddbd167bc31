//! The command line's values: times and rates, with their bounds.

use std::time::Duration;

/// The longest time that a run may be given.
const DURATION_MAX: Duration = Duration::from_hours(24);
/// The least and the greatest rate, in posts per second.
const RATES: (f64, f64) = (0.1, 100_000.0);

/// Parses `30s`, `500ms`, `5m` or `1h`, above zero and up to a day.
///
/// # Errors
/// What the command line shows to the user.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: u64 = number
        .parse()
        .map_err(|_| "a number with a unit is needed, such as 30s".to_owned())?;
    let ms = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let ms = ms.ok_or("the unit must be ms, s, m or h")?;
    let duration = Duration::from_millis(number.saturating_mul(ms));
    if duration.is_zero() || DURATION_MAX < duration {
        return Err("it must be above zero and at most 24h".to_owned());
    }
    Ok(duration)
}

/// Parses a rate per second.
///
/// # Errors
/// What the command line shows to the user.
pub fn rate(text: &str) -> Result<f64, String> {
    let (least, most) = RATES;
    match text.parse::<f64>() {
        Ok(rate) if (least..=most).contains(&rate) => Ok(rate),
        _ => Err(format!("a number from {least} to {most} is needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("24h"), Ok(DURATION_MAX));
        for wrong in [
            "",
            "s",
            "5",
            "0s",
            "25h",
            "99999999999999999999h",
            "1.5s",
            "-1s",
            "5 s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_are_numbers_within_bounds() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e9"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
