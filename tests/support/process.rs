//! A child process that can be waited for with a bound, signalled without a race, and never outlives its test.

use std::process::{Child, ExitStatus};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::monitor::Monitor;

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    exit: Monitor<Option<ExitStatus>>,
    waiter: Option<JoinHandle<()>>,
}

impl Process {
    pub fn new(mut child: Child) -> Self {
        let pid = Pid::from_child(&child);
        let exit = Monitor::new(None);
        let announce = exit.clone();
        let waiter = std::thread::spawn(move || {
            let status = child.wait().expect("a child can be waited for");
            announce.update(|exit| *exit = Some(status));
        });
        Self { pid, exit, waiter: Some(waiter) }
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The exit status, if the child ends within `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        self.exit.wait_until(timeout, |exit| *exit)
    }

    /// Sends a signal, unless the child has ended: its id may belong to another process by then.
    pub fn signal(&self, signal: Signal) {
        self.exit.read(|exit| {
            if exit.is_none() {
                // The child can end between the look and the kill; an id is not used again that soon.
                let _ = rustix::process::kill_process(self.pid, signal);
            }
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}
