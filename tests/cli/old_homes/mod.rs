//! What earlier versions of the tool left is there after one run, once, and the old files stay as they were.

mod claude_state;
mod folders;
mod keys;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{SOON, WIDE, state};
use crate::support::fake_api::{FakeApi, Script};
use crate::support::old_home::{Generation, OldKeys, lay_out};
use crate::support::pty::Exit;
use crate::support::sandbox::{Project, Sandbox};

/// A sandbox as a tool left it, and Claude's endpoint.
struct Old {
    sandbox: Sandbox,
    keys: OldKeys,
    fake: FakeApi,
}

impl Old {
    fn new(generation: Generation) -> Self {
        let sandbox = Sandbox::new();
        let fake = sandbox.fake("claude", Script::new());
        let keys = lay_out(generation, &sandbox, &sandbox.project("app"));
        Self { sandbox, keys, fake }
    }

    fn project(&self) -> Project<'_> {
        self.sandbox.project("app")
    }

    /// A path in the account's folder.
    fn account(&self, path: &str) -> PathBuf {
        self.sandbox.reactor_home().join("user").join(path)
    }

    /// A path in the session dir.
    fn session(&self, path: &str) -> PathBuf {
        self.account(&format!("app-{}", self.project().hash())).join(path)
    }

    fn read(&self, path: impl AsRef<Path>) -> String {
        let path = path.as_ref();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.sandbox.redactions().apply(&text)
    }

    /// The account's variables for Claude.
    fn env_file(&self) -> String {
        self.read(self.account("llms/claude/.env"))
    }

    /// All that a file holds and how it may be used, of every file that was there before.
    fn old_files(&self) -> Vec<String> {
        // Times do not count for the folders that get new entries; theirs are in the lines of the files.
        let strip_time = |line: String| {
            let (path, rest) = line.split_once(' ').expect("a line has a path");
            let content = rest.rsplit(") ").next().expect("and a content").to_owned();
            format!("{path} {content} {}", rest.split(' ').next().expect("and a mode"))
        };
        let is_file = |line: &String| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("10"));
        state(&self.sandbox).into_iter().filter(is_file).map(strip_time).collect()
    }

    fn run(&self, args: &[&str]) -> crate::support::output::Output {
        self.project().reactor(args).run()
    }

    /// Answers a question on a terminal.
    fn answering(&self, question: &str, answer: &str) -> Exit {
        let pty = self.project().reactor(&["run"]).on_pty(WIDE);
        pty.wait_for(question, SOON);
        pty.wait_for_mode(SOON, |mode| !mode.canonical);
        pty.write(answer);
        let exit = pty.wait(SOON);
        exit.assert_terminal_restored();
        exit
    }
}
