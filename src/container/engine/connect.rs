//! Finding the engine: which addresses are tried, and how a byte stream to one is opened.
//!
//! The API version is negotiated with one `GET /_ping`, as the engines' own command lines do it: `/version` would make
//! Docker run two programs before it answers.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::Error;
use crate::host::Host;

/// How long an engine may take to say that it is one. A socket whose owner hangs takes connections and never answers.
const PING_LIMIT: Duration = Duration::from_secs(3);

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket of this machine.
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// An address that was tried in vain.
#[derive(Debug)]
pub struct Tried {
    /// The address.
    pub endpoint: Endpoint,
    /// What happened there.
    pub error: io::Error,
}

/// The engine's side of an API version, `1.41` as `(1, 41)`.
pub(super) type ApiVersion = (usize, usize);

/// Finds the first address at which an engine answers: `DOCKER_HOST` alone where it is set, else the usual sockets of
/// Docker and Podman.
pub(super) async fn find(host: &Host) -> Result<(Endpoint, ApiVersion), Error> {
    let given = host.var("DOCKER_HOST");
    let candidates = match given {
        Some(address) => vec![parse(address)?],
        None => default_sockets(host).into_iter().map(Endpoint::Unix).collect(),
    };
    let not_there = if given.is_some() { Error::NotThere } else { Error::NotFound };
    first_that_answers(candidates, PING_LIMIT).await.map_err(not_there)
}

/// The first address at which an engine answers, each within a limit; else what happened at each.
async fn first_that_answers(
    candidates: Vec<Endpoint>,
    limit: Duration,
) -> Result<(Endpoint, ApiVersion), Vec<Tried>> {
    let mut tried = Vec::new();
    for endpoint in candidates {
        let silent = |_| {
            let problem = format!("no answer within {} s", limit.as_secs_f32());
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        };
        match tokio::time::timeout(limit, ping(&endpoint)).await.unwrap_or_else(silent) {
            Ok(version) => return Ok((endpoint, version)),
            Err(error) => tried.push(Tried { endpoint, error }),
        }
    }
    Err(tried)
}

fn parse(address: &str) -> Result<Endpoint, Error> {
    let unusable = || Error::Address(address.to_owned());
    let (scheme, rest) = address.split_once("://").ok_or_else(unusable)?;
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Endpoint::Unix(PathBuf::from(rest))),
        "tcp" | "http" if !rest.trim_end_matches('/').is_empty() => {
            Ok(Endpoint::Tcp(rest.trim_end_matches('/').to_owned()))
        }
        _ => Err(unusable()),
    }
}

/// The sockets that Docker, Docker Desktop, rootless Docker and Podman open by default.
fn default_sockets(host: &Host) -> Vec<PathBuf> {
    let runtime_dir = host.var("XDG_RUNTIME_DIR").map(Path::new);
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    sockets.extend(runtime_dir.map(|dir| dir.join("docker.sock")));
    sockets.push(host.home.join(".docker/run/docker.sock"));
    sockets.push(host.home.join(".docker/desktop/docker.sock"));
    sockets.extend(runtime_dir.map(|dir| dir.join("podman/podman.sock")));
    sockets.push(PathBuf::from("/run/podman/podman.sock"));
    sockets
}

async fn ping(endpoint: &Endpoint) -> io::Result<ApiVersion> {
    let mut sender = handshake(endpoint).await?;
    let request = hyper::Request::get("/_ping")
        .header(hyper::header::HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .expect("a fixed request is well-formed");
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let version = response.headers().get("Api-Version").and_then(|value| value.to_str().ok());
    let version = version.and_then(|text| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    version.ok_or_else(|| io::Error::other(format!("no container engine: it answered {}", response.status())))
}

/// Opens an HTTP connection that can be taken over.
pub(super) async fn handshake<B>(endpoint: &Endpoint) -> io::Result<http1::SendRequest<B>>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let stream = open(endpoint).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // An error of the connection reaches whoever waits for the response.
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

/// Opens a byte stream to an engine.
pub(super) async fn open(endpoint: &Endpoint) -> io::Result<Stream> {
    Ok(match endpoint {
        Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(path).await?),
        Endpoint::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Stream::Tcp(stream)
        }
    })
}

/// A connection to an engine, whatever it runs over.
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(parse("unix:///run/x.sock").unwrap(), Endpoint::Unix("/run/x.sock".into()));
        assert_eq!(parse("tcp://127.0.0.1:2375/").unwrap(), Endpoint::Tcp("127.0.0.1:2375".to_owned()));
        for bad in ["", "/run/x.sock", "unix://x.sock", "tcp://", "fd://", "ssh://host"] {
            assert!(matches!(parse(bad), Err(Error::Address(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_silent_socket_keeps_nobody_from_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let (silent, missing) = (folder.path().join("silent"), folder.path().join("missing"));
        let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
        let candidates = [&silent, &missing].map(|path| Endpoint::Unix(path.clone())).to_vec();
        let tried = first_that_answers(candidates, Duration::from_millis(10)).await.unwrap_err();
        assert_eq!(tried[0].error.to_string(), "no answer within 0.01 s");
        assert_eq!(tried[1].error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn rootless_sockets_are_tried_after_the_system_wide_one() {
        let vars = [("XDG_RUNTIME_DIR".to_owned(), "/run/user/1000".to_owned())];
        let sockets = default_sockets(&Host::new("/home/alice", "/", vars));
        assert_eq!(sockets[0], Path::new("/var/run/docker.sock"));
        assert!(sockets.contains(&PathBuf::from("/run/user/1000/podman/podman.sock")));
        assert!(sockets.contains(&PathBuf::from("/home/alice/.docker/run/docker.sock")));
    }
}
