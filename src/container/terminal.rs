//! The caller's terminal: raw mode, and the promise that it is over on every way out.

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Raw mode of standard input's terminal: every key goes to the session as it is, Ctrl-C and Ctrl-Z included. Dropping
/// it restores what was, on a panic too.
#[derive(Debug)]
pub struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Switches to raw mode.
    pub fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin().as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // The terminal may be gone by now; then there is nothing to restore.
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &self.before);
    }
}

/// The size of standard output's terminal, columns and rows; nothing where it does not say.
pub fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout().as_fd()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Takes back what a full-screen program may have asked of the terminal: the other screen, mouse, focus and paste
/// reports, key encodings, colours, a hidden cursor.
const RESET: &str = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b[>4m\x1b[<u\x1b[0m\x1b[?25h";

/// Makes standard output's terminal usable again after a program that could not do it itself.
pub fn reset_screen() {
    // The terminal may be gone too.
    let _ = io::stdout().write_all(RESET.as_bytes()).and_then(|()| io::stdout().flush());
}
