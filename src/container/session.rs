//! A session: one command inside the container, joined to the caller's terminal or pipes until it ends.
//!
//! With a terminal, keys and output pass raw. Without one, bytes pass unchanged both ways, the end of the input is
//! passed on, and output is complete whatever happened to the input. The engine cannot end a command, so a signal to us
//! is carried inside by a second command, which finds the session's processes by a marker in their environment.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::signal::unix::{SignalKind, signal};

use super::engine::exec::{Exec, ExecRequest, Stream, Unframer, Upgraded};
use super::engine::{self, Engine};
use super::terminal::{self, RawMode};
use crate::signals::{EndSignal, EndSignals};

/// The variable that marks a session's processes.
const MARKER: &str = "CLAUDE_REACTOR_SESSION";
/// How long the processes inside may take to end after a signal before they are killed.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes moved at a time: what the engines put into one frame at the most.
const CHUNK: usize = 32 * 1024;

/// Sends a signal to all processes that carry a marker. The command itself does not carry it.
const SIGNAL_SCRIPT: &str = r#"
for file in $(grep -lszx "$1" /proc/[0-9]*/environ); do
  pid=${file#/proc/}
  kill -s "$2" "${pid%/environ}" 2>/dev/null
done
true"#;

/// What went wrong with a session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's part.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The caller's terminal or pipes.
    #[error("the session's input or output failed")]
    Io(#[from] io::Error),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Io(_) => None,
        }
    }
}

/// How the output's copying ended.
enum Output {
    /// The command's outputs are closed.
    Complete,
    /// Nobody reads what we write any more.
    ReaderGone(io::Error),
}

/// How a session ended by itself.
enum Finish {
    /// The command exited, with this code as the engine has it.
    Exited(i64),
    /// Nobody reads what we write any more.
    ReaderGone(io::Error),
}

/// Runs a command in a running container, joined to our standard streams, and returns its exit code: the command's own,
/// or 128+n where signal n ended the session.
pub async fn run(
    engine: &Engine,
    container: &str,
    mut request: ExecRequest,
    signals: &mut EndSignals,
) -> Result<u8, Error> {
    let marker = unique();
    request.env.push((MARKER.to_owned(), SecretString::from(marker.as_str())));
    let inside =
        Inside { engine, container, user: request.user.clone(), marker: format!("{MARKER}={marker}") };
    let tty = request.tty;

    let Exec { id, output, input } = engine.exec(container, request).await?;
    let raw = if tty { Some(RawMode::enter()?) } else { None };
    let copying_in = tokio::spawn(copy_input(input, tty));
    let resizing = tty.then(|| tokio::spawn(follow_size(engine.clone(), id.clone())));
    let mut finished = std::pin::pin!(async {
        Ok::<_, Error>(match copy_output(output, tty).await? {
            Output::Complete => Finish::Exited(engine.exit_code(&id).await?),
            Output::ReaderGone(error) => Finish::ReaderGone(error),
        })
    });

    let code = match signals.unless(&mut finished).await {
        Ok(finish) => match finish? {
            Finish::Exited(code) => exit_code(code),
            Finish::ReaderGone(error) => {
                // A program whose reader goes away is ended by SIGPIPE, number 13; one that loses its terminal, by
                // SIGHUP. Not every program heeds SIGPIPE, so what is sent is SIGTERM.
                inside.end(EndSignal::Terminate, signals, engine.exit_code(&id)).await?;
                match error.kind() {
                    io::ErrorKind::BrokenPipe => 128 + 13,
                    _ => EndSignal::Hangup.exit_code(),
                }
            }
        },
        Err(signal) => {
            inside.end(signal, signals, finished).await?;
            signal.exit_code()
        }
    };
    copying_in.abort();
    if let Some(resizing) = resizing {
        resizing.abort();
    }
    drop(raw);
    Ok(code)
}

/// The session's processes inside.
struct Inside<'a> {
    engine: &'a Engine,
    container: &'a str,
    user: String,
    marker: String,
}

impl Inside<'_> {
    /// Ends all of them: with a signal first, and for good once the command has `finished`, after a while, or at a
    /// second signal to us.
    async fn end(
        &self,
        signal: EndSignal,
        signals: &mut EndSignals,
        finished: impl Future,
    ) -> Result<(), engine::Error> {
        self.send(signal.name()).await?;
        let patience = tokio::time::timeout(GRACE, signals.next());
        tokio::select! {
            _ = finished => {}
            _ = patience => {}
        }
        // What is left now did not heed the signal.
        self.send("KILL").await
    }

    /// Sends all of them a signal.
    async fn send(&self, signal: &str) -> Result<(), engine::Error> {
        let command = ["sh", "-c", SIGNAL_SCRIPT, "sh", &self.marker, signal].map(str::to_owned).to_vec();
        let request = ExecRequest {
            command,
            env: Vec::new(),
            tty: false,
            size: None,
            user: self.user.clone(),
            workdir: "/",
        };
        let exec = self.engine.exec(self.container, request).await?;
        self.engine.exit_code(&exec.id).await?;
        tracing::debug!(signal, "sent to the session's processes");
        Ok(())
    }
}

/// Differs between any two sessions in one container.
fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", std::process::id(), now.as_nanos())
}

/// Engines report what a shell would; anything outside a byte can only be a fault of theirs.
fn exit_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

async fn copy_input(mut to: WriteHalf<Upgraded>, tty: bool) -> io::Result<()> {
    let mut from = tokio::io::stdin();
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        // The command may end, or close its input, before it has read everything.
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
    }
    if !tty {
        to.shutdown().await?;
    }
    // A terminal's end is a key, not the end of a stream; and the write half has to outlive the input in any case.
    std::future::pending().await
}

async fn copy_output(mut from: ReadHalf<Upgraded>, tty: bool) -> io::Result<Output> {
    let (mut out, mut err) = (tokio::io::stdout(), tokio::io::stderr());
    let mut buffer = vec![0; CHUNK];
    let mut unframer = Unframer::default();
    loop {
        let length = from.read(&mut buffer).await?;
        let bytes = &buffer[..length];
        let pieces = if tty { vec![(Stream::Out, bytes)] } else { unframer.feed(bytes)? };
        for (stream, piece) in pieces {
            let written = match stream {
                Stream::Out => out.write_all(piece).await,
                Stream::Err => err.write_all(piece).await,
            };
            if let Err(error) = written {
                return Ok(Output::ReaderGone(error));
            }
        }
        // Flushing waits for the write to have happened, which also tells of a reader that has gone.
        if let Err(error) = out.flush().await.and(err.flush().await) {
            return Ok(Output::ReaderGone(error));
        }
        if length == 0 {
            return Ok(Output::Complete);
        }
    }
}

/// Keeps the session's terminal as large as ours.
async fn follow_size(engine: Engine, exec: String) {
    let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
    let mut wait = Duration::from_millis(5);
    loop {
        if let Some(size) = terminal::size() {
            // An engine refuses until the command has really started.
            while engine.resize(&exec, size).await.is_err() && wait < Duration::from_secs(1) {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        if changes.recv().await.is_none() {
            return;
        }
    }
}
