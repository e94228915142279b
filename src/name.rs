//! The one rule for names that become folder names, label values and parts of container names: accounts and providers.

use std::fmt;

/// The longest name allowed, in bytes.
const MAX_LENGTH: usize = 64;

/// What a name may look like, in words, for error messages.
pub const RULE: &str = "a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`";

/// Names an account cannot have, because files of our own stand beside the accounts' folders.
const RESERVED_ACCOUNTS: &[&str] = &["config.yaml", "providers.yaml"];

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} name {shown}: {problem}")]
pub struct Error {
    kind: &'static str,
    shown: String,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("it is empty")]
    Empty,
    #[error("it is {0} bytes long")]
    TooLong(usize),
    #[error("it begins with {0:?}")]
    Start(char),
    #[error("it contains {0:?}")]
    Character(char),
    #[error("claude-reactor keeps a file of its own under that name")]
    Reserved,
}

impl Error {
    /// What is wrong, without the name.
    pub fn problem(&self) -> String {
        self.problem.to_string()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self.problem {
            Problem::Reserved => "choose another name".to_owned(),
            _ => RULE.to_owned(),
        })
    }
}

fn check(kind: &'static str, text: &str) -> Result<(), Error> {
    let fail = |problem| {
        // A name that is far too long would drown the message.
        let shown: String = text.chars().take(MAX_LENGTH + 8).collect();
        let cut = if shown.len() < text.len() { "…" } else { "" };
        Err(Error { kind, shown: format!("{shown:?}{cut}"), problem })
    };
    let Some(first) = text.chars().next() else { return fail(Problem::Empty) };
    if !first.is_ascii_alphanumeric() {
        return fail(Problem::Start(first));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        return fail(Problem::Character(bad));
    }
    if text.len() > MAX_LENGTH {
        return fail(Problem::TooLong(text.len()));
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $reserved:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                check($kind, text)?;
                let reserved: &[&str] = $reserved;
                if reserved.iter().any(|name| name.eq_ignore_ascii_case(text)) {
                    return Err(Error { kind: $kind, shown: format!("{text:?}"), problem: Problem::Reserved });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(
    /// Whose credentials and sessions are used.
    AccountName,
    "account",
    RESERVED_ACCOUNTS
);
name_type!(
    /// An LLM backend, by the name of its row in the catalogue or of the user's own.
    ProviderId,
    "provider",
    &[]
);

/// The provider that is Anthropic itself.
const CLAUDE: &str = "claude";

impl ProviderId {
    /// Anthropic itself: the provider of a project that chose none.
    pub fn claude() -> Self {
        Self(CLAUDE.to_owned())
    }

    /// Whether this is Anthropic itself.
    pub fn is_claude(&self) -> bool {
        self.0 == CLAUDE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_of_the_rule_passes(name in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}") {
            prop_assume!(!RESERVED_ACCOUNTS.contains(&name.to_ascii_lowercase().as_str()));
            let parsed: AccountName = name.parse().unwrap();
            prop_assert_eq!(parsed.as_str(), name);
        }

        #[test]
        fn a_name_that_passes_is_one_path_component(text in any::<String>()) {
            if let Ok(name) = text.parse::<AccountName>() {
                let mut parts = std::path::Path::new(name.as_str()).components();
                prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(_))));
                prop_assert!(parts.next().is_none());
            }
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let message = |text: &str| text.parse::<AccountName>().unwrap_err().to_string();
        assert_eq!(message(""), r#"account name "": it is empty"#);
        assert_eq!(message("../../x"), r#"account name "../../x": it begins with '.'"#);
        assert_eq!(message("a/b"), r#"account name "a/b": it contains '/'"#);
        assert_eq!(message("a\u{7}b"), r#"account name "a\u{7}b": it contains '\u{7}'"#);
        assert_eq!(
            message("config.yaml"),
            r#"account name "config.yaml": claude-reactor keeps a file of its own under that name"#
        );
        assert!(message(&"a".repeat(65)).ends_with("it is 65 bytes long"));
    }
}
