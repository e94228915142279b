//! What the program says to people: on standard error, in one voice. Data goes to standard output elsewhere.

use crate::error::Error;
use crate::signals::EndSignal;

/// Something worth knowing that needs no action.
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// Something that may not be what the user wants.
pub fn warn(text: &str) {
    eprintln!("warning: {text}");
}

/// What went wrong, what caused it, and what to do about it.
pub fn error(error: &Error) {
    if error.end_signal() == Some(EndSignal::Interrupt) {
        // The user did it, and knows.
        eprintln!("cancelled");
        return;
    }
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        eprintln!("  because: {next}");
        cause = next.source();
    }
    if let Some(hint) = error.hint() {
        eprintln!("  hint: {hint}");
    }
}
