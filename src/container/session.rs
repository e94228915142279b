//! A session: one command inside the container, joined to the caller's terminal or pipes until it ends.
//!
//! With a terminal, keys and output pass raw. Without one, bytes pass unchanged both ways, the end of the input is
//! passed on, and output is complete whatever happened to the input. The engine cannot end a command, so a signal to us
//! is carried inside by a second command, which knows the session's processes by a marker in their environment, and those
//! that sudo started by where they come from.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::FusedFuture;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::signal::unix::{SignalKind, signal};

use super::engine::exec::{Exec, ExecRequest, Stream, Unframer, Upgraded};
use super::engine::{self, Engine};
use super::terminal::{self, Keyboard, RawMode};
use crate::signals::{EndSignal, EndSignals};

/// The variable that marks a session's processes.
const MARKER: &str = "CLAUDE_REACTOR_SESSION";
/// How long, in seconds, the processes inside may take to end after a signal before they are killed, and after that.
const GRACE: u8 = 5;
/// How long the engine may take to tell that all of them have ended: the grace time twice, and its own time.
const LONGEST_END: Duration = Duration::from_secs(12);
/// How long the engine may take to close the stream of a command that has ended.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// The exit code of a killed command, as engines report it.
const KILLED: i64 = 128 + 9;
/// How long the engine may take to note that a container has ended, after it noted the end of a command inside.
const CONTAINER_END: Duration = Duration::from_secs(1);
/// Bytes moved at a time: what the engines put into one frame at the most.
const CHUNK: usize = 32 * 1024;

/// Ends all processes of a session; the file says how it knows them.
const END_SCRIPT: &str = include_str!("end_session.sh");
/// The script's exit code where it has to run as the session's user: it cannot become that user by itself.
const NO_SETPRIV: i64 = 99;

/// What went wrong with a session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's part.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The container was stopped or removed under the session.
    #[error("the session's container was stopped or removed")]
    ContainerGone,
    /// The caller's terminal or pipes.
    #[error("the session's input or output failed")]
    Io(#[from] io::Error),
}

impl Error {
    /// Whether the container was not there any more, or did not run, when the command was to start.
    pub fn is_too_late(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_missing() || error.is_conflict())
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::ContainerGone => Some("run again: the container is started, or made anew".to_owned()),
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
    /// The command exited, with this code.
    Exited(u8),
    /// Nobody reads what we write any more.
    ReaderGone(io::Error),
}

/// A command that was started inside, and is not joined to our standard streams yet.
#[derive(Debug)]
pub struct Session {
    inside: Inside,
    exec: Exec,
    tty: bool,
}

/// Starts a command in a running container. From here on the engine knows that somebody is inside.
pub async fn start(engine: &Engine, container: &str, mut request: ExecRequest) -> Result<Session, Error> {
    let marker = unique();
    request.env.push((MARKER.to_owned(), SecretString::from(marker.as_str())));
    let (user, tty) = (request.user.clone(), request.tty);
    let marker = format!("{MARKER}={marker}");
    let exec = engine.exec(container, request).await?;
    let (engine, container, id) = (engine.clone(), container.to_owned(), exec.id.clone());
    Ok(Session { inside: Inside { engine, container, exec: id, user, marker }, exec, tty })
}

/// What a command without a terminal said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: u8,
    /// Its standard output, cut after 64 KiB.
    pub stdout: Vec<u8>,
    /// Its standard error, likewise.
    pub stderr: Vec<u8>,
}

/// Gives a command without a terminal this input, and takes what it says, until it ends.
pub async fn converse(session: Session, said: &[u8]) -> Result<Said, Error> {
    const MOST: usize = 64 * 1024;
    let Session { inside, exec: Exec { id, mut output, mut input }, .. } = session;
    // The command may end before it has read everything.
    let tell = async {
        if input.write_all(said).await.is_ok() {
            let _ = input.shutdown().await;
        }
        // Shut down, the connection is still needed.
        std::future::pending::<Infallible>().await
    };
    let listen = async {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (mut unframer, mut buffer) = (Unframer::default(), vec![0; CHUNK]);
        loop {
            let length = match output.read(&mut buffer).await {
                Ok(length) => length,
                Err(error) if is_reset(&error) => 0,
                Err(error) => return Err(error),
            };
            if length == 0 {
                return Ok((stdout, stderr));
            }
            for (stream, piece) in unframer.feed(&buffer[..length])? {
                let kept = if stream == Stream::Out { &mut stdout } else { &mut stderr };
                kept.extend_from_slice(&piece[..piece.len().min(MOST - kept.len())]);
            }
        }
    };
    let (stdout, stderr) = tokio::select! {
        heard = listen => heard?,
        never = tell => match never {},
    };
    let code = exit_code(&inside.engine, &inside.container, &id).await?;
    Ok(Said { code, stdout, stderr })
}

