//! What a container may use at most of the machine.

use std::fmt;

use super::ValueText;

/// The share of the machine's processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpus(i64);

/// Main memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(i64);

/// Processes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pids(i64);

/// A billionth of a processor is what the engines count in.
const NANOS: i64 = 1_000_000_000;
/// The least that the engines take.
const LEAST_CPUS: i64 = NANOS / 100;
const LEAST_MEMORY: i64 = 6 << 20;

impl Cpus {
    /// Billionths of a processor.
    pub fn nanos(self) -> i64 {
        self.0
    }
}

impl Memory {
    /// Bytes.
    pub fn bytes(self) -> i64 {
        self.0
    }
}

impl Pids {
    /// More than any build needs; a fork bomb ends there.
    pub const DEFAULT: Self = Self(4096);

    /// How many.
    pub fn count(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / NANOS, self.0 % NANOS);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("g", 30), ("m", 20), ("k", 10)] {
            if self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Pids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn refuse(text: &str, what: &str, hint: &str) -> (String, Option<String>) {
    let shown: String = text.chars().take(80).collect();
    (format!("{shown:?} is not {what}"), Some(hint.to_owned()))
}

/// A plain decimal of at most nine places, in billionths.
fn billionths(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let long = whole.len() > 19 || fraction.len() > 9;
    if long || whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<9}").parse().ok()
}

impl ValueText for Cpus {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        let nanos = billionths(text).and_then(|nanos| i64::try_from(nanos).ok());
        nanos.filter(|nanos| *nanos >= LEAST_CPUS).map(Self).ok_or_else(|| {
            refuse(text, "a number of processors", "a decimal from 0.01 upwards, for example `1.5`")
        })
    }
}

impl ValueText for Memory {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        let lower = text.to_ascii_lowercase();
        let plain = lower.strip_suffix("ib").or_else(|| lower.strip_suffix('b')).unwrap_or(&lower);
        let (number, shift) = match plain.chars().next_back() {
            Some('k') => (&plain[..plain.len() - 1], 10),
            Some('m') => (&plain[..plain.len() - 1], 20),
            Some('g') => (&plain[..plain.len() - 1], 30),
            Some('t') => (&plain[..plain.len() - 1], 40),
            _ => (plain, 0),
        };
        let bytes = billionths(number).and_then(|number| number.checked_mul(1 << shift));
        let bytes = bytes.and_then(|bytes| i64::try_from(bytes / i128::from(NANOS)).ok());
        bytes
            .filter(|bytes| *bytes >= LEAST_MEMORY)
            .map(Self)
            .ok_or_else(|| refuse(text, "an amount of memory", "6m or more, for example `512m` or `4g`"))
    }
}

impl ValueText for Pids {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let count = if is_number { text.parse().ok() } else { None };
        count
            .filter(|count| *count > 0)
            .map(Self)
            .ok_or_else(|| refuse(text, "a number of processes", "a whole number from 1 upwards"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn processors() {
        for (text, nanos) in
            [("2", 2 * NANOS), ("1.5", NANOS * 3 / 2), ("0.01", LEAST_CPUS), (".5", NANOS / 2)]
        {
            assert_eq!(Cpus::from_text(text).unwrap().nanos(), nanos, "{text}");
        }
        for text in ["", ".", "0", "0.001", "-1", "1e3", "1,5", "two", "1.0000000001", "99999999999999"] {
            assert!(Cpus::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("4g", 4 << 30),
            ("4G", 4 << 30),
            ("1.5gb", 3 << 29),
            ("2GiB", 2 << 30),
            ("8388608", 8 << 20),
            ("8388608b", 8 << 20),
            ("16384k", 16 << 20),
        ] {
            assert_eq!(Memory::from_text(text).unwrap().bytes(), bytes, "{text}");
        }
        for text in ["", "m", "0", "1m", "512", "-4g", "4 g", "4x", "lots", "99999999t"] {
            assert!(Memory::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn processes() {
        assert_eq!(Pids::from_text("200").unwrap().count(), 200);
        for text in ["", "0", "-1", "+5", "1.5", "many", "99999999999999999999"] {
            assert!(Pids::from_text(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in LEAST_CPUS..i64::MAX / 2, bytes in LEAST_MEMORY..i64::MAX, pids in 1..i64::MAX) {
            prop_assert_eq!(Cpus::from_text(&Cpus(nanos).to_string()), Ok(Cpus(nanos)));
            prop_assert_eq!(Memory::from_text(&Memory(bytes).to_string()), Ok(Memory(bytes)));
            prop_assert_eq!(Pids::from_text(&Pids(pids).to_string()), Ok(Pids(pids)));
        }
    }
}
