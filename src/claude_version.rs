//! A version of Claude Code, as npm numbers it.

use std::fmt;
use std::str::FromStr;

/// A version by its three numbers. What npm has of it is seen when an image is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaudeVersion([u32; 3]);

/// A text that is no version. It may hold anything.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is no version of Claude Code", .0.chars().take(40).collect::<String>().escape_debug())]
pub struct Error(String);

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> String {
        "a version is three numbers, for example `2.1.329`".to_owned()
    }
}

impl fmt::Display for ClaudeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl FromStr for ClaudeVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error(text.to_owned());
        let numbers: Vec<u32> = text
            .split('.')
            .map(|part| part.parse().ok().filter(|number: &u32| number.to_string() == part))
            .collect::<Option<_>>()
            .ok_or_else(error)?;
        numbers.try_into().map(Self).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_compare_as_such() {
        let version = |text: &str| text.parse::<ClaudeVersion>().unwrap();
        assert_eq!(version("2.1.329").to_string(), "2.1.329");
        assert!(version("2.1.99") < version("2.1.329") && version("2.10.0") > version("2.9.9"));
        for other in
            ["", "2", "2.1", "2.1.3.4", "v2.1.3", "2.1.x", "2.01.3", "2.1.+3", "latest", "2.1.99999999999"]
        {
            assert!(other.parse::<ClaudeVersion>().is_err(), "{other:?}");
        }
        let hostile = "\u{1b}[2J".parse::<ClaudeVersion>().unwrap_err().to_string();
        assert!(!hostile.contains(char::is_control), "{hostile:?}");
    }
}
