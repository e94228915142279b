//! Anthropic's own hosts, as far as a container can tell: an HTTP proxy that ends the TLS of every connection itself, by a
//! certificate of its own authority, and hands what is said to a fake on this machine.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::authority::Authority;
use super::listening::Listening;
use super::monitor::Monitor;

/// The hosts that it has certificates for. A connection to any other is noted and refused.
const HOSTS: [&str; 2] = ["api.anthropic.com", "platform.claude.com"];
/// Where Claude Code gets its release notes, plugins and updates, with no credential. They are refused, too.
const ITS_OWN: [&str; 3] = ["downloads.claude.ai", "github.com", "raw.githubusercontent.com"];
/// More than the head of a proxy request ever takes.
const LONGEST_HEAD: usize = 8 * 1024;

/// A running proxy. Dropping it cuts its connections.
pub struct TlsProxy {
    listening: Listening,
    authority: PathBuf,
    asked: Monitor<Vec<String>>,
}

impl TlsProxy {
    /// Starts one on an address of this machine, in front of `fake`. The certificate of its authority is left at
    /// `authority`.
    pub fn start(address: IpAddr, fake: SocketAddr, authority: &Path) -> Self {
        let signer = Authority::new("the tests' authority");
        std::fs::write(authority, signer.pem()).expect("its certificate can be written");
        let acceptor = signer.identity(HOSTS).acceptor(None);
        let asked = Monitor::new(Vec::new());
        let notes = asked.clone();
        let serve = move |connection| serve(connection, acceptor.clone(), fake, notes.clone());
        Self { listening: Listening::start(address, serve), authority: authority.to_owned(), asked }
    }

    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address())
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

async fn serve(
    mut connection: TcpStream,
    acceptor: TlsAcceptor,
    fake: SocketAddr,
    asked: Monitor<Vec<String>>,
) -> std::io::Result<()> {
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
