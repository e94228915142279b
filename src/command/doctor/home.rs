//! claude-reactor's home: who may look into it, whose it is, and what lies in it that is no file of ours.
//!
//! What a session writes (history, Claude Code's own state) has the modes that the programs inside gave it, and is closed by
//! the folder around it; of that only the owner is looked at.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::check::{Check, Subject};
use crate::name::AccountName;
use crate::private_file::quoted;
use crate::project::FILE_NAME;
use crate::ui::one_line;

const HOME: Subject = Subject::new("home", "home");
const MODES: Subject = Subject::new("home-modes", "keys and folders closed");
const OWNERS: Subject = Subject::new("home-owners", "owners");
const LINKS: Subject = Subject::new("home-links", "links");
const OLD: Subject = Subject::new("old-files", "old key files");

/// Of what sessions wrote, no more than about this many are looked at: a history can be long, and the first ones tell of its
/// owner. What has to be private is looked at in any case.
const MOST: usize = 50_000;
/// So many are named in the line of a check; the remedy has all of them.
const NAMED: usize = 4;

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device.
    Other,
}

/// Something in the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) kind: Kind,
    /// Its permission bits.
    pub(super) mode: u32,
    /// Its owner's user id.
    pub(super) owner: u32,
    /// What holds for it.
    pub(super) rule: Rule,
}

/// What holds for something in the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nobody else may look into it, change it, or have it be somewhere else.
    Private,
    /// Nobody else may change it: it decides where keys go.
    Decisive,
    /// What a session wrote.
    OfSessions,
    /// A key of an earlier version.
    OldKey,
}

/// Looks at all of the home, and at old key files in the project.
pub(super) fn gather(reactor_home: &Path, project: Option<(&Path, &AccountName)>) -> Vec<Entry> {
    let (mut entries, mut of_sessions) = (Vec::new(), 0_usize);
    let mut waiting = vec![reactor_home.to_owned()];
    while let Some(path) = waiting.pop() {
        let below = path.strip_prefix(reactor_home).unwrap_or(Path::new(""));
        let Some(entry) = rule(below).and_then(|rule| entry(&path, rule, path == reactor_home)) else {
            continue;
        };
        of_sessions += usize::from(entry.rule == Rule::OfSessions);
        if entry.kind == Kind::Folder
            && (entry.rule != Rule::OfSessions || of_sessions < MOST)
            && let Ok(inside) = path.read_dir()
        {
            waiting.extend(inside.flatten().map(|entry| entry.path()));
        }
        entries.push(entry);
    }
    if let Some((root, account)) = project {
        let names = [".claude-reactor-env".to_owned(), format!(".claude-reactor-{account}-env")];
        entries.extend(names.iter().filter_map(|name| entry(&root.join(name), Rule::OldKey, false)));
    }
    entries.sort_by(|one, two| one.path.cmp(&two.path));
    entries
}

