//! A command that still runs, with its three streams as pipes.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::monitor::Monitor;
use super::output::Output;
use super::process::Process;
use super::redact::Redactions;

/// A running command. Dropping it kills it.
pub struct Running {
    command: String,
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
    redactions: Redactions,
}

impl Running {
    /// Takes over a child whose three streams are pipes.
    pub fn new(command: String, mut child: Child, redactions: Redactions) -> Self {
        let stdin = child.stdin.take();
        let stdout = Stream::collect(child.stdout.take().expect("standard output is a pipe"));
        let stderr = Stream::collect(child.stderr.take().expect("standard error is a pipe"));
        Self { command, process: Process::new(child), stdin, stdout, stderr, redactions }
    }

    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Writes to standard input, which stays open.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input was closed before");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the command reads its standard input");
    }

    /// Ends standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until standard output holds `text`.
    #[track_caller]
    pub fn wait_for_stdout(&self, text: &str, timeout: Duration) {
        if !self.stdout.wait_for(text, timeout) {
            self.fail(&format!(
                "standard output did not show {text:?} before its end, or within {timeout:?}"
            ));
        }
    }

    /// Waits until standard error holds `text`.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str, timeout: Duration) {
        if !self.stderr.wait_for(text, timeout) {
            self.fail(&format!("standard error did not show {text:?} before its end, or within {timeout:?}"));
        }
    }

    /// Waits for the end, with standard input as it is: a command that reads on needs [`Self::close_stdin`] first.
    #[track_caller]
    pub fn wait(self, timeout: Duration) -> Output {
        let Some(status) = self.process.wait(timeout) else {
            self.fail(&format!("still running after {timeout:?}"));
        };
        let (Some(stdout), Some(stderr)) = (self.stdout.finish(timeout), self.stderr.finish(timeout)) else {
            self.fail(&format!("{timeout:?} after its end, something it started still holds its output"));
        };
        Output::new(self.command, status, stdout, stderr, self.redactions)
    }

    #[track_caller]
    fn fail(&self, wrong: &str) -> ! {
        panic!(
            "{wrong}\n$ {}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.stdout.text(),
            self.stderr.text()
        )
    }
}

/// One stream's bytes so far.
struct Stream(Monitor<Collected>);

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let collected: Monitor<Collected> = Monitor::new(Collected::default());
        let here = collected.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                here.update(|collected| collected.bytes.extend_from_slice(&buffer[..count]));
            }
            here.update(|collected| collected.ended = true);
        });
        Self(collected)
    }

    /// Whether the text comes; not when the time runs out or the stream ends first.
    fn wait_for(&self, text: &str, timeout: Duration) -> bool {
        let holds = |collected: &Collected| {
            let here = String::from_utf8_lossy(&collected.bytes).contains(text);
            (here || collected.ended).then_some(here)
        };
        self.0.wait_until(timeout, holds) == Some(true)
    }

    fn text(&self) -> String {
        self.0.read(|collected| String::from_utf8_lossy(&collected.bytes).into_owned())
    }

    /// Everything, once the last writer has closed its end.
    fn finish(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.0.wait_until(timeout, |collected| collected.ended.then(|| collected.bytes.clone()))
    }
}
