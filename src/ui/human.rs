//! Sizes and times as people say them, and times as programs read them.

use std::time::{Duration, SystemTime};

/// A size in bytes: `1.2 GB`, in powers of ten as `docker images` writes it.
pub fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// How long ago something was: `just now`, `5 minutes ago`, `3 days ago`.
pub fn ago(time: SystemTime, now: SystemTime) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86400, "year"), (86400, "day"), (3600, "hour"), (60, "minute")];
    let seconds = now.duration_since(time).unwrap_or(Duration::ZERO).as_secs();
    let unit = UNITS.iter().find(|(length, _)| seconds >= *length);
    unit.map_or("just now".to_owned(), |(length, name)| {
        let count = seconds / length;
        format!("{count} {name}{} ago", if count == 1 { "" } else { "s" })
    })
}

/// A time for programs: `2026-11-27T21:33:44Z` (RFC 3339, UTC, to the second).
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (seconds, told) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400, "1 day ago"),
            (800 * 86_400, "2 years ago"),
        ] {
            assert_eq!(ago(now - Duration::from_secs(seconds), now), told);
        }
        assert_eq!(ago(now + Duration::from_secs(60), now), "just now", "a clock that was set back");
        assert_eq!(rfc3339(now), "2001-09-09T01:46:40Z");
    }
}
