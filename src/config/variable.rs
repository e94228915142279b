//! The `env` of a configuration file: variables for every process in the container, none of them a secret.

use super::secret_like::is_secret;

/// A variable's value, and where it stands for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The value.
    pub value: String,
    /// File, line, column and key.
    pub place: String,
}

/// What is wrong with a variable of `env`, and what to do about it. The value is not quoted: it may be a secret.
pub fn problem(name: &str, value: &str) -> Option<(String, String)> {
    let problem = |problem: &str, hint: &str| Some((problem.to_owned(), hint.to_owned()));
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    if !first || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return problem(
            "it cannot be the name of a variable",
            "a name is letters, digits and `_`, and does not begin with a digit",
        );
    }
    if is_secret(name, value) {
        return problem(
            "this looks like a secret, which is not to be in this file: `inspect` would show it",
            "put it into the provider's own file, `~/.claude-reactor/{account}/llms/{provider}/.env`",
        );
    }
    if value.contains('\0') {
        return problem("a variable cannot hold a NUL", "leave it out");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_refused_by_its_name_or_its_looks_and_never_quoted() {
        for (name, value) in [("DEPLOY_TOKEN", "hunter2"), ("NOTE", "sk-ant-hunter2-hunter2")] {
            let (problem, hint) = problem(name, value).unwrap();
            assert!(problem.contains("looks like a secret") && hint.contains(".env"));
            assert!(!format!("{problem}{hint}").contains("hunter2"));
        }
    }

    #[test]
    fn names() {
        assert_eq!(problem("EDITOR", "vim"), None);
        for name in ["", "2X", "A-B", "A=B", "A B"] {
            assert!(problem(name, "x").unwrap().0.contains("name of a variable"), "{name}");
        }
    }
}
