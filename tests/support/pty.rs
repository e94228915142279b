//! A command on a pseudo-terminal of its own: what a person at a keyboard does, and what they see.
//!
//! The command runs below a small shell that leads the terminal's session and outlives it. Without one, the end of
//! the command would be the end of the session, upon which Linux resets the terminal's attributes: whether the
//! command itself had put them back could not be seen any more.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::termios::LocalModes;
use tempfile::TempDir;

use super::monitor::Monitor;
use super::process::Process;
use super::redact::Redactions;

/// The leader notes the attributes before and after, survives what the keyboard sends to everyone in its group, and
/// ends with the command's exit code.
const LEADER: &str = r#"
notes=$1; shift
stty -a >"$notes/before"
trap : INT QUIT HUP TERM
"$@"
code=$?
stty -a >"$notes/after"
exit "$code"
"#;

/// Rows and columns of a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub rows: u16,
    pub columns: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { rows: 40, columns: 120 }
    }
}

impl Size {
    fn non_zero(self) -> (NonZeroU16, NonZeroU16) {
        let at_least_one = |count| NonZeroU16::new(count).expect("a terminal has rows and columns");
        (at_least_one(self.rows), at_least_one(self.columns))
    }
}

/// A command on its terminal. Dropping it hangs up and kills it.
pub struct Pty {
    keyboard: Arc<pty_process::blocking::Pty>,
    view: Monitor<View>,
    leader: Process,
    notes: TempDir,
    redactions: Redactions,
}

/// What came out of the terminal.
struct View {
    raw: Vec<u8>,
    screen: vt100::Parser,
    ended: bool,
}

impl View {
    fn transcript(&self) -> String {
        console::strip_ansi_codes(&String::from_utf8_lossy(&self.raw)).replace('\r', "")
    }
}

/// The attributes that decide what typing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// What is typed is shown.
    pub echo: bool,
    /// Input comes by line, and can be edited until it is sent.
    pub canonical: bool,
    /// Ctrl-C and Ctrl-Z are signals.
    pub signals: bool,
}

/// How a command on a terminal ended.
#[derive(Debug)]
pub struct Exit {
    /// The exit code as a shell gives it: 128 + n for signal n.
    pub code: i32,
    before: String,
    after: String,
    transcript: String,
    screen: String,
}

impl Pty {
    /// Starts `command`, whose standard streams are all the terminal. Its environment is the command's own.
    /// [`Self::wait`] fails when it showed a key that `redactions` knows.
    pub fn spawn(command: &Command, size: Size, redactions: Redactions) -> Self {
        let notes = tempfile::tempdir().expect("a temporary folder can be made");
        let (keyboard, terminal) = pty_process::blocking::open().expect("a pseudo-terminal can be opened");
        keyboard.resize(pty_process::Size::new(size.rows, size.columns)).expect("its size can be set");

        // A test run in the background ignores interrupts, which its children would inherit; a terminal's session does not.
        let mut leader = Command::new("/usr/bin/env");
        leader.args(["--default-signal", "/bin/sh", "-c"]).arg(LEADER).arg("leader").arg(notes.path());
        leader.arg(command.get_program()).args(command.get_args());
        leader.env_clear();
        leader.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            leader.current_dir(folder);
        }
        let leader = pty_process::blocking::Command::from(leader).spawn(terminal).expect("/bin/sh starts");

