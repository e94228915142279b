//! The signals that ask the program to end: SIGHUP, SIGINT, SIGQUIT and SIGTERM.
//!
//! Whoever listens takes their default action away for the rest of the process (that is how tokio's handlers are), so
//! from the first question or session on every long wait has to listen.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that asked the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ended by SIG{}", self.name())]
pub enum EndSignal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// `kill`.
    Terminate,
}

impl EndSignal {
    /// The signal's name as `kill -s` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hangup => "HUP",
            Self::Interrupt => "INT",
            Self::Quit => "QUIT",
            Self::Terminate => "TERM",
        }
    }

    /// The exit code that stands for an end by this signal: 128 and its number, as shells have it.
    pub fn exit_code(self) -> u8 {
        let number = match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
        };
        128 + number
    }
}

/// Listens for the signals that ask the program to end.
#[derive(Debug)]
pub struct EndSignals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl EndSignals {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> EndSignal {
        tokio::select! {
            _ = self.hangup.recv() => EndSignal::Hangup,
            _ = self.interrupt.recv() => EndSignal::Interrupt,
            _ = self.quit.recv() => EndSignal::Quit,
            _ = self.terminate.recv() => EndSignal::Terminate,
        }
    }

    /// Waits for `work`, or for a signal, which drops it.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, EndSignal> {
        tokio::select! {
            done = work => Ok(done),
            signal = self.next() => Err(signal),
        }
    }
}

/// Waits for `work`, or for a signal, which drops it.
pub async fn unless_ended<T>(work: impl Future<Output = T>) -> Result<T, EndSignal> {
    match EndSignals::listen() {
        Ok(mut signals) => signals.unless(work).await,
        // Where no handler can be had, signals keep their default action, which serves as well.
        Err(_) => Ok(work.await),
    }
}
