//! Accounts of earlier versions whose names are not taken any more.

use std::collections::BTreeSet;
use std::path::Path;

use crate::name::AccountName;

/// The names of old accounts that cannot be accounts here, with what is wrong with each. Earlier versions took any text.
pub fn refused_names(reactor_home: &Path) -> Vec<(String, String)> {
    let Ok(entries) = reactor_home.read_dir() else { return Vec::new() };
    let names: BTreeSet<String> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            account_of(&file, is_dir).map(str::to_owned)
        })
        .collect();
    let refused = |name: String| {
        let error = name.parse::<AccountName>().err()?;
        Some((name, error.problem()))
    };
    names.into_iter().filter_map(refused).collect()
}

/// Whose an entry of claude-reactor's home was.
fn account_of(file: &str, is_dir: bool) -> Option<&str> {
    let of_key = || file.strip_prefix(".claude-reactor-")?.strip_suffix("-env");
    let of_state = || file.strip_prefix('.')?.strip_suffix("-claude.json");
    if is_dir {
        return (!file.starts_with('.')).then_some(file);
    }
    of_key().or_else(of_state).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_are_told() {
        let home = tempfile::tempdir().unwrap();
        for file in [
            ".my team-claude.json",
            ".claude-reactor-my team-env",
            ".bob-claude.json",
            "config.yaml",
            ".x",
            "my notes",
        ] {
            std::fs::write(home.path().join(file), "").unwrap();
        }
        for folder in ["alice", ".run", "a@b"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let expected = [("a@b", "it contains '@'"), ("my team", "it contains ' '")];
        assert_eq!(refused_names(home.path()), expected.map(|(name, why)| (name.to_owned(), why.to_owned())));
        assert!(refused_names(Path::new("/nowhere")).is_empty());
    }
}
