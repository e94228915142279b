//! What the program says: to people on standard error, in one voice; data on standard output.
//!
//! What standard error does not take is lost: there is nobody to tell, and it is no reason to end a session.
//!
//! Colour is for terminals: texts are styled here as if everybody saw colours, and `anstream` takes them out again where
//! the stream is no terminal, is a dumb one, or `NO_COLOR` is set, by the same rules as clap does for the help.

pub mod human;
pub mod table;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::error::Error;
use crate::signals::EndSignal;
pub use crate::text::one_line;

/// Something is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something may not be what the user wants.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Something is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What to do.
pub const HINT: Style = AnsiColor::Cyan.on_default();
/// What matters most of several things.
pub const STRONG: Style = Style::new().bold();
/// What matters least.
pub const FAINT: Style = Style::new().dimmed();

/// What was asked for. A reader who has read enough, such as `head`, is no error.
pub fn data(text: &str) -> Result<(), Error> {
    write(&mut io::stdout().lock(), text)
}

/// What was asked for, for people: with styles, which only a terminal shows.
pub fn shown(text: &str) -> Result<(), Error> {
    write(&mut anstream::stdout().lock(), text)
}

/// What was asked for, for programs.
pub fn json(value: &impl Serialize) -> Result<(), Error> {
    data(&format!("{:#}\n", serde_json::json!(value)))
}

fn write(stdout: &mut impl Write, text: &str) -> Result<(), Error> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { action: "write to standard output", source })
        }
        _ => Ok(()),
    }
}

/// A text in a style.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Something worth knowing that needs no action.
pub fn note(text: &str) {
    say(text);
}

/// Something that may not be what the user wants.
pub fn warn(text: &str) {
    say(format_args!("{} {text}", styled(WARNING, "warning:")));
}

/// What went wrong, what caused it, and what to do about it.
pub fn error(error: &Error) {
    if error.end_signal() == Some(EndSignal::Interrupt) {
        // The user did it, and knows.
        say("cancelled");
        return;
    }
    say(format_args!("{} {error}", styled(BAD, "error:")));
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        say(format_args!("  because: {next}"));
        cause = next.source();
    }
    if let Some(hint) = error.hint() {
        say(format_args!("  {} {hint}", styled(HINT, "hint:")));
    }
}

fn say(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