        let keyboard = Arc::new(keyboard);
        let (rows, columns) = size.non_zero();
        let screen = vt100::Parser::new(rows, columns, 0);
        let view = Monitor::new(View { raw: Vec::new(), screen, ended: false });
        read_all(Arc::clone(&keyboard), view.clone());
        Self { keyboard, view, leader: Process::new(leader), notes, redactions }
    }

    /// Types: the bytes go to the terminal as a keyboard's would.
    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        (&*self.keyboard).write_all(bytes.as_ref()).expect("the terminal takes input");
    }

    /// Types a line and Enter.
    pub fn write_line(&self, line: &str) {
        self.write(format!("{line}\r"));
    }

    pub fn ctrl_c(&self) {
        self.write([0x03]);
    }

    pub fn ctrl_d(&self) {
        self.write([0x04]);
    }

    pub fn ctrl_z(&self) {
        self.write([0x1a]);
    }

    /// Sends a signal to the terminal's foreground process group, where the command is. (The leader ignores it.)
    pub fn signal(&self, signal: Signal) {
        let group = rustix::termios::tcgetpgrp(&*self.keyboard).expect("a terminal has a foreground group");
        rustix::process::kill_process_group(group, signal).expect("the foreground group exists");
    }

    /// Changes the window's size, which the command learns by SIGWINCH.
    pub fn resize(&self, size: Size) {
        let (rows, columns) = size.non_zero();
        self.view.update(|view| view.screen.set_size(rows, columns));
        self.keyboard.resize(pty_process::Size::new(size.rows, size.columns)).expect("the size can be set");
    }

    /// Everything that came out so far, byte for byte.
    pub fn raw(&self) -> Vec<u8> {
        self.view.read(|view| view.raw.clone())
    }

    /// Everything that came out so far, without escape sequences: right for lines, not for a full-screen program.
    pub fn transcript(&self) -> String {
        self.view.read(View::transcript)
    }

    /// What a person sees now.
    pub fn screen_text(&self) -> String {
        self.view.read(|view| view.screen.screen().contents())
    }

    /// Waits until `text` is in the transcript or on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str, timeout: Duration) {
        self.wait_until(&format!("{text:?}"), timeout, |transcript, screen| {
            transcript.contains(text) || screen.contains(text)
        });
    }

    /// Waits until `found` says so of the transcript and the screen. `what` names it in the failure.
    #[track_caller]
    pub fn wait_until(&self, what: &str, timeout: Duration, found: impl Fn(&str, &str) -> bool) {
        let deadline = Instant::now() + timeout;
        let seen = self.view.wait_until(timeout, |view| {
            let here = found(&view.transcript(), &view.screen.screen().contents());
            (here || view.ended).then_some(here)
        });
        if seen != Some(true) {
            let why = if Instant::now() < deadline { "the command ended" } else { "the time ran out" };
            self.fail(&format!("{why} before the terminal showed {what}"));
        }
    }

    /// The terminal's attributes now.
    pub fn mode(&self) -> Mode {
        let modes =
            rustix::termios::tcgetattr(&*self.keyboard).expect("a terminal has attributes").local_modes;
        Mode {
            echo: modes.contains(LocalModes::ECHO),
            canonical: modes.contains(LocalModes::ICANON),
            signals: modes.contains(LocalModes::ISIG),
        }
    }

    /// Waits until the attributes are as `wanted` says; a program that hides input does so a moment after it asked.
    #[track_caller]
    pub fn wait_for_mode(&self, timeout: Duration, wanted: impl Fn(Mode) -> bool) {
        // Nothing announces a change of attributes, so between two looks this waits for output, but not long.
        let deadline = Instant::now() + timeout;
        while !wanted(self.mode()) {
            if Instant::now() >= deadline {
                self.fail(&format!("after {timeout:?} the terminal is still in {:?}", self.mode()));
            }
            self.view.wait_until(Duration::from_millis(5), |_| None::<()>);
        }
    }

    /// Waits for the command's end.
    #[track_caller]
    pub fn wait(self, timeout: Duration) -> Exit {
        let Some(status) = self.leader.wait(timeout) else {
            self.fail(&format!("still running after {timeout:?}"));
        };
        // The last output is read when the terminal has no user left; one that outlived the command must not hang us.
        self.view.wait_until(timeout, |view| view.ended.then_some(()));
        self.redactions.assert_no_secret_in("what the terminal showed", &self.raw());
        let note = |name| std::fs::read_to_string(self.notes.path().join(name)).unwrap_or_default();
        let Some(code) = status.code() else {
            self.fail(&format!("the terminal's leader ended by {status}"))
        };
        let (transcript, screen) = (self.transcript(), self.screen_text());
        Exit { code, before: note("before"), after: note("after"), transcript, screen }
    }

    #[track_caller]
    fn fail(&self, wrong: &str) -> ! {
        panic!("{wrong}\n--- screen\n{}\n--- transcript\n{}", self.screen_text(), self.transcript())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A command that ignores the hang-up would stay: the leader's own end reaches only those who listen.
        if self.leader.wait(Duration::ZERO).is_none()
            && let Ok(group) = rustix::termios::tcgetpgrp(&*self.keyboard)
        {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

impl Exit {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "the exit code\n--- transcript\n{}", self.transcript);
        self
    }

    /// The terminal is as the command found it, in every attribute.
    #[track_caller]
    pub fn assert_terminal_restored(&self) -> &Self {
        let (before, after) = (attributes(&self.before), attributes(&self.after));
        assert!(before.contains(&"icanon") && before.contains(&"echo"), "stty said: {}", self.before);
        assert_eq!(before, after, "the terminal's attributes\n--- transcript\n{}", self.transcript);
        self
    }

    /// Everything that came out, without escape sequences.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// What a person saw in the end.
    pub fn screen(&self) -> &str {
        &self.screen
    }
}

/// The words of `stty -a` without the window's size, which a test may change on purpose.
fn attributes(stty: &str) -> Vec<&str> {
    stty.lines().skip(1).flat_map(|line| line.split([' ', ';'])).filter(|word| !word.is_empty()).collect()
}

/// Reads the terminal until nobody has it open any more, which Linux reports as an input error.
fn read_all(terminal: Arc<pty_process::blocking::Pty>, view: Monitor<View>) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = (&*terminal).read(&mut buffer) {
            view.update(|view| {
                view.raw.extend_from_slice(&buffer[..count]);
                view.screen.process(&buffer[..count]);
            });
        }
        view.update(|view| view.ended = true);
    });
}
