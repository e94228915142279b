//! What the topics share: a key that is there already, the state of a folder, and addresses with nobody and somebody else.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::net::TcpSocket;

use crate::support::pty::Size;
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

/// The engine could not be reached: everything before it was in order.
pub(crate) const NO_ENGINE: i32 = 125;
/// Nothing was started, because what was asked for cannot be.
pub(crate) const USAGE: i32 = 2;
/// Longer than anything here takes, also on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Wide enough for any line here, so that where lines break does not depend on the length of a temporary path.
pub(crate) const WIDE: Size = Size { rows: 40, columns: 300 };

/// Stores a key as an earlier run would have, for the account that a sandbox has by default.
pub(crate) fn store_key(sandbox: &Sandbox, provider: &str, variable: &str) -> Canary {
    let canary = sandbox.canary(provider);
    let line = format!("{variable}='{}'\n", canary.key());
    sandbox.write_home(&format!(".claude-reactor/user/llms/{provider}/.env"), line);
    canary
}

/// Every file and folder of the sandbox, one to a line, with all that writing changes: mode, time and content. The time of
/// `project-path` is when the project was last used, which every run says anew.
pub(crate) fn state(sandbox: &Sandbox) -> Vec<String> {
    let mut lines = Vec::new();
    walk(sandbox.path(), &mut |path| {
        let meta = path.symlink_metadata().expect("it was just listed");
        let content = if meta.is_file() { std::fs::read(path).expect("it is ours") } else { Vec::new() };
        let is_note = path.ends_with("project-path");
        let time = if is_note { (0, 0) } else { (meta.mtime(), meta.mtime_nsec()) };
        let mode = meta.permissions().mode();
        lines.push(format!("{} {mode:o} {time:?} {:x?}", path.display(), &Sha256::digest(content)[..4]));
    });
    lines
}

/// An address of this machine at which nobody listens, and nobody will as long as the socket is held.
pub(crate) fn dead_end() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket can be made");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
    let address = socket.local_addr().expect("a bound socket has an address");
    (socket, address)
}

/// Answers one HTTP request, whatever it is, once it has come whole: `end` is how it ends.
pub(crate) fn answer_once(mut connection: impl Read + Write, end: &[u8], response: &str) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.ends_with(end) {
        let count = connection.read(&mut buffer).expect("the request can be read");
        assert!(count > 0, "the request ends too early: {}", String::from_utf8_lossy(&request));
        request.extend_from_slice(&buffer[..count]);
    }
    connection.write_all(response.as_bytes()).expect("the response can be written");
}

/// What is below claude-reactor's home, with permission bits, for a snapshot.
pub(crate) fn listing(sandbox: &Sandbox) -> String {
    let home = sandbox.reactor_home();
    let mut text = String::new();
    walk(&home, &mut |path| {
        let meta = path.symlink_metadata().expect("it was just listed");
        let (mode, name) =
            (meta.permissions().mode() & 0o7777, path.strip_prefix(&home).expect("it is below"));
        let slash = if meta.is_dir() { "/" } else { "" };
        let _ = writeln!(text, "{mode:04o} {}{slash}", name.display());
    });
    sandbox.redactions().apply(&text)
}

fn walk(path: &Path, visit: &mut impl FnMut(&Path)) {
    visit(path);
    if path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        let entries = path.read_dir().expect("a folder of the sandbox can be read");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("and so can its entries").path()).collect();
        paths.sort();
        for path in paths {
            walk(&path, visit);
        }
    }
}