/// Joins a command to our standard streams until it ends, and returns its exit code: the command's own, or 128+n where
/// signal n ended the session.
pub async fn join(session: Session, signals: &mut EndSignals) -> Result<u8, Error> {
    let tty = session.tty;
    let joined = pump(session, signals).await;
    if tty && joined.is_err() {
        // Whatever drew on the screen had no time to tidy up.
        terminal::reset_screen();
    }
    joined
}

async fn pump(session: Session, signals: &mut EndSignals) -> Result<u8, Error> {
    let Session { inside, exec: Exec { id, output, input }, tty } = session;
    let Inside { engine, container, .. } = &inside;
    let raw = if tty { Some(RawMode::enter()?) } else { None };
    let copying_in = tokio::spawn(copy_input(input, tty));
    let resizing = tty.then(|| tokio::spawn(follow_size(engine.clone(), id.clone())));
    let mut finished = std::pin::pin!(
        async {
            Ok::<_, Error>(match copy_output(output, tty).await? {
                Output::Complete => Finish::Exited(exit_code(engine, container, &id).await?),
                Output::ReaderGone(error) => Finish::ReaderGone(error),
            })
        }
        .fuse()
    );

    let done = signals.unless(&mut finished).await;
    let code = match done {
        Ok(finish) => match finish? {
            Finish::Exited(code) => code,
            Finish::ReaderGone(error) => {
                // Nothing must hold the connection any more: while output waits for us on it, the engine does not
                // notice the end of anything in the container.
                copying_in.abort();
                if tty {
                    inside.end(EndSignal::Hangup, signals).await?;
                    return Ok(EndSignal::Hangup.exit_code());
                }
                // Where a reader goes away, a program is ended by SIGPIPE, number 13, or by its own failed write if it
                // ignores that. No write fails inside, hence a signal that is rarely ignored.
                inside.end(EndSignal::Terminate, signals).await?;
                match error.kind() {
                    io::ErrorKind::BrokenPipe => 128 + 13,
                    _ => return Err(error.into()),
                }
            }
        },
        Err(signal) => {
            // What the command says at its end is still passed on.
            let last_output = async {
                let _ = (&mut finished).await;
                std::future::pending::<Infallible>().await
            };
            tokio::select! {
                ended = inside.end(signal, signals) => ended?,
                never = last_output => match never {},
            }
            if !finished.is_terminated() {
                let _ = tokio::time::timeout(LAST_WAIT, &mut finished).await;
            }
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
#[derive(Debug)]
struct Inside {
    engine: Engine,
    container: String,
    /// The engine's id for the session's own command.
    exec: String,
    /// `uid:gid`.
    user: String,
    marker: String,
}

impl Inside {
    /// Ends all of them by a signal; a second signal to us ends the patience with them.
    async fn end(&self, signal: EndSignal, signals: &mut EndSignals) -> Result<(), engine::Error> {
        match signals.unless(self.run_end_script(signal.name())).await {
            Ok(ended) => ended,
            Err(_) => self.run_end_script("KILL").await,
        }
    }

    async fn run_end_script(&self, signal: &str) -> Result<(), engine::Error> {
        let script = async {
            let leader = self.leader().await?;
            if self.run_script_as("0:0", signal, leader).await? == NO_SETPRIV {
                self.run_script_as(&self.user, signal, leader).await?;
            }
            Ok::<(), engine::Error>(())
        };
        match tokio::time::timeout(LONGEST_END, script).await {
            // A container that is gone, or does not run, has nobody inside.
            Ok(Err(error)) if error.is_missing() || error.is_conflict() => Ok(()),
            Ok(done) => done,
            Err(_) => Ok(()),
        }
        .inspect(|()| tracing::debug!(signal, "the session's processes are ended"))
    }

    async fn run_script_as(
        &self,
        user: &str,
        signal: &str,
        leader: Option<u32>,
    ) -> Result<i64, engine::Error> {
        let (uid, gid) = self.user.split_once(':').unwrap_or((&self.user, "0"));
        let (grace, leader) = (GRACE.to_string(), leader.unwrap_or_default().to_string());
        let command = ["sh", "-c", END_SCRIPT, "sh", &self.marker, signal, &grace, uid, gid, &leader];
        let request = ExecRequest {
            command: command.map(str::to_owned).to_vec(),
            env: Vec::new(),
            tty: false,
            size: None,
            user: user.to_owned(),
            workdir: "/",
        };
        let mut exec = self.engine.exec(&self.container, request).await?;
        // What the script says is of no use; what counts is the end of its output.
        let _ = tokio::io::copy(&mut exec.output, &mut tokio::io::sink()).await;
        self.engine.exit_code(&exec.id).await
    }

    /// The number that the session's own command has inside, where it still runs and this machine can tell. A command
    /// that became root at once, as `exec -- sudo …` does, shows nothing else that it is the session's.
    async fn leader(&self) -> Result<Option<u32>, engine::Error> {
        let pid = self.engine.exec_state(&self.exec).await?.pid;
        Ok(pid.and_then(|pid| number_inside(Path::new("/proc"), pid, &self.container)))
    }
}

/// The number that one of this machine's processes has in a container, by what the kernel says of it. Nothing where it
/// is not of that container: the engine may count the processes of another machine, or of a virtual one.
fn number_inside(proc: &Path, pid: u32, container: &str) -> Option<u32> {
    let read = |name: &str| std::fs::read_to_string(proc.join(pid.to_string()).join(name)).ok();
    read("cgroup").filter(|cgroup| cgroup.contains(container))?;
    let status = read("status")?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_whitespace().last()?.parse().ok()
}

/// Differs between any two sessions in one container.
fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", std::process::id(), now.as_nanos())
}

/// The exit code of a command that has ended by itself, or with its container.
async fn exit_code(engine: &Engine, container: &str, exec: &str) -> Result<u8, Error> {
    match engine.exit_code(exec).await {
        // What lives in a container that ends is killed. The engine notes its end a moment later.
        Ok(KILLED) if engine.stops_within(container, CONTAINER_END).await? => Err(Error::ContainerGone),
        // Engines report what a shell would; anything outside a byte can only be a fault of theirs.
        Ok(code) => Ok(u8::try_from(code).unwrap_or(1)),
        Err(error) if error.is_missing() => Err(Error::ContainerGone),
        // Podman answers for a command of a container that is gone as for a fault of its own.
        Err(error) => match engine.stops_within(container, Duration::ZERO).await {
            Ok(true) => Err(Error::ContainerGone),
            _ => Err(error.into()),
        },
    }
}

async fn copy_input(mut to: WriteHalf<Upgraded>, tty: bool) -> io::Result<()> {
    if tty {
        let mut keyboard = Keyboard::open()?;
        loop {
            let keys = keyboard.read().await?;
            if keys.is_empty() {
                break;
            }
            to.write_all(&keys).await?;
            to.flush().await?;
        }
    } else {
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
        let length = match from.read(&mut buffer).await {
            Ok(length) => length,
            // So Podman ends a stream whose input was not read to its end; whether the command ended is asked next.
            Err(error) if is_reset(&error) => 0,
            Err(error) => return Err(error),
        };
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

fn is_reset(error: &io::Error) -> bool {
    let is_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    // hyper wraps what the system says.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(is_reset) {
            return true;
        }
        cause = error.source();
    }
    false
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_number_inside_only_where_the_kernel_says_that_it_is_of_the_container() {
        let proc = tempfile::tempdir().unwrap();
        let folder = proc.path().join("4711");
        std::fs::create_dir(&folder).unwrap();
        let number = |container| number_inside(proc.path(), 4711, container);
        assert_eq!(number("c0ffee"), None);
        std::fs::write(folder.join("cgroup"), "0::/system.slice/docker-c0ffee.scope\n").unwrap();
        std::fs::write(folder.join("status"), "Name:\tsudo\nNSpid:\t4711\t22\nThreads:\t1\n").unwrap();
        assert_eq!(number("c0ffee"), Some(22));
        assert_eq!(number("decaf"), None);
    }
}
