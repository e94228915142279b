//! Connecting: the first address at which an engine answers, what kind of engine it is, and one way for every request
//! and every stream to get there.
//!
//! The API version is negotiated with one `GET /_ping`, as the engines' own command lines do it: `/version` would make
//! Docker run two programs before it answers. The same answer tells Podman from Docker. Whether an engine is rootless
//! follows from whose process listens on its socket; `/info`, for which Podman takes half a second, is asked only where
//! that does not tell.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::{BollardRequest, ClientVersion, Docker};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::header::{HeaderMap, SERVER};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::Error;
use super::endpoint::Endpoint;
use super::facts::{Facts, Info, Kind, Machine, kernel_has_selinux};
use super::locate::{self, ChosenBy, Search};
use super::stream::{Dialer, Stream};
use super::tls::Mistrust;
use crate::config::Setting;
use crate::engine_choice::EngineChoice;
use crate::host::Host;

/// How long an engine may take to say that it is one. A socket whose owner hangs takes connections and never answers.
const PING_LIMIT: Duration = Duration::from_secs(3);
/// The same for an engine on the other side of a network, where logging in comes first.
const DISTANT_PING_LIMIT: Duration = Duration::from_secs(30);
/// How long the engine may take to answer a request; pulling and building send their answer piece by piece.
pub(super) const TIMEOUT_SECONDS: u64 = 120;

/// What sends requests over the dialer's connections, and keeps those that were costly to open.
pub(super) type Http = Client<Connector, UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// An address that was tried in vain.
#[derive(Debug)]
pub struct Tried {
    /// The address.
    pub endpoint: Endpoint,
    /// What happened there.
    pub error: io::Error,
}

impl Tried {
    /// Whether something listens there, and one side does not believe the other.
    pub(super) fn is_mistrust(&self) -> bool {
        matches!(self.error.get_ref(), Some(error) if error.is::<Mistrust>())
    }
}

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) docker: Docker,
    pub(super) http: Http,
    pub(super) dialer: Dialer,
    pub(super) chosen_by: ChosenBy,
    pub(super) facts: Facts,
    /// What it told of itself, where it was asked.
    pub(super) info: Option<Info>,
}

/// An engine's answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pong {
    kind: Kind,
    version: (usize, usize),
}

/// Finds the engine and connects to it.
pub(super) async fn connect(host: &Host, choice: Option<&Setting<EngineChoice>>) -> Result<Connected, Error> {
    let Search { chosen_by, endpoints, kind } = locate::search(host, choice)?;
    let mut tried = Vec::new();
    for endpoint in endpoints {
        let limit = if matches!(endpoint, Endpoint::Unix(_)) { PING_LIMIT } else { DISTANT_PING_LIMIT };
        let dialer = Dialer::new(endpoint.clone())
            .map_err(|source| Error::Tls { chosen_by: chosen_by.clone(), source: Box::new(source) })?;
        match first_answer(&dialer, limit).await {
            Ok((docker, http, pong)) if kind.is_none_or(|kind| kind == pong.kind) => {
                let (facts, info) = facts(&docker, &dialer, pong.kind).await?;
                return Ok(Connected { docker, http, dialer, chosen_by, facts, info });
            }
            Ok((_, _, pong)) => {
                let error = io::Error::other(format!("that is {}", pong.kind));
                tried.push(Tried { endpoint, error });
            }
            Err(error) => tried.push(Tried { endpoint, error }),
        }
    }
    let podman_is_installed = locate::is_installed(host, "podman");
    Err(Error::NoAnswer { chosen_by, kind, tried, podman_is_installed })
}

/// Whether the engine is on this machine, as far as can be told before a container is made: so that the folders of this
/// machine are there for it to mount.
pub(super) async fn is_on_this_machine(engine: &Connected) -> Result<bool, Error> {
    if engine.dialer.endpoint().is_local() {
        return Ok(true);
    }
    let Some(machine) = Machine::here() else { return Ok(false) };
    match &engine.info {
        Some(info) => Ok(info.is_of(&machine)),
        None => Ok(info(&engine.docker).await?.is_of(&machine)),
    }
}

/// What the engine tells of itself.
pub(super) async fn info(docker: &Docker) -> Result<Info, Error> {
    docker.info().await.map(Info::from).map_err(|source| Error::api("tell about itself", source))
}

async fn facts(docker: &Docker, dialer: &Dialer, kind: Kind) -> Result<(Facts, Option<Info>), Error> {
    let facts = |rootless, selinux| Facts { kind, rootless, selinux };
    // Elsewhere the socket is one of a virtual machine's, and whose process listens says nothing about the engine.
    let peer = dialer.peer_uid().filter(|_| cfg!(target_os = "linux"));
    match (kind, peer) {
        (_, Some(0)) => Ok((facts(false, kernel_has_selinux()), None)),
        (Kind::Podman, Some(_)) => Ok((facts(true, kernel_has_selinux()), None)),
        // Docker Desktop's socket is a user's as well, but its engine is not rootless.
        _ => {
            let info = info(docker).await?;
            Ok((facts(info.is_rootless(), info.has_selinux()), Some(info)))
        }
    }
}

