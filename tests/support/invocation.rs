//! A command about to run in a sandbox.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::output::Output;
use super::pty::{Pty, Size};
use super::redact::Redactions;
use super::running::Running;
use super::sandbox::Sandbox;

/// A command with its whole environment, and the three ways to run it: to its end, beside the test, on a terminal.
#[must_use = "nothing runs until `run`, `spawn` or `on_pty`"]
pub struct Invocation<'s> {
    sandbox: &'s Sandbox,
    program: OsString,
    args: Vec<OsString>,
    folder: PathBuf,
    vars: BTreeMap<OsString, OsString>,
    stdin: Vec<u8>,
    user: Option<User>,
    timeout: Duration,
    shows_secrets: bool,
}

/// Whom a command runs as.
#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl<'s> Invocation<'s> {
    pub fn new(
        sandbox: &'s Sandbox,
        folder: PathBuf,
        program: impl AsRef<OsStr>,
        args: &[impl AsRef<OsStr>],
    ) -> Self {
        Self {
            sandbox,
            program: program.as_ref().to_owned(),
            args: args.iter().map(|arg| arg.as_ref().to_owned()).collect(),
            folder,
            vars: sandbox.vars(),
            stdin: Vec::new(),
            user: None,
            timeout: sandbox.timeout(),
            shows_secrets: false,
        }
    }

    /// What standard input holds for [`Self::run`]; nothing by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.vars.insert(name.into(), value.as_ref().to_owned());
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.vars.remove(OsStr::new(name));
        self
    }

    /// Runs in a folder below the project.
    pub fn in_folder(mut self, folder: &str) -> Self {
        self.folder.push(folder);
        std::fs::create_dir_all(&self.folder).expect("a folder can be made in the project");
        self
    }

    /// How long [`Self::run`] may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs as another user, who gets the whole sandbox and may use the engine. Takes root and util-linux.
    pub fn user(mut self, uid: u32, gid: u32) -> Self {
        // The folder that the program was built in may be closed to everyone else. Another process makes the copy: a file
        // that this one writes may be open in what another test starts just then, and cannot be run as long.
        let program = self.sandbox.path().join("program");
        let copied = || Command::new("cp").args([self.program.as_os_str(), program.as_os_str()]).status();
        if Path::new(&self.program).is_absolute() && copied().is_ok_and(|status| status.success()) {
            self.program = program.into_os_string();
        }
        self.sandbox.give_to(uid, gid);
        self.user = Some(User { uid, gid });
        self
    }

    /// Lets a canary of the sandbox appear in the output; without this, one that does fails the test.
    pub fn shows_secrets(mut self) -> Self {
        self.shows_secrets = true;
        self
    }

    /// Runs to the end, with pipes for standard streams.
    #[track_caller]
    pub fn run(self) -> Output {
        let started = Instant::now();
        let output = assert_cmd::Command::from_std(self.command())
            .write_stdin(self.stdin.clone())
            .timeout(self.timeout)
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.line()));
        let killed = output.status.signal() == Some(Signal::KILL.as_raw());
        let late = killed && started.elapsed() >= self.timeout;
        let output = Output::new(self.line(), output.status, output.stdout, output.stderr, self.redactions());
        if late {
            output.fail(&format!("still running after {:?}", self.timeout));
        }
        output
    }

    /// Starts it beside the test, with pipes for standard streams.
    #[track_caller]
    pub fn spawn(self) -> Running {
        assert!(
            self.stdin.is_empty(),
            "a command that runs beside the test gets its input by `Running::write`"
        );
        let child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.line()));
        Running::new(self.line(), child, self.redactions())
    }

    /// Starts it on a terminal of its own.
    pub fn on_pty(self, size: Size) -> Pty {
        assert!(self.stdin.is_empty(), "a command on a terminal gets its input by `Pty::write`");
        Pty::spawn(&self.command(), size, self.redactions())
    }

    fn command(&self) -> Command {
        let mut command = match self.user {
            None => Command::new(&self.program),
            Some(User { uid, gid }) => {
                // The standard library would set the groups to none, and the engine's socket belongs to one.
                let groups = self.sandbox.socket_group().map_or_else(|| gid.to_string(), |id| id.to_string());
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
                command.arg(format!("--groups={groups}")).arg("--").arg(&self.program);
                command
            }
        };
        command.args(&self.args).env_clear().envs(&self.vars).current_dir(&self.folder);
        command
    }

    fn redactions(&self) -> Redactions {
        let redactions = self.sandbox.redactions();
        if self.shows_secrets { redactions.allowing_secrets() } else { redactions }
    }

    /// The command as a person would type it.
    fn line(&self) -> String {
        let program = Path::new(&self.program).file_name().unwrap_or(&self.program);
        std::iter::once(program)
            .chain(self.args.iter().map(OsString::as_os_str))
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
