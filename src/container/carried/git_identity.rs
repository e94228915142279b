//! Whose name stands on commits: what the caller's own git says, in a file for the session's git.
//!
//! The caller's git is asked, since it alone knows its includes and conditions. Its answer is narrowed to names and mail
//! addresses: a `~/.gitconfig` also holds credential helpers, rewritten URLs with tokens and programs to run. Inside it
//! counts as the system's configuration, so that a repository's own `user.name` wins, as on the host.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::super::spec::WORKDIR;
use crate::host::Host;

/// How long git may take; it takes two milliseconds.
const LIMIT: Duration = Duration::from_secs(2);
/// More than any answer has; a name may be long, but not a book.
const LARGEST: u64 = 64 * 1024;
/// What is asked for.
const KEYS: &str = r"^(user|author|committer)\.(name|email)$";
/// The variables that beat every configuration, on the host and inside.
const VARIABLES: [&str; 5] =
    ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"];

/// Names and mail addresses, by git's own keys, in git's own order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(Vec<(String, String)>);

/// A question to git whose answer is on its way.
#[derive(Debug)]
pub struct Asked(Option<(Child, Receiver<Vec<u8>>)>);

/// Asks the caller's git who commits in this folder. The answer comes while the engine is asked other things.
pub fn ask(host: &Host, project: &Path) -> Asked {
    let spawned = Command::new("git")
        .args(["config", "--includes", "--show-scope", "--null", "--get-regexp", KEYS])
        .env_clear()
        .envs(host.vars())
        .current_dir(project)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Asked(spawned.ok().and_then(|mut child| {
        let stdout = child.stdout.take()?;
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut answer = Vec::new();
            let _ = stdout.take(LARGEST).read_to_end(&mut answer);
            let _ = sender.send(answer);
        });
        Some((child, receiver))
    }))
}

impl Asked {
    /// The answer; nobody where there is no git, or none that answers in time: a repository may hang it.
    pub fn answer(self) -> Identity {
        let Some((mut child, receiver)) = self.0 else { return Identity::default() };
        let answer = receiver.recv_timeout(LIMIT).unwrap_or_default();
        let _ = child.kill();
        let _ = child.wait();
        Identity::parse(&answer)
    }
}

impl Identity {
    /// Reads triples of scope, key and value. What the repository itself says is left to the git inside, which reads it
    /// too; of the rest the last one of a key counts.
    fn parse(answer: &[u8]) -> Self {
        let answer = String::from_utf8_lossy(answer);
        let mut fields = answer.split('\0');
        let mut found: Vec<(String, String)> = Vec::new();
        while let (Some(scope), Some(entry)) = (fields.next(), fields.next()) {
            let Some((key, value)) = entry.split_once('\n') else { continue };
            if !["system", "global", "command"].contains(&scope) {
                continue;
            }
            found.retain(|(known, _)| known != key);
            found.push((key.to_owned(), value.to_owned()));
        }
        Self(found)
    }

    /// The configuration for the session's git. It takes the place of the image's, which it therefore includes.
    ///
    /// `trusted` are folders that git is to use although their owner may be another user there; the project is one.
    pub fn config<'a>(&self, trusted: impl IntoIterator<Item = &'a str>) -> String {
        let mut text = String::from(
            "# Written by claude-reactor when a session starts.\n[include]\n\tpath = /etc/gitconfig\n",
        );
        for (key, value) in &self.0 {
            if let Some((section, name)) = key.split_once('.') {
                let _ = writeln!(text, "[{section}]\n\t{name} = {}", quoted(value));
            }
        }
        text.push_str("[safe]\n");
        for folder in [WORKDIR].into_iter().chain(trusted) {
            let _ = writeln!(text, "\tdirectory = {}", quoted(folder));
            let _ = writeln!(text, "\tdirectory = {}", quoted(&format!("{folder}/*")));
        }
        // A worktree that another container made is at a path that does not exist here; it must outlive a clean-up.
        text.push_str("[gc]\n\tworktreePruneExpire = never\n");
        text
    }
}

