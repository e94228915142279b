//! A socket of the host's, used from inside for as long as a session lives.
//!
//! Mounting the socket itself would bind the container to it: an agent's path changes with every login, a socket that is
//! made anew is not the mounted one any more, and what was given could not be taken back. So a folder of ours is mounted;
//! a session listens in it and passes on what comes. That works in a container that is reused, needs no group or owner
//! inside (the far end sees the caller), can be looked at on the way, and ends with the session.

pub mod bytes;
pub mod ssh_agent;

use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// The longest path of a socket that every system takes (104 bytes on some, 108 on Linux).
const LONGEST_PATH: usize = 100;
const SUFFIX: &str = ".sock";

/// A socket that a session listens on. Dropping it ends its connections and removes it.
#[derive(Debug)]
pub struct Relay {
    socket: PathBuf,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens in a folder, under a name that no other session has; `serve` gets each connection that is made inside.
    pub fn start<F, S>(folder: &Path, serve: F) -> io::Result<Self>
    where
        F: Fn(UnixStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        remove_dead(folder)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{:x}-{:x}{SUFFIX}", std::process::id(), now.subsec_nanos());
        let listener = listen(folder, &name)?;
        let task = tokio::spawn(async move {
            // Dropped with the task, and the connections with it.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                        Err(error) => {
                            tracing::debug!(%error, "a connection from inside could not be taken");
                            return;
                        }
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { socket: folder.join(name), task })
    }

    /// The socket's name in its folder.
    pub fn name(&self) -> &str {
        self.socket.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn listen(folder: &Path, name: &str) -> io::Result<UnixListener> {
    let path = folder.join(name);
    if path.as_os_str().len() <= LONGEST_PATH {
        return UnixListener::bind(path);
    }
    // By way of the open folder, which is short whatever the folder is called. Linux has it.
    let folder = std::fs::File::open(folder)?;
    UnixListener::bind(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

/// Removes the sockets that killed sessions left behind.
fn remove_dead(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()?.flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.ends_with(SUFFIX));
        // One whose path is too long to be asked is left; it harms nobody.
        let refused = std::os::unix::net::UnixStream::connect(&path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if is_ours && refused {
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn echo(mut stream: UnixStream) {
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    }

    #[tokio::test]
    async fn it_serves_while_it_lives_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(dir.path().join("dead.sock")).unwrap());
        let relay = Relay::start(dir.path(), echo).unwrap();
        let other = Relay::start(dir.path(), echo).unwrap();
        assert_ne!(relay.name(), other.name());
        assert_eq!(dir.path().read_dir().unwrap().count(), 2, "the dead one is gone, a living one is not");

        let mut stream = UnixStream::connect(dir.path().join(relay.name())).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");

        drop((relay, other));
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0, "a connection ends with it");
    }

    #[tokio::test]
    async fn a_folder_with_a_long_name_will_do() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("x".repeat(120));
        std::fs::create_dir(&folder).unwrap();
        let relay = Relay::start(&folder, echo).unwrap();
        assert!(folder.join(relay.name()).exists());
    }
}
