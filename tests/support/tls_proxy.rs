//! Anthropic's own hosts, as far as a container can tell: an HTTP proxy that ends the TLS of every connection itself, by a
//! certificate of its own authority, and hands what is said to a fake on this machine.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::monitor::Monitor;

/// The hosts that it has certificates for. A connection to any other is noted and refused.
const HOSTS: [&str; 2] = ["api.anthropic.com", "platform.claude.com"];
/// Where Claude Code gets its release notes, plugins and updates, with no credential. They are refused, too.
const ITS_OWN: [&str; 3] = ["downloads.claude.ai", "github.com", "raw.githubusercontent.com"];
/// More than the head of a proxy request ever takes.
const LONGEST_HEAD: usize = 8 * 1024;

/// A running proxy. Dropping it cuts its connections.
pub struct TlsProxy {
    address: SocketAddr,
    authority: PathBuf,
    asked: Monitor<Vec<String>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TlsProxy {
    /// Starts one on an address of this machine, in front of `fake`. The certificate of its authority is left at
    /// `authority`.
    pub fn start(address: IpAddr, fake: SocketAddr, authority: &Path) -> Self {
        let acceptor = certify(authority);
        let listener = std::net::TcpListener::bind((address, 0)).expect("a proxy can listen there");
        listener.set_nonblocking(true).expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let asked = Monitor::new(Vec::new());
        let (stop, stopped) = oneshot::channel();
        let notes = asked.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
                tokio::select! {
                    () = accept(listener, acceptor, fake, notes) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, authority: authority.to_owned(), asked, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The certificate of its authority.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// What it was asked to connect to, or to fetch, in order, without the hosts that it has certificates for and those of
    /// Claude Code itself.
    pub fn strangers(&self) -> Vec<String> {
        let known =
            |asked: &String| HOSTS.iter().chain(&ITS_OWN).any(|host| *asked == format!("CONNECT {host}:443"));
        self.asked.read(|asked| asked.iter().filter(|asked| !known(asked)).cloned().collect())
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Makes an authority, and a certificate by it.
fn certify(authority: &Path) -> TlsAcceptor {
    let authority_key = KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::new([]).expect("no name is wrong");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "the tests' authority");
    let certificate = params.self_signed(&authority_key).expect("an authority signs itself");
    std::fs::write(authority, certificate.pem()).expect("its certificate can be written");
    let issuer = Issuer::new(params, authority_key);

    let key = KeyPair::generate().expect("a key can be made");
    let leaf = CertificateParams::new(HOSTS.map(str::to_owned)).expect("these are names");
    let leaf = leaf.signed_by(&key, &issuer).expect("an authority signs");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key has a form");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("key and certificate belong together");
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, fake: SocketAddr, asked: Monitor<Vec<String>>) {
    loop {
        let (connection, _) = listener.accept().await.expect("a connection can be accepted");
        let (acceptor, asked) = (acceptor.clone(), asked.clone());
        tokio::spawn(async move {
            // A client that goes away in the middle is the client's business.
            let _ = serve(connection, acceptor, fake, asked).await;
        });
    }
}

async fn serve(
    mut connection: TcpStream,
    acceptor: TlsAcceptor,
    fake: SocketAddr,
    asked: Monitor<Vec<String>>,
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(connection.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, place) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.update(|asked| asked.push(format!("{method} {place}")));
    if method != "CONNECT" || !HOSTS.iter().any(|host| place == format!("{host}:443")) {
        return connection.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    }
    connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let mut tls = acceptor.accept(connection).await?;
    let mut fake = TcpStream::connect(fake).await?;
    fake.set_nodelay(true)?;
    copy_bidirectional(&mut tls, &mut fake).await.map(|_| ())
}
