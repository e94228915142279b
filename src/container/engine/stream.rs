//! A byte stream to an engine, whatever it runs over. Everything that talks to an engine opens its connections here.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use super::endpoint::{Endpoint, SshTarget};
use super::tls::Tls;

/// How much of what a command says on its standard error is kept.
const STDERR_LIMIT: u64 = 4096;

/// How byte streams to one engine are opened.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    endpoint: Endpoint,
    tls: Option<Arc<Tls>>,
    peer_uid: Arc<OnceLock<u32>>,
}

impl Dialer {
    /// Reads the files that connections to this endpoint need.
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, super::tls::Error> {
        let tls = match &endpoint {
            Endpoint::Tcp { host, tls: Some(files), .. } => Some(Arc::new(Tls::read(host, files)?)),
            _ => None,
        };
        Ok(Self { endpoint, tls, peer_uid: Arc::default() })
    }

    /// Where they lead to.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The user id of the process that listens on a socket of this machine, once one was opened.
    pub(super) fn peer_uid(&self) -> Option<u32> {
        self.peer_uid.get().copied()
    }

    /// Whether opening one takes long enough to use it for more than one request.
    pub(super) fn is_costly(&self) -> bool {
        self.tls.is_some() || matches!(self.endpoint, Endpoint::Ssh(_))
    }

    /// Opens one.
    pub(super) async fn open(&self) -> io::Result<Stream> {
        match &self.endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path).await?;
                if let Ok(peer) = stream.peer_cred() {
                    self.peer_uid.get_or_init(|| peer.uid());
                }
                Ok(Stream::Unix(stream))
            }
            Endpoint::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                match &self.tls {
                    None => Ok(Stream::Tcp(stream)),
                    Some(tls) => Ok(Stream::Tls(Box::new(tls.connect(stream).await?))),
                }
            }
            Endpoint::Ssh(target) => Ok(Stream::Ssh(Box::new(SshStream::spawn(target)?))),
        }
    }
}

/// A connection to an engine.
#[derive(Debug)]
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Ssh(Box<SshStream>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Ssh(stream) => stream.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Ssh(stream) => stream.poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Ssh(stream) => match &mut stream.input {
                Some(input) => Pin::new(input).poll_flush(cx),
                None => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Ssh(stream) => {
                // The end of a pipe is told by closing it.
                stream.input = None;
                Poll::Ready(Ok(()))
            }
        }
    }
}

/// A connection through `ssh`, to a command there that joins its own input and output to the engine.
#[derive(Debug)]
pub(super) struct SshStream {
    /// Ends with the stream.
    _child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// What SSH had to say, until it was needed. Once something came from the engine, it is of no interest.
    complaint: Option<JoinHandle<String>>,
}

impl SshStream {
    fn spawn(target: &SshTarget) -> io::Result<Self> {
        let mut command = Command::new("ssh");
        command
            .args(ssh_arguments(target))
            // A Ctrl-C is for the session, which needs the connection to hear of it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other("the program `ssh` is not installed"),
            _ => error,
        })?;
        let complaint = child.stderr.take().map(|stderr| tokio::spawn(read_complaint(stderr)));
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { _child: child, input, output, complaint })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(input) = &mut self.input else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        match ready!(Pin::new(input).poll_write(cx, bytes)) {
            // SSH has ended; why is what it said, and comes with the end of the output.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.complaint.is_some() => {
                Poll::Ready(Ok(bytes.len()))
            }
            written => Poll::Ready(written),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.complaint = None;
        } else if let Some(complaint) = &mut self.complaint {
            let text = ready!(Pin::new(complaint).poll(cx)).unwrap_or_default();
            self.complaint = None;
            let text = text.trim();
            return Poll::Ready(Err(io::Error::other(if text.is_empty() {
                "ssh: the connection was closed".to_owned()
            } else {
                format!("ssh: {text}")
            })));
        }
        Poll::Ready(Ok(()))
    }
}

async fn read_complaint(stderr: ChildStderr) -> String {
    let mut stderr = stderr;
    let mut text = Vec::new();
    // What can be read is shown; the rest is taken off the pipe, so that nobody waits for it to empty.
    let _ = (&mut stderr).take(STDERR_LIMIT).read_to_end(&mut text).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Nobody can be asked: a password would be read from the terminal that the session is about to use.
fn ssh_arguments(target: &SshTarget) -> Vec<String> {
    let SshTarget { user, host, port, socket, key_file } = target;
    let mut arguments: Vec<String> =
        ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"].map(str::to_owned).to_vec();
    if let Some(user) = user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(key_file) = key_file {
        arguments.extend(["-i".to_owned(), key_file.to_string_lossy().into_owned()]);
    }
    let option =
        |name: &str| socket.as_ref().map_or_else(String::new, |path| format!(" --{name} unix://{path}"));
    let (docker, podman) = (option("host"), option("url"));
    arguments.extend(["--".to_owned(), host.clone()]);
    // One word to us and to SSH; the login shell there, whichever it is, hands it on to sh.
    arguments.push(format!(
        "exec sh -c 'if command -v docker >/dev/null 2>&1; then exec docker{docker} system dial-stdio; \
         else exec podman --remote{podman} system dial-stdio; fi'"
    ));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_ssh() {
        let Some(Endpoint::Ssh(target)) = Endpoint::parse("ssh://alice@build:2222/run/p.sock", None) else {
            panic!("it is one")
        };
        let arguments = ssh_arguments(&target);
        let (command, options) = arguments.split_last().unwrap();
        assert_eq!(
            options,
            [
                "-T",
                "-o",
                "BatchMode=yes",
                "-o",
                "ConnectTimeout=10",
                "-l",
                "alice",
                "-p",
                "2222",
                "--",
                "build"
            ]
        );
        assert!(command.contains("docker --host unix:///run/p.sock system dial-stdio"), "{command}");
        assert!(command.contains("podman --remote --url unix:///run/p.sock system dial-stdio"), "{command}");
    }
}
