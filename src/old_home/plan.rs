//! What is to be done about what was found: a pure decision.

use std::path::PathBuf;

use super::Place;
use super::look::Found;
use super::old_key::{OldKey, Unusable};
use super::taken::Mark;

/// What is to be done, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    /// Folders to close to others.
    pub close: Vec<PathBuf>,
    /// What to do about the account's old key.
    pub key: Option<KeyStep>,
    /// Whether the account's old Claude state becomes the seed for its projects.
    pub keep_state: bool,
    /// Whether the old session dir's login becomes the account's.
    pub import_login: bool,
    /// Whether the project's Claude state is made, and of what.
    pub seed: Option<Seed>,
}

/// What to do about an old key.
#[derive(Debug)]
pub enum KeyStep {
    /// Store it.
    Import(OldKey),
    /// Store it if the user says that it is the user's own.
    Ask(OldKey),
    /// Note that it was seen: the account has another one.
    Superseded(OldKey),
    /// Say why it cannot be taken.
    Say {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What a project's Claude state is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// What is copied from the session dir.
    pub items: Vec<&'static str>,
    /// Whether the account's state is taken where the session dir has none.
    pub from_account: bool,
    /// Whether what the state knows of the project's folder is of this project. It goes by the path inside, which is the
    /// same for all.
    pub knows_project: bool,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.close.is_empty()
            && self.key.is_none()
            && !self.keep_state
            && !self.import_login
            && self.seed.is_none()
    }

    /// The plan in words, for `--dry-run`. A key that has to be asked about is not promised.
    pub fn in_words(&self, place: &Place<'_>) -> Vec<String> {
        let session_dir = place.session_dir.path().display();
        let mut words: Vec<String> =
            self.close.iter().map(|folder| format!("close {} to other users", folder.display())).collect();
        match &self.key {
            Some(KeyStep::Import(key)) => words.push(format!("import the API key in {}", key.path.display())),
            Some(KeyStep::Ask(key)) => words.push(format!("ask about the API key in {}", key.path.display())),
            Some(KeyStep::Superseded(_) | KeyStep::Say { .. }) | None => {}
        }
        if self.keep_state {
            words.push(format!("take over the account's Claude state from {}", place.old_state().display()));
        }
        if self.import_login {
            words.push(format!("import the subscription login in {session_dir}"));
        }
        if let Some(Seed { items, .. }) = &self.seed
            && !items.is_empty()
        {
            words.push(format!("take over {} from {session_dir}", items.join(", ")));
        }
        words
    }
}

/// Decides. With `key_given`, the user brings a key of another kind with this very command.
pub fn plan(found: Found, place: &Place<'_>, key_given: bool) -> Plan {
    let taken = found.taken;
    let keep_state = found.state && !found.has_seed && !taken.has(&Mark::State);
    let import_login = found.login.is_some() && !found.has_login && !taken.has(&Mark::Login);
    let items = if taken.has(&session_mark(place)) { Vec::new() } else { found.items };
    let from_account = found.has_seed || keep_state;
    let seed = (!found.has_claude_config && (from_account || !items.is_empty())).then_some(Seed {
        items,
        from_account,
        knows_project: found.has_session_dir,
    });
    let has_credential = found.has_key || found.chose_login;
    let key = match found.key {
        None => None,
        Some(Err(_)) if has_credential || key_given => None,
        Some(Err(Unusable { path, why })) => Some(KeyStep::Say { path, why }),
        Some(Ok(key)) if taken.has(&Mark::Key(key.digest())) => None,
        Some(Ok(key)) if has_credential || key_given => Some(KeyStep::Superseded(key)),
        Some(Ok(key)) if key.is_vouched_for => Some(KeyStep::Import(key)),
        Some(Ok(key)) => Some(KeyStep::Ask(key)),
    };
    Plan { close: found.open_folders, key, keep_state, import_login, seed }
}

pub(super) fn session_mark(place: &Place<'_>) -> Mark {
    let name = place.session_dir.path().file_name().unwrap_or_default();
    Mark::Session(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::Project;

    fn decide(found: Found, key_given: bool) -> Plan {
        let (home, account) = (Path::new("/h"), "alice".parse().unwrap());
        let project = Project::at(Path::new("/home/alice/my-app")).unwrap();
        let session_dir = project.session_dir(home, &account);
        let place = Place {
            reactor_home: home,
            account: &account,
            is_default_account: true,
            project: &project,
            session_dir: &session_dir,
            uid: 1000,
        };
        plan(found, &place, key_given)
    }

    fn key(is_vouched_for: bool) -> OldKey {
        OldKey { path: "/h/key".into(), value: "sk-a".into(), is_vouched_for, is_open: true }
    }

    #[test]
    fn where_nothing_is_found_nothing_is_done() {
        assert!(decide(Found::default(), false).is_empty());
        assert!(decide(Found { has_session_dir: true, has_key: true, ..Found::default() }, true).is_empty());
    }

    #[test]
    fn a_key_is_imported_only_where_there_is_no_credential() {
        let step = |found: Found, given| decide(found, given).key;
        let found = |is_vouched_for| Found { key: Some(Ok(key(is_vouched_for))), ..Found::default() };
        assert!(matches!(step(found(true), false), Some(KeyStep::Import(_))));
        assert!(matches!(step(found(false), false), Some(KeyStep::Ask(_))));
        assert!(matches!(step(found(true), true), Some(KeyStep::Superseded(_))));
        for there in [Found { has_key: true, ..found(false) }, Found { chose_login: true, ..found(true) }] {
            assert!(matches!(step(there, false), Some(KeyStep::Superseded(_))));
        }
        let unusable = || Some(Err(Unusable { path: "/h/key".into(), why: "it is a pipe".to_owned() }));
        assert!(matches!(
            step(Found { key: unusable(), ..Found::default() }, false),
            Some(KeyStep::Say { .. })
        ));
        assert!(step(Found { key: unusable(), has_key: true, ..Found::default() }, false).is_none());
    }

    #[test]
    fn a_projects_state_is_made_where_there_is_none_and_something_to_make_it_of() {
        let seed = |found: Found| decide(found, false).seed;
        assert_eq!(seed(Found { has_session_dir: true, ..Found::default() }), None);
        let fresh = seed(Found { has_seed: true, ..Found::default() });
        assert_eq!(fresh, Some(Seed { items: vec![], from_account: true, knows_project: false }));
        let old = || Found { state: true, items: vec!["agents"], has_session_dir: true, ..Found::default() };
        let wanted = Seed { items: vec!["agents"], from_account: true, knows_project: true };
        assert_eq!(seed(old()), Some(wanted));
        assert_eq!(seed(Found { has_claude_config: true, ..old() }), None);
    }
}
