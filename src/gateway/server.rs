//! The gateway's own API: Anthropic's, for one backend, to clients that present a token.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName,
    HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use super::backend::{Backend, Speaks};
use super::body::Translated;
use super::client::Client;
use super::conversation::Conversation;
use super::event::Message;
use super::failure::Failure;
use super::reply::{Asked, Reply};
use super::translate::{self, Origin, Target, outgoing};
use super::{estimate, message};

/// The largest request, in bytes: Anthropic's own limit.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

type Answer = Response<UnsyncBoxBody<Bytes, hyper::Error>>;

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    backend: Arc<Backend>,
    client: Client,
    token: SecretString,
}

impl Gateway {
    /// A gateway to a backend, for clients that present the token.
    pub fn new(backend: Backend, client: Client, token: SecretString) -> Self {
        Self { backend: Arc::new(backend), client, token }
    }

    /// Serves all who come, until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = match listener.accept().await {
                Ok(accepted) => accepted,
                // Of one connection, which is gone already; or there are too many files, which passes.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            // Small pieces of a stream are not to wait for each other.
            stream.set_nodelay(true)?;
            let gateway = Arc::clone(&self);
            tokio::spawn(async move {
                let answer = service_fn(move |request| {
                    let gateway = Arc::clone(&gateway);
                    async move { Ok::<_, Infallible>(gateway.answer(request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), answer);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended");
                }
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        match self.route(&method, &path, request).await {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::info!(%method, path, status = failure.status.as_u16(), "{}", failure.message);
                failed(&failure)
            }
        }
    }

    async fn route(
        &self,
        method: &Method,
        path: &str,
        request: Request<Incoming>,
    ) -> Result<Answer, Failure> {
        match (method, path) {
            (&Method::HEAD | &Method::GET, "/") => return Ok(whole("application/json", "{}".to_owned())),
            (&Method::GET, "/health") => {
                let health = json!({"status": "ok", "provider": self.backend.id});
                return Ok(whole("application/json", health.to_string()));
            }
            _ => self.admit(request.headers())?,
        }
        match (method, path) {
            (&Method::POST, "/v1/messages") => self.messages(request).await,
            (&Method::POST, "/v1/messages/count_tokens") => self.count(request).await,
            (&Method::GET, "/v1/models") => self.models(request).await,
            _ => Err(Failure::new(StatusCode::NOT_FOUND, format!("this gateway has no {method} {path}"))),
        }
    }

    /// Refuses a client that does not present the token, in the time that it takes for any.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let key = headers.get("x-api-key").map(HeaderValue::as_bytes);
        let token = self.token.expose_secret().as_bytes();
        let is_token = |given: &[u8]| bool::from(given.ct_eq(token));
        if bearer.into_iter().chain(key).any(is_token) {
            return Ok(());
        }
        Err(Failure::new(StatusCode::UNAUTHORIZED, "this gateway wants its token, as Bearer or x-api-key"))
    }

    async fn messages(&self, request: Request<Incoming>) -> Result<Answer, Failure> {
        let target = match self.backend.speaks {
            Speaks::Anthropic => return self.pass_through(request).await,
            Speaks::Other(target) => target,
        };
        let body = read(request).await?;
        let request = parse(&body)?;
        let conversation = Conversation::new(&request);
        self.refuse_impossible(&conversation)?;
        let model = self.backend.model(&request.model);
        let outgoing = outgoing(target, &request, &conversation, model, &self.backend.dialect);
        let asked = Asked::new(&request.model, &conversation, estimate::tokens(&request), new_id());
        let (is_stream, reply) = (request.stream, Reply::new(asked));
        drop(conversation);
        drop(request);
        drop(body);
        let mut translated = self.ask(target, is_stream, &outgoing.path, outgoing.body, reply).await?;
        if is_stream {
            translated.first_word().await?;
            return Ok(stream(translated.map_err(|never| match never {}).boxed_unsync()));
        }
        let message = Message::from_events(translated.whole().await?.take());
        let message =
            message.ok_or_else(|| Failure::new(StatusCode::BAD_GATEWAY, "the reply is not whole"))?;
        Ok(whole("application/json", json!(message).to_string()))
    }

    async fn ask(
        &self,
        target: Target,
        is_stream: bool,
        path: &str,
        body: Vec<u8>,
        reply: Reply,
    ) -> Result<Translated, Failure> {
        let sent = self.backend.send(&self.client, Method::POST, path, HeaderMap::new(), body.into()).await?;
        // Whoever answers a wish for a stream with one whole reply is understood, too.
        let is_json = sent
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let is_stream = is_stream && !(is_json && target != Target::Ollama);
        let incoming = translate::Incoming::new(Origin::Other(target), is_stream);
        Ok(Translated::new(sent.into_body(), incoming, reply, Arc::clone(&self.backend)))
    }

    /// What no translation can make up for.
    fn refuse_impossible(&self, conversation: &Conversation<'_>) -> Result<(), Failure> {
        let only_search = conversation.tools.is_empty() && !conversation.server_tools.is_empty();
        if only_search && !self.backend.dialect.web_search {
            let why =
                format!("{} cannot search the web by itself; use another tool for it", self.backend.name);
            return Err(Failure::new(StatusCode::BAD_REQUEST, why));
        }
        Ok(())
    }

    async fn count(&self, request: Request<Incoming>) -> Result<Answer, Failure> {
        if self.backend.speaks == Speaks::Anthropic {
            return self.pass_through(request).await;
        }
        let tokens = estimate::tokens(&parse(&read(request).await?)?);
        Ok(whole("application/json", json!({"input_tokens": tokens}).to_string()))
    }

    async fn models(&self, request: Request<Incoming>) -> Result<Answer, Failure> {
        if self.backend.speaks == Speaks::Anthropic {
            return self.pass_through(request).await;
        }
        let names = self.backend.models.keys().chain(&self.backend.main_model);
        let models: Vec<_> = names
            .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z"}))
            .collect();
        let (first, last) =
            (models.first().map(|model| &model["id"]), models.last().map(|model| &model["id"]));
        let answer = json!({"data": models, "has_more": false, "first_id": first, "last_id": last});
        Ok(whole("application/json", answer.to_string()))
    }

    /// Hands a request on as it is, byte for byte, but for who sends it, and the answer back likewise.
    async fn pass_through(&self, request: Request<Incoming>) -> Result<Answer, Failure> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let method = request.method().clone();
        let mut headers = request.headers().clone();
        let ours = [AUTHORIZATION, HeaderName::from_static("x-api-key"), HOST, CONTENT_LENGTH];
        for name in ours.iter().chain(&HOP_BY_HOP) {
            headers.remove(name);
        }
        let body = read(request).await?;
        let sent = self.backend.send(&self.client, method, &path, headers, body).await?;
        let (mut parts, body) = sent.into_parts();
        for name in &HOP_BY_HOP {
            parts.headers.remove(name);
        }
        // Cut off in the midst, the connection ends without the end of the body, which the client sees.
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }
}