fn entry(path: &Path, rule: Rule, follow: bool) -> Option<Entry> {
    let meta = if follow { path.metadata() } else { path.symlink_metadata() }.ok()?;
    let kind = match meta.file_type() {
        kind if kind.is_symlink() => Kind::Link,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    Some(Entry { path: path.to_owned(), kind, mode: meta.mode() & 0o7777, owner: meta.uid(), rule })
}

/// What holds for a path below the home; nothing for what is not ours.
fn rule(below: &Path) -> Option<Rule> {
    let parts: Vec<&str> = below
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    if parts.len() != below.components().count() {
        return Some(Rule::OfSessions);
    }
    let is_old_key = |name: &str| {
        name.starts_with(FILE_NAME) && name.ends_with("-env")
            || name.starts_with('.') && name.ends_with("-claude.json")
    };
    match parts[..] {
        [] | ["config.yaml" | "providers.yaml"] | [_, "config.yaml"] => Some(Rule::Decisive),
        [name] if is_old_key(name) => Some(Rule::OldKey),
        // What is new there is notes of our own; a session's sockets come and go.
        [".run", ..] => Some(Rule::Private),
        [name, ..] if name.parse::<AccountName>().is_err() => None,
        // Claude Code writes there, and keeps its own files closed.
        [_, "llms", "claude", "login", name, ..] if name != ".credentials.json" => Some(Rule::OfSessions),
        [_] | [_, "llms", ..] | [_, _] => Some(Rule::Private),
        [_, _, FILE_NAME] => Some(Rule::Decisive),
        [_, _, "projects" | "providers" | "carried" | "policy" | "trusted" | "project-path"]
        | [_, _, "providers", _] => Some(Rule::Private),
        [_, _, name] if Path::new(name).extension().is_some_and(|end| end == "lock") => Some(Rule::Private),
        _ => Some(Rule::OfSessions),
    }
}

/// What is to be said of it.
pub(super) fn checks(entries: &[Entry], reactor_home: &Path, uid: u32) -> Vec<Check> {
    vec![
        home(entries, reactor_home),
        modes(entries),
        owners(entries, reactor_home, uid),
        links(entries),
        old_files(entries),
    ]
}

fn home(entries: &[Entry], reactor_home: &Path) -> Check {
    let shown = one_line(&reactor_home.display().to_string());
    match entries.iter().find(|entry| entry.path == reactor_home) {
        None => HOME.pass(format!("{shown} is made by the first run")),
        Some(Entry { kind: Kind::Folder, mode, .. }) => HOME.pass(format!("{shown} (mode {mode:04o})")),
        Some(_) => {
            HOME.fail(format!("{shown} is not a folder"), format!("mv {0} {0}.old", quoted(reactor_home)))
        }
    }
}

fn modes(entries: &[Entry]) -> Check {
    let wanted = |entry: &Entry| match (entry.rule, entry.kind) {
        (Rule::Private, Kind::Folder) if entry.mode & 0o077 != 0 => Some("700"),
        (Rule::Private, Kind::File) if entry.mode & 0o077 != 0 => Some("600"),
        (Rule::Decisive, Kind::Folder | Kind::File) if entry.mode & 0o022 != 0 => Some("go-w"),
        _ => None,
    };
    let open: Vec<(&Entry, &str)> =
        entries.iter().filter_map(|entry| Some((entry, wanted(entry)?))).collect();
    if open.is_empty() {
        return MODES.pass("nobody else can read your keys, or change what decides where they go");
    }
    let names = open.iter().map(|(entry, _)| format!("{} (mode {:04o})", shown(entry), entry.mode));
    let remedy: Vec<String> =
        open.iter().map(|(entry, mode)| format!("chmod {mode} {}", quoted(&entry.path))).collect();
    MODES.fail(format!("open to other users of this machine: {}", some_of(names)), remedy.join("\n"))
}

fn owners(entries: &[Entry], reactor_home: &Path, uid: u32) -> Check {
    let is_foreign = |entry: &&Entry| entry.owner != uid && entry.path.starts_with(reactor_home);
    let foreign: Vec<&Entry> = entries.iter().filter(is_foreign).collect();
    if foreign.is_empty() {
        return OWNERS.pass("all of it is yours");
    }
    let names = foreign.iter().map(|entry| format!("{} (user {})", shown(entry), entry.owner));
    let found = format!("not yours: {}", some_of(names));
    let remedy = format!("sudo chown -R {uid} {}", quoted(reactor_home));
    if foreign.iter().all(|entry| matches!(entry.rule, Rule::OfSessions | Rule::OldKey)) {
        OWNERS.warn(found, remedy)
    } else {
        OWNERS.fail(found, remedy)
    }
}

fn links(entries: &[Entry]) -> Check {
    let refused = |entry: &&Entry| entry.rule == Rule::Private && entry.kind == Kind::Link;
    let links: Vec<&Entry> = entries.iter().filter(refused).collect();
    if links.is_empty() {
        return LINKS.pass("no link stands where a key or a folder with keys belongs");
    }
    let remedies: Vec<String> = links
        .iter()
        .map(|entry| format!("rm {}, and put there what it leads to", quoted(&entry.path)))
        .collect();
    let found =
        format!("links are not followed to keys: {}", some_of(links.iter().map(|entry| shown(entry))));
    LINKS.fail(found, remedies.join("\n"))
}

fn old_files(entries: &[Entry]) -> Check {
    let old = || entries.iter().filter(|entry| entry.rule == Rule::OldKey);
    let open: Vec<&Entry> =
        old().filter(|entry| entry.kind == Kind::File && entry.mode & 0o077 != 0).collect();
    if open.is_empty() {
        return OLD.pass(match old().count() {
            0 => "an earlier version left no file with a key".to_owned(),
            _ => format!("closed to others: {}", some_of(old().map(shown))),
        });
    }
    let names = open.iter().map(|entry| format!("{} (mode {:04o})", shown(entry), entry.mode));
    let remedy: Vec<String> = open.iter().map(|entry| format!("chmod 600 {}", quoted(&entry.path))).collect();
    OLD.warn(format!("an earlier version left open to others: {}", some_of(names)), remedy.join("\n"))
}

fn shown(entry: &Entry) -> String {
    one_line(&entry.path.display().to_string())
}

/// The first few, and how many more there are.
fn some_of(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::check::Outcome::{self, Fail, Pass, Warn};
    use super::*;
    use crate::private_file;

    #[test]
    fn what_holds_where() {
        let rule = |path: &str| rule(Path::new(path));
        for (path, expected) in [
            ("", Some(Rule::Decisive)),
            ("config.yaml", Some(Rule::Decisive)),
            ("alice/config.yaml", Some(Rule::Decisive)),
            (".alice-claude.json", Some(Rule::OldKey)),
            (".claude-reactor-alice-env", Some(Rule::OldKey)),
            (".something", None),
            ("alice", Some(Rule::Private)),
            ("alice/llms/zai/.env", Some(Rule::Private)),
            ("alice/llms/claude/login/.credentials.json", Some(Rule::Private)),
            ("alice/llms/claude/login/.lock", Some(Rule::OfSessions)),
            ("alice/app-43ac6f58", Some(Rule::Private)),
            ("alice/app-43ac6f58/.claude-reactor", Some(Rule::Decisive)),
            ("alice/app-43ac6f58/trusted", Some(Rule::Private)),
            ("alice/app-43ac6f58/launch-base-zai.lock", Some(Rule::Private)),
            ("alice/app-43ac6f58/settings.json", Some(Rule::OfSessions)),
            ("alice/app-43ac6f58/projects", Some(Rule::Private)),
            ("alice/app-43ac6f58/projects/-app/a.jsonl", Some(Rule::OfSessions)),
            ("alice/app-43ac6f58/providers/zai", Some(Rule::Private)),
            ("alice/app-43ac6f58/providers/zai/.claude.json", Some(Rule::OfSessions)),
        ] {
            assert_eq!(rule(path), expected, "{path:?}");
        }
    }

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            private_file::write(&home.at("alice/llms/zai/.env"), b"K='v'\n").unwrap();
            private_file::create_dir(home.0.path(), &home.at("alice/app-43ac6f58/projects")).unwrap();
            fs::write(home.at("alice/app-43ac6f58/projects/a.jsonl"), "").unwrap();
            home.chmod("alice/app-43ac6f58/projects/a.jsonl", 0o644);
            home
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn chmod(&self, path: &str, mode: u32) {
            fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn look(&self) -> Vec<Check> {
            let uid = rustix::process::getuid().as_raw();
            checks(&gather(self.0.path(), None), self.0.path(), uid)
        }

        fn outcomes(&self) -> Vec<Outcome> {
            self.look().iter().map(|check| check.outcome).collect()
        }
    }

    #[test]
    fn a_home_as_this_version_makes_it_is_in_order() {
        assert_eq!(Home::new().outcomes(), [Pass; 5]);
        let none = Path::new("/nowhere/at/all");
        assert!(checks(&gather(none, None), none, 0).iter().all(|check| check.outcome == Pass));
    }

    #[test]
    fn everything_loosened_is_named_with_its_command() {
        let home = Home::new();
        home.chmod("alice/llms/zai/.env", 0o640);
        home.chmod("alice/llms", 0o755);
        fs::write(home.at("config.yaml"), "").unwrap();
        home.chmod("config.yaml", 0o666);
        let modes = &home.look()[1];
        assert_eq!(modes.outcome, Fail);
        let remedy = format!(
            "chmod 700 {0}/alice/llms\nchmod 600 {0}/alice/llms/zai/.env\nchmod go-w {0}/config.yaml",
            home.0.path().display()
        );
        assert_eq!(modes.remedy.as_deref(), Some(remedy.as_str()));
    }

    #[test]
    fn links_and_old_files_are_found() {
        let home = Home::new();
        symlink("/etc", home.at("alice/llms/linked")).unwrap();
        fs::write(home.at(".claude-reactor-alice-env"), "key").unwrap();
        home.chmod(".claude-reactor-alice-env", 0o644);
        assert_eq!(home.outcomes(), [Pass, Pass, Pass, Fail, Warn]);
        home.chmod(".claude-reactor-alice-env", 0o600);
        assert_eq!(home.look()[4].outcome, Pass);

        let project = tempfile::tempdir().unwrap();
        fs::write(project.path().join(".claude-reactor-env"), "ANTHROPIC_API_KEY=k").unwrap();
        fs::set_permissions(project.path().join(".claude-reactor-env"), fs::Permissions::from_mode(0o644))
            .unwrap();
        let alice = "alice".parse().unwrap();
        let entries = gather(home.0.path(), Some((project.path(), &alice)));
        assert_eq!(old_files(&entries).outcome, Warn);
    }

    #[test]
    fn what_is_not_the_callers_is_named() {
        let home = Home::new();
        let mut entries = gather(home.0.path(), None);
        let uid = rustix::process::getuid().as_raw();
        for entry in &mut entries {
            if entry.rule == Rule::OfSessions {
                entry.owner = uid + 1;
            }
        }
        assert_eq!(owners(&entries, home.0.path(), uid).outcome, Warn);
        entries[0].owner = uid + 1;
        let check = owners(&entries, home.0.path(), uid);
        assert_eq!(check.outcome, Fail);
        assert!(check.remedy.unwrap().starts_with(&format!("sudo chown -R {uid} ")));
    }
}
