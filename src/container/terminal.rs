//! The caller's terminal: raw mode, and the promise that it is over on every way out.

use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

/// Keys taken at a time, in bytes.
const CHUNK: usize = 32 * 1024;

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

/// What is typed at standard input's terminal.
///
/// Unlike tokio's standard input, whose thread cannot be called back and would take the first thing typed after a session,
/// it takes nothing that is typed once it is dropped: a question may follow.
#[derive(Debug)]
pub struct Keyboard {
    keys: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// The thread ends when this is closed.
    _open: PipeWriter,
}

impl Keyboard {
    /// Begins to listen.
    pub fn open() -> io::Result<Self> {
        let (closed, open) = io::pipe()?;
        let (sender, keys) = mpsc::channel(1);
        std::thread::Builder::new().spawn(move || {
            while let Some(keys) = next_keys(&closed) {
                let is_last = !matches!(&keys, Ok(keys) if !keys.is_empty());
                if sender.blocking_send(keys).is_err() || is_last {
                    break;
                }
            }
        })?;
        Ok(Self { keys, _open: open })
    }

    /// The next keys; none at the terminal's end.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        self.keys.recv().await.unwrap_or_else(|| Ok(Vec::new()))
    }
}

/// Waits for keys, or for the other end of `closed` to be; nothing after that.
fn next_keys(closed: &PipeReader) -> Option<io::Result<Vec<u8>>> {
    let stdin = io::stdin();
    let mut looked =
        [PollFd::new(closed, PollFlags::IN), PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
    if let Err(error) = retry_on_intr(|| poll(&mut looked, None)) {
        return Some(Err(error.into()));
    }
    if !looked[0].revents().is_empty() {
        return None;
    }
    let mut buffer = vec![0; CHUNK];
    let length = retry_on_intr(|| rustix::io::read(stdin.as_fd(), &mut buffer[..]));
    Some(length.map_err(io::Error::from).map(|length| {
        buffer.truncate(length);
        buffer
    }))
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
