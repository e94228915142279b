//! What a finished command left: exit code, standard output, standard error.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::redact::Redactions;

/// A finished command. Every assertion that fails shows all of it.
#[derive(Debug)]
pub struct Output {
    command: String,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    redactions: Redactions,
}

impl Output {
    /// Fails when a key that `redactions` knows is in one of the streams.
    #[track_caller]
    pub fn new(
        command: String,
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        redactions: Redactions,
    ) -> Self {
        redactions.assert_no_secret_in("standard output", &stdout);
        redactions.assert_no_secret_in("standard error", &stderr);
        Self { command, status, stdout, stderr, redactions }
    }

    /// The exit code; `None` when a signal ended the command.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The number of the signal that ended the command.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Standard output, byte for byte.
    pub fn stdout_bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// Standard output as text.
    #[track_caller]
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| self.fail("standard output is not UTF-8"))
    }

    /// Standard error as text.
    #[track_caller]
    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap_or_else(|_| self.fail("standard error is not UTF-8"))
    }

    /// Standard output read as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| self.fail(&format!("standard output is not JSON: {error}")))
    }

    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        self.assert_code(0)
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        self.check(self.code() == Some(code), &format!("the exit code is not {code}"))
    }

    #[track_caller]
    pub fn assert_stdout(&self, text: &str) -> &Self {
        self.check(self.stdout() == text, &format!("standard output is not {text:?}"))
    }

    #[track_caller]
    pub fn assert_stdout_contains(&self, text: &str) -> &Self {
        self.check(self.stdout().contains(text), &format!("standard output lacks {text:?}"))
    }

    #[track_caller]
    pub fn assert_stderr_contains(&self, text: &str) -> &Self {
        self.check(self.stderr().contains(text), &format!("standard error lacks {text:?}"))
    }

    #[track_caller]
    pub fn assert_stderr_lacks(&self, text: &str) -> &Self {
        self.check(!self.stderr().contains(text), &format!("standard error has {text:?}"))
    }

    /// Exit code and both streams, the same on every machine, for `insta::assert_snapshot!`.
    #[track_caller]
    pub fn snapshot(&self) -> String {
        let code = self.code().map_or_else(|| format!("{:?}", self.signal()), |code| code.to_string());
        let section = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!("--- {name}\n{}\n", self.redactions.apply(text).trim_end_matches('\n')),
        };
        format!("exit code: {code}\n{}{}", section("stdout", self.stdout()), section("stderr", self.stderr()))
    }

    #[track_caller]
    fn check(&self, holds: bool, wrong: &str) -> &Self {
        if holds { self } else { self.fail(wrong) }
    }

    /// Fails the test, showing everything.
    #[track_caller]
    pub fn fail(&self, wrong: &str) -> ! {
        panic!(
            "{wrong}\n$ {}\n{}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.status,
            excerpt(&self.stdout),
            excerpt(&self.stderr)
        )
    }
}

/// The text, or both ends of one that is too long to read.
fn excerpt(bytes: &[u8]) -> String {
    const END: usize = 4_000;
    if bytes.len() <= 2 * END {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let (head, tail) = (&bytes[..END], &bytes[bytes.len() - END..]);
    let between = bytes.len() - 2 * END;
    format!("{}\n… {between} bytes …\n{}", String::from_utf8_lossy(head), String::from_utf8_lossy(tail))
}