/// The variables of the caller's shell that name who commits.
pub fn vars(host: &Host) -> impl Iterator<Item = (String, String)> + '_ {
    VARIABLES.into_iter().filter_map(|name| Some((name.to_owned(), host.var(name)?.to_owned())))
}

/// A value as git's configuration takes it back. Other control characters cannot be written there.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    struct Home {
        dir: tempfile::TempDir,
    }

    impl Home {
        fn new(gitconfig: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir_all(dir.path().join("work/app")).unwrap();
            fs::write(dir.path().join(".gitconfig"), gitconfig).unwrap();
            Self { dir }
        }

        fn project(&self) -> PathBuf {
            self.dir.path().join("work/app")
        }

        fn host(&self) -> Host {
            let path = std::env::var("PATH").unwrap();
            let home = self.dir.path().to_str().unwrap().to_owned();
            let vars = [("PATH", path), ("HOME", home), ("GIT_CONFIG_NOSYSTEM", "1".to_owned())];
            Host::new(self.dir.path(), self.project(), vars.map(|(name, value)| (name.to_owned(), value)))
        }

        fn git(&self, args: &[&str]) -> String {
            let output = Command::new("git")
                .args(args)
                .current_dir(self.project())
                .env_clear()
                .envs(self.host().vars())
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        }

        fn identity(&self) -> Identity {
            ask(&self.host(), &self.project()).answer()
        }
    }

    fn entry(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn names_come_with_their_includes_and_nothing_else_does() {
        let home = Home::new(
            "[user]\n\tname = Alice\n\temail = alice@home.example\n\tsigningKey = ABCDEF\n\
             [credential]\n\thelper = store\n[url \"https://token@example.com/\"]\n\tinsteadOf = x:\n\
             [includeIf \"gitdir:~/work/\"]\n\tpath = .gitconfig-work\n",
        );
        fs::write(home.dir.path().join(".gitconfig-work"), "[user]\n\temail = alice@work.example\n").unwrap();
        home.git(&["init", "--quiet", "."]);
        assert_eq!(
            home.identity(),
            Identity(vec![entry("user.name", "Alice"), entry("user.email", "alice@work.example")])
        );
        let config = home.identity().config([]);
        for secret in ["credential", "token", "ABCDEF", "insteadOf"] {
            assert!(!config.contains(secret), "{config}");
        }
    }

    #[test]
    fn what_a_repository_says_of_itself_is_left_to_it() {
        let home = Home::new("[user]\n\tname = Alice\n");
        home.git(&["init", "--quiet", "."]);
        home.git(&["config", "user.name", "Repository"]);
        assert_eq!(home.identity(), Identity(vec![entry("user.name", "Alice")]));
    }

    #[test]
    fn git_reads_back_what_is_written() {
        let name = "Ålice \"Al\" O'Hara\\x # ; \t end";
        let home = Home::new("");
        home.git(&["config", "--global", "user.name", name]);
        let written = home.project().join("config");
        fs::write(&written, home.identity().config(["/srv/a b"])).unwrap();
        let file = written.to_str().unwrap();
        assert_eq!(home.git(&["config", "--file", file, "user.name"]).trim_end_matches('\n'), name);
        assert_eq!(
            home.git(&["config", "--file", file, "--get-all", "safe.directory"]),
            "/app\n/app/*\n/srv/a b\n/srv/a b/*\n"
        );
    }

    #[test]
    fn without_git_there_is_nobody_and_the_variables_count() {
        let vars = [entry("PATH", "/nowhere"), entry("GIT_AUTHOR_NAME", "Alice"), entry("GIT_DIR", "/x")];
        let host = Host::new("/", "/", vars);
        assert_eq!(ask(&host, Path::new("/")).answer(), Identity::default());
        assert_eq!(super::vars(&host).collect::<Vec<_>>(), [entry("GIT_AUTHOR_NAME", "Alice")]);
    }
}