/// A client for an endpoint, once an engine has answered there.
async fn first_answer(dialer: &Dialer, limit: Duration) -> io::Result<(Docker, Http, Pong)> {
    let mut builder = Client::builder(TokioExecutor::new());
    if !dialer.is_costly() {
        // An engine that is restarted leaves idle connections behind that look usable.
        builder.pool_max_idle_per_host(0);
    }
    let client: Http = builder.build(Connector(dialer.clone()));
    let asked = async {
        let request = hyper::Request::get("http://localhost/_ping")
            .body(no_body())
            .expect("a fixed request is well-formed");
        let answer = client.request(request).await.map_err(|error| plainest(&error))?;
        let status = answer.status();
        let pong = pong(answer.headers());
        // Only a connection whose answer was read to its end can be used again.
        let _ = answer.into_body().collect().await;
        pong.ok_or_else(|| io::Error::other(format!("no container engine: it answered {status}")))
    };
    let silent = |_| {
        let problem = format!("no answer within {} s", limit.as_secs_f32());
        Err(io::Error::new(io::ErrorKind::TimedOut, problem))
    };
    let pong = tokio::time::timeout(limit, asked).await.unwrap_or_else(silent)?;
    let ours = (bollard::API_DEFAULT_VERSION.major_version, bollard::API_DEFAULT_VERSION.minor_version);
    let (major_version, minor_version) = ours.min(pong.version);
    tracing::debug!(endpoint = %dialer.endpoint(), kind = %pong.kind, api = %format_args!("{major_version}.{minor_version}"), "engine found");
    let http = client.clone();
    let transport = move |request: BollardRequest| {
        client.request(request.map(BodyExt::boxed_unsync)).map_err(bollard::errors::Error::from)
    };
    let docker = Docker::connect_with_custom_transport(
        transport,
        Some("http://localhost"),
        TIMEOUT_SECONDS,
        &ClientVersion { major_version, minor_version },
    );
    docker.map(|docker| (docker, http, pong)).map_err(io::Error::other)
}

/// The body of a request that has none.
pub(super) fn no_body() -> UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    Empty::new().map_err(Into::into).boxed_unsync()
}

fn pong(headers: &HeaderMap) -> Option<Pong> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (major, minor) = text("Api-Version")?.split_once('.')?;
    let is_podman = headers.contains_key("Libpod-Api-Version")
        || text(SERVER.as_str()).is_some_and(|server| server.starts_with("Libpod"));
    Some(Pong {
        kind: if is_podman { Kind::Podman } else { Kind::Docker },
        version: (major.parse().ok()?, minor.parse().ok()?),
    })
}

/// The error at the root of what hyper wraps around it: what the system, TLS or SSH said.
fn plainest(error: &hyper_util::client::legacy::Error) -> io::Error {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return match Mistrust::behind(io) {
                Some(mistrust) => io::Error::new(io.kind(), mistrust),
                None => io::Error::new(io.kind(), io.to_string()),
            };
        }
    }
    io::Error::other(cause.to_string())
}

/// Opens an HTTP connection that can be taken over.
pub(super) async fn handshake<B>(dialer: &Dialer) -> io::Result<http1::SendRequest<B>>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let stream = dialer.open().await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // An error of the connection reaches whoever waits for the response.
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

/// What the engine said when it did not do something.
pub(super) async fn refusal(action: &'static str, response: hyper::Response<hyper::body::Incoming>) -> Error {
    let status = response.status().as_u16();
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Error::Broken { action, source: Box::new(error) },
    };
    let message = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
    Error::Refused { action, status, message }
}

/// The dialer, as hyper's client wants it.
#[derive(Debug, Clone)]
pub(super) struct Connector(Dialer);

impl tower_service::Service<hyper::Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let dialer = self.0.clone();
        async move { dialer.open().await.map(TokioIo::new) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_answer_tells_which_engine_it_is() {
        let docker = headers(&[("Api-Version", "1.41"), ("Server", "Docker/20.10.24 (linux)")]);
        assert_eq!(pong(&docker), Some(Pong { kind: Kind::Docker, version: (1, 41) }));
        let podman = headers(&[("Api-Version", "1.41"), ("Libpod-Api-Version", "4.3.1")]);
        assert_eq!(pong(&podman), Some(Pong { kind: Kind::Podman, version: (1, 41) }));
        assert_eq!(pong(&headers(&[("Server", "nginx")])), None);
    }

    #[tokio::test]
    async fn a_silent_socket_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (silent, missing) = (folder.path().join("silent"), folder.path().join("missing"));
        let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
        let answer = async |path| {
            let dialer = Dialer::new(Endpoint::Unix(path)).unwrap();
            first_answer(&dialer, Duration::from_millis(10)).await.unwrap_err()
        };
        assert_eq!(answer(silent).await.to_string(), "no answer within 0.01 s");
        assert_eq!(answer(missing).await.kind(), io::ErrorKind::NotFound);
    }
}
