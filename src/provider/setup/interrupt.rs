//! Blocking questions that a signal may end at any time.
//!
//! A hidden question turns the terminal's echo off. A signal's default action would end the process right there, and
//! leave the user with a shell that shows nothing typed. So while a question waits, signals are ours: the terminal is
//! put back first, and the caller decides what becomes of the process.

use std::future::pending;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal ended the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted {
    signal: SignalKind,
}

impl Interrupted {
    /// What Ctrl-C is, also where it arrives as a key rather than as a signal.
    pub(super) const BY_USER: Self = Self { signal: SignalKind::interrupt() };

    /// The exit code that stands for an end by this signal: 130 for Ctrl-C.
    pub fn exit_code(self) -> u8 {
        u8::try_from(128 + self.signal.as_raw_value()).unwrap_or(u8::MAX)
    }
}

/// Runs blocking work on a thread of its own until it is done, or SIGINT, SIGTERM or SIGHUP arrives.
///
/// After a signal the terminal at standard input is as it was before the work began, and what was typed and not read
/// is gone, so that no half of a key ends up in the shell. The thread cannot be stopped: end the runtime with
/// `shutdown_background`. From the first call on these signals no longer end the process by themselves; that is how
/// tokio's signal handlers are.
pub async fn interruptible<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let terminal = tcgetattr(std::io::stdin()).ok();
    // Where a handler cannot be had, the signal keeps its default action.
    let [mut interrupt, mut terminate, mut hangup] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .map(|kind| signal(kind).ok());
    let kind = tokio::select! {
        done = tokio::task::spawn_blocking(work) => {
            return Ok(done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        () = arrival(&mut interrupt) => SignalKind::interrupt(),
        () = arrival(&mut terminate) => SignalKind::terminate(),
        () = arrival(&mut hangup) => SignalKind::hangup(),
    };
    if let Some(terminal) = terminal {
        // It may be gone by now, which is no reason not to stop.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &terminal);
    }
    Err(Interrupted { signal: kind })
}

async fn arrival(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => pending().await,
    }
}
