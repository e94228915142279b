//! A fake of an image registry: as much of its API as an engine needs to pull one image and to push others, behind a login.
//!
//! Engines speak plain HTTP to a registry on the loopback address, so nothing has to be configured for it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::engine::Engine;
use super::monitor::Monitor;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A running fake. Dropping it closes its port and cuts its connections.
pub struct FakeRegistry {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// The value of the `Authorization` header that lets in.
    authorization: Option<String>,
    /// What every name means that nothing was pushed under.
    image: Option<Image>,
    pushed: Monitor<Pushed>,
    asked: Monitor<Vec<Asked>>,
    hold: watch::Sender<bool>,
}

/// What was pushed: manifests by `NAME:TAG` with their types, and blobs by digest.
#[derive(Debug, Default)]
struct Pushed {
    manifests: BTreeMap<String, (String, Bytes)>,
    blobs: BTreeMap<String, Bytes>,
    /// Uploads that are not finished, by their id.
    uploads: BTreeMap<String, Vec<u8>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub authorization: Option<String>,
}

/// An image as registries keep it.
pub struct Image {
    manifest: Bytes,
    /// The configuration and the layers, by digest.
    blobs: BTreeMap<String, Bytes>,
}

impl Image {
    /// An image of the engine's, with one more layer of files on top.
    pub fn from_engine(engine: &Engine, image: &str, files: &[(&str, u32, &str)]) -> Self {
        let saved = engine.command(&["save", image]).output().expect("docker can be run");
        assert!(saved.status.success(), "docker save {image}: {}", String::from_utf8_lossy(&saved.stderr));
        let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in tar::Archive::new(&saved.stdout[..]).entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("its content");
            parts.insert(entry.path().expect("a path").display().to_string(), content);
        }
        let index: Value = serde_json::from_slice(&parts["manifest.json"]).expect("JSON");
        let part = |path: &Value| parts[path.as_str().expect("a path")].clone();
        let mut config: Value = serde_json::from_slice(&part(&index[0]["Config"])).expect("JSON");
        let layers = index[0]["Layers"].as_array().expect("layers");
        let mut layers: Vec<Bytes> = layers.iter().map(|path| part(path).into()).collect();

        let mut top = tar::Builder::new(Vec::new());
        for (path, mode, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(*mode);
            header.set_size(content.len() as u64);
            top.append_data(&mut header, path, content.as_bytes()).expect("memory takes it");
        }
        let top: Bytes = top.into_inner().expect("memory takes it").into();
        config["rootfs"]["diff_ids"].as_array_mut().expect("a list").push(digest(&top).into());
        config.as_object_mut().expect("an object").remove("history");
        layers.push(top);

        let config: Bytes = config.to_string().into();
        let describe = |kind: &str, blob: &Bytes| json!({ "mediaType": format!("application/vnd.docker.{kind}"), "size": blob.len(), "digest": digest(blob) });
        let kind = |layer: &Bytes| {
            let packed = layer.starts_with(&[0x1f, 0x8b]);
            if packed { "image.rootfs.diff.tar.gzip" } else { "image.rootfs.diff.tar" }
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": describe("container.image.v1+json", &config),
            "layers": layers.iter().map(|layer| describe(kind(layer), layer)).collect::<Vec<_>>(),
        });
        let blobs = layers.into_iter().chain([config]).map(|blob| (digest(&blob), blob)).collect();
        Self { manifest: manifest.to_string().into(), blobs }
    }
}

