//! The HTTP side of a fake, on a thread of its own.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Shared;
use super::answer::{Body, answer};
use super::recorded::Recorded;

/// Serves until `stopped`. Connections that are open then are cut.
pub(super) fn run(listener: std::net::TcpListener, shared: &Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
        tokio::select! {
            () = accept(listener, shared) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    loop {
        let (connection, _) = listener.accept().await.expect("a connection can be accepted");
        connection.set_nodelay(true).expect("a connection can be told not to wait for more");
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            // A client that goes away in the middle is the client's business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    // A body that breaks off is recorded as none.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let recorded = Recorded::new(parts.method.to_string(), path, parts.headers, &body);
    // Taken before the request can be seen: whoever has seen it may change the script for the next one.
    let script = shared.script.read(Clone::clone);
    shared.requests.update(|requests| requests.push(recorded.clone()));
    Ok(answer(shared, &script, &recorded).await)
}