/// Headers that concern one connection alone.
const HOP_BY_HOP: [HeaderName; 6] =
    [CONNECTION, HeaderName::from_static("keep-alive"), TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

async fn read(request: Request<Incoming>) -> Result<Bytes, Failure> {
    let body = Limited::new(request.into_body(), LARGEST_REQUEST).collect().await;
    Ok(body
        .map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than 32 MiB")
            } else {
                Failure::new(StatusCode::BAD_REQUEST, "the request was cut off")
            }
        })?
        .to_bytes())
}

fn parse(body: &[u8]) -> Result<message::Request, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        // The error names a position and a type; never the content.
        Failure::new(StatusCode::BAD_REQUEST, format!("this is not a request of the Messages API: {error}"))
    })
}

fn whole(kind: &'static str, text: String) -> Answer {
    let mut response =
        Response::new(Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn stream(body: UnsyncBoxBody<Bytes, hyper::Error>) -> Answer {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn failed(failure: &Failure) -> Answer {
    let mut response = whole("application/json", failure.envelope());
    *response.status_mut() = failure.status;
    response.headers_mut().extend(failure.headers());
    response
}

/// The id of a reply: unlike any other.
pub(super) fn new_id() -> String {
    let mut bytes = [0; 12];
    // Without a source of random numbers there would be no TLS either.
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    format!("msg_{}", crate::digest::hex(&bytes))
}