fn digest(blob: &Bytes) -> String {
    let digest = Sha256::digest(blob);
    digest.iter().fold("sha256:".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

impl FakeRegistry {
    /// Serves an image under every name, to whoever sends this `Authorization` header.
    pub fn start(image: Image, authorization: Option<String>) -> Self {
        Self::serve(Some(image), authorization)
    }

    /// A registry with nothing in it but what is pushed.
    pub fn empty(authorization: Option<String>) -> Self {
        Self::serve(None, authorization)
    }

    fn serve(image: Option<Image>, authorization: Option<String>) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        listener.set_nonblocking(true).expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let asked = Monitor::new(Vec::new());
        let shared = Arc::new(Shared {
            authorization,
            image,
            pushed: Monitor::new(Pushed::default()),
            asked,
            hold: watch::Sender::new(false),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || run(listener, &shared, stopped)
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`: a registry's name.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.read(Clone::clone)
    }

    /// What was pushed, as `NAME:TAG`.
    pub fn pushed(&self) -> Vec<String> {
        self.shared.pushed.read(|pushed| pushed.manifests.keys().cloned().collect())
    }

    /// Lets every layer stop after its first half from now on.
    pub fn hold(&self) {
        self.shared.hold.send_replace(true);
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(listener: std::net::TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let accept = async {
        let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
        loop {
            let (connection, _) = listener.accept().await.expect("a connection can be accepted");
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(answer(&shared, request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
            });
        }
    };
    runtime.block_on(async {
        tokio::select! {
            () = accept => {}
            _ = stopped => {}
        }
    });
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let path = request.uri().path().to_owned();
    let asked = Asked {
        method: request.method().to_string(),
        path: path.clone(),
        authorization: header.map(str::to_owned),
    };
    shared.asked.update(|all| all.push(asked));
    if shared.authorization.is_some() && shared.authorization.as_deref() != header {
        let error = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "authentication required" }] });
        let mut response = respond(401, "application/json", error.to_string().into());
        let realm = "Basic realm=\"fake registry\"".parse().expect("a header");
        response.headers_mut().insert("www-authenticate", realm);
        return response;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    if matches!(method, Method::POST | Method::PATCH | Method::PUT) {
        let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or(MANIFEST).to_owned();
        let body = request.into_body().collect().await.expect("a body arrives whole").to_bytes();
        return take(shared, &method, &path, uri.query().unwrap_or_default(), &kind, &body);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if path == "/v2/" {
        respond(200, "application/json", "{}".into())
    } else if let Some((kind, manifest)) = manifest(shared, &path) {
        let body = if method == Method::HEAD { Bytes::new() } else { manifest.clone() };
        let mut response = respond(200, &kind, body);
        let headers = response.headers_mut();
        headers.insert("docker-content-digest", digest(&manifest).parse().expect("a header"));
        headers.insert("content-length", manifest.len().into());
        response
    } else if let Some(blob) = shared.image.as_ref().and_then(|image| image.blobs.get(last)) {
        blob_response(shared, blob)
    } else if let Some(blob) = shared.pushed.read(|pushed| pushed.blobs.get(last).cloned()) {
        blob_response(shared, &blob)
    } else {
        let error = json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "manifest unknown" }] });
        respond(404, "application/json", error.to_string().into())
    }
}

/// The manifest that a path means, with its type.
fn manifest(shared: &Shared, path: &str) -> Option<(String, Bytes)> {
    let (name, tag) = path.strip_prefix("/v2/")?.split_once("/manifests/")?;
    let pushed = shared.pushed.read(|pushed| {
        let by_tag = pushed.manifests.get(&format!("{name}:{tag}")).cloned();
        by_tag.or_else(|| pushed.manifests.values().find(|(_, bytes)| digest(bytes) == tag).cloned())
    });
    let image = shared.image.as_ref().filter(|_| tag != "missing");
    pushed.or_else(|| Some((MANIFEST.to_owned(), image?.manifest.clone())))
}

/// A part of a push: an upload that begins, a piece of one, its end, or a manifest.
fn take(
    shared: &Shared,
    method: &Method,
    path: &str,
    query: &str,
    kind: &str,
    body: &Bytes,
) -> Response<Body> {
    let (name, what) = path.strip_prefix("/v2/").and_then(|path| path.rsplit_once('/')).unwrap_or_default();
    let mut response = shared.pushed.update(|pushed| {
        if let Some(name) = name.strip_suffix("/manifests") {
            pushed.manifests.insert(format!("{name}:{what}"), (kind.to_owned(), body.clone()));
            return respond(201, "application/json", Bytes::new());
        }
        let id = if *method == Method::POST {
            format!("upload-{}", pushed.uploads.len())
        } else {
            what.to_owned()
        };
        let upload = pushed.uploads.entry(id.clone()).or_default();
        upload.extend_from_slice(body);
        let length = upload.len();
        let finished = query.split('&').find_map(|pair| pair.strip_prefix("digest="));
        if let Some(digest) = finished.filter(|_| *method == Method::PUT) {
            let digest = digest.replace("%3A", ":").replace("%3a", ":");
            let content = Bytes::from(std::mem::take(upload));
            pushed.blobs.insert(digest, content);
            return respond(201, "application/json", Bytes::new());
        }
        let mut response = respond(202, "application/json", Bytes::new());
        let name = name.trim_end_matches("/uploads").trim_end_matches("/blobs");
        let headers = response.headers_mut();
        headers.insert("location", format!("/v2/{name}/blobs/uploads/{id}").parse().expect("a header"));
        headers.insert("range", format!("0-{}", length.saturating_sub(1)).parse().expect("a header"));
        headers.insert("docker-upload-uuid", id.parse().expect("a header"));
        response
    });
    if method == Method::PUT {
        response.headers_mut().insert("docker-content-digest", digest(body).parse().expect("a header"));
    }
    response
}

/// A blob in two halves, between which it can be held.
fn blob_response(shared: &Arc<Shared>, blob: &Bytes) -> Response<Body> {
    let halves = [blob.slice(..blob.len() / 2), blob.slice(blob.len() / 2..)];
    let hold = shared.hold.subscribe();
    let frames = stream::iter(halves.into_iter().enumerate()).then(move |(index, half)| {
        let mut hold = hold.clone();
        async move {
            if index == 1 {
                let _ = hold.wait_for(|hold| !hold).await;
            }
            Ok(Frame::data(half))
        }
    });
    Response::builder()
        .status(200)
        .header("content-type", "application/octet-stream")
        .header("content-length", blob.len())
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .expect("the parts of a response are valid")
}

fn respond(status: u16, kind: &str, body: Bytes) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .header("docker-distribution-api-version", "registry/2.0")
        .body(Full::new(body).boxed())
        .expect("the parts of a response are valid")
}
