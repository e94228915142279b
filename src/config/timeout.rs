//! How long something may take, in the words that Go has for durations: `5m`, `1h30m`, `0` for no limit.

use std::fmt;
use std::time::Duration;

use super::ValueText;

/// The units, largest first, with their nanoseconds.
const UNITS: [(&str, u128); 7] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// A limit of time. Zero is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(Duration);

impl Timeout {
    /// Five minutes, as the Go tool had it.
    pub const DEFAULT: Self = Self(Duration::from_secs(5 * 60));

    /// The limit, or nothing where there is none.
    pub fn limit(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_nanos();
        if left == 0 {
            return f.write_str("0");
        }
        for (unit, size) in UNITS.into_iter().filter(|(unit, _)| *unit != "µs") {
            if left >= size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        Ok(())
    }
}

impl ValueText for Timeout {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        let fail = || {
            let shown: String = text.chars().take(80).collect();
            let hint = "for example `5m`, `1h30m`, or `0` for no limit".to_owned();
            (format!("{shown:?} is not a duration"), Some(hint))
        };
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        if text.is_empty() {
            return Err(fail());
        }
        let (mut rest, mut total) = (text, 0_u128);
        while !rest.is_empty() {
            let (nanos, after) = term(rest).ok_or_else(fail)?;
            total = total.checked_add(nanos).ok_or_else(fail)?;
            rest = after;
        }
        // Go's durations end at 292 years.
        let nanos =
            u64::try_from(total).ok().filter(|nanos| i64::try_from(*nanos).is_ok()).ok_or_else(fail)?;
        Ok(Self(Duration::from_nanos(nanos)))
    }
}

/// The nanoseconds of the first number with its unit, and what follows.
fn term(text: &str) -> Option<(u128, &str)> {
    let number_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0_u128) } else { text.parse().ok() };
    // Digits beyond a hundredth of a nanosecond say nothing.
    let fraction = &fraction[..fraction.len().min(15)];
    let part = digits(fraction)?.checked_mul(size)? / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some((digits(whole)?.checked_mul(size)?.checked_add(part)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Duration> {
        Timeout::from_text(text).ok().map(|timeout| timeout.0)
    }

    #[test]
    fn forms() {
        for (text, seconds) in
            [("5m", 300), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("0", 0), ("0s", 0), ("2m0.5m", 150)]
        {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(read("1.5ms"), Some(Duration::from_micros(1500)));
        assert_eq!(read(".5s"), Some(Duration::from_millis(500)));
        assert_eq!(read("1µs"), read("1us"));
    }

    #[test]
    fn what_is_none() {
        for text in
            ["", "5", "-5m", "5 m", "m", "5x", "1..5s", ".s", "1h-5m", "five", "9999999h", "1d", "5m\n"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        let (problem, hint) = Timeout::from_text("soon").unwrap_err();
        assert_eq!(problem, r#""soon" is not a duration"#);
        assert!(hint.unwrap().contains("5m"));
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(Timeout::from_text("0").unwrap().limit(), None);
        assert_eq!(Timeout::DEFAULT.limit(), Some(Duration::from_secs(300)));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..i64::MAX) {
            let timeout = Timeout(Duration::from_nanos(nanos.unsigned_abs()));
            prop_assert_eq!(Timeout::from_text(&timeout.to_string()), Ok(timeout));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9.hmsuµn -]{0,24}") {
            let _ = Timeout::from_text(&text);
        }
    }
}
