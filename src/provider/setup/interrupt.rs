//! Blocking questions that a signal may end at any time.
//!
//! A hidden question turns the terminal's echo off. A signal's default action would end the process right there, and
//! leave the user with a shell that shows nothing typed. So while a question waits, signals are ours: the terminal is
//! put back first, and the caller decides what becomes of the process.

use std::time::Duration;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::signals::{EndSignal, unless_ended};

/// How long a thread that has written its question takes at most to change the terminal for the answer, but on a machine
/// that is busy beyond measure: it is two system calls.
const PROMPT_SETTLES: Duration = Duration::from_millis(30);

/// Runs blocking work on a thread of its own until it is done, or a signal asks the program to end.
///
/// After a signal the terminal at standard input is as it was before the work began, and what was typed and not read
/// is gone, so that no half of a key ends up in the shell. The thread cannot be stopped: end the runtime with
/// `shutdown_background`.
pub async fn interruptible<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EndSignal> {
    let terminal = tcgetattr(std::io::stdin()).ok();
    // Lazy, so that the work begins only once signals are listened for.
    let work = async { tokio::task::spawn_blocking(work).await };
    match unless_ended(work).await {
        Ok(done) => Ok(done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))),
        Err(signal) => {
            if let Some(terminal) = terminal {
                // Twice: a prompt that was just printed may take the terminal only now. It may also be gone, which is no
                // reason not to stop.
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &terminal);
                tokio::time::sleep(PROMPT_SETTLES).await;
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &terminal);
            }
            Err(signal)
        }
    }
}
