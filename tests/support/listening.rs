//! A port of this machine, and what is done with every connection to it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A port that somebody listens on. Dropping it cuts its connections.
pub struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Serves a free port of an address.
    pub fn start<Served>(address: IpAddr, serve: impl Fn(TcpStream) -> Served + Send + 'static) -> Self
    where
        Served: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((address, 0)).expect("somebody can listen there");
        listener.set_nonblocking(true).expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
                tokio::select! {
                    () = accept(listener, serve) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept<Served>(listener: TcpListener, serve: impl Fn(TcpStream) -> Served)
where
    Served: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        let (connection, _) = listener.accept().await.expect("a connection can be accepted");
        connection.set_nodelay(true).expect("a connection can be quick");
        // A client that goes away in the middle is the client's business.
        tokio::spawn(serve(connection));
    }
}
