//! What the program says: to people on standard error, in one voice; data on standard output.
//!
//! What standard error does not take is lost: there is nobody to tell, and it is no reason to end a session.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::error::Error;
use crate::signals::EndSignal;

/// What was asked for. A reader who has read enough, such as `head`, is no error.
pub fn data(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { action: "write to standard output", source })
        }
        _ => Ok(()),
    }
}

/// Something worth knowing that needs no action.
pub fn note(text: &str) {
    say(text);
}

/// Something that may not be what the user wants.
pub fn warn(text: &str) {
    say(format_args!("warning: {text}"));
}

/// What went wrong, what caused it, and what to do about it.
pub fn error(error: &Error) {
    if error.end_signal() == Some(EndSignal::Interrupt) {
        // The user did it, and knows.
        say("cancelled");
        return;
    }
    say(format_args!("error: {error}"));
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        say(format_args!("  because: {next}"));
        cause = next.source();
    }
    if let Some(hint) = error.hint() {
        say(format_args!("  hint: {hint}"));
    }
}

fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A text of the file system's, fit for a line: a folder's name may hold line ends and control sequences.
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}
