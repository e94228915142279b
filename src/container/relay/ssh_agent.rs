//! The caller's SSH agent, for a session: what it may be asked, and whether it answers at all.
//!
//! A session may list keys and have data signed. Adding and removing keys, and locking the agent, is refused: those are
//! the caller's, and would outlive the session. The messages are those of `draft-ietf-sshm-ssh-agent`.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long an agent may take to list its keys. One that asks its user first does so before it signs.
const LIMIT: Duration = Duration::from_secs(3);
/// The longest message that OpenSSH's agent takes.
const LONGEST: usize = 256 * 1024;
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
/// With it, ssh tells which host a signature is for, so that keys bound to hosts work.
const EXTENSION: u8 = 27;

/// Why there is no agent to forward.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment names none.
    #[error("there is no SSH agent to forward: SSH_AUTH_SOCK is not set")]
    NoneNamed,
    /// Nothing answers.
    #[error("the SSH agent at {} does not answer", .0.display())]
    Dead(PathBuf, #[source] io::Error),
    /// Something else answers.
    #[error("{} is no SSH agent: it answered something else", .0.display())]
    NoAgent(PathBuf),
    /// The engine runs in a virtual machine of its own.
    #[error("an SSH agent, or the engine, cannot be handed to a session on this system")]
    NotHere,
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoneNamed | Self::Dead(..) => {
                    "start one and add your key: `eval \"$(ssh-agent)\" && ssh-add`; \
                     or go without: `claude-reactor run --ssh-agent=off`"
                }
                Self::NoAgent(_) => {
                    "name the agent's socket: `--ssh-agent=SOCK`, or `--ssh-agent` for $SSH_AUTH_SOCK"
                }
                Self::NotHere => {
                    "sockets do not pass into the virtual machine that the engine runs in; go without: \
                     `claude-reactor run --ssh-agent=off --host-docker=false`"
                }
            }
            .to_owned(),
        )
    }
}

/// Asks an agent for its keys, and returns how many it has.
pub fn count_keys(socket: &Path) -> Result<u32, Error> {
    let ask = || {
        let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        stream.write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES])?;
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        Ok(head)
    };
    let [_, _, _, _, kind, count @ ..] = ask().map_err(|error| Error::Dead(socket.to_owned(), error))?;
    if kind != IDENTITIES_ANSWER {
        return Err(Error::NoAgent(socket.to_owned()));
    }
    Ok(u32::from_be_bytes(count))
}

/// Passes a session's requests on, one after the other as the protocol has it, and answers those that it may not make.
pub async fn serve(
    inside: impl AsyncRead + AsyncWrite,
    agent: impl AsyncRead + AsyncWrite,
) -> io::Result<()> {
    let (mut from_inside, mut to_inside) = tokio::io::split(inside);
    let (mut from_agent, mut to_agent) = tokio::io::split(agent);
    while let Some(request) = message(&mut from_inside).await? {
        let answer = match request.first() {
            Some(&(REQUEST_IDENTITIES | SIGN_REQUEST | EXTENSION)) => {
                send(&mut to_agent, &request).await?;
                message(&mut from_agent).await?.ok_or(io::ErrorKind::UnexpectedEof)?
            }
            _ => vec![FAILURE],
        };
        send(&mut to_inside, &answer).await?;
    }
    Ok(())
}

/// The next message without its length; nothing at the end of the stream.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(Some(body))
}

async fn send(to: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_be_bytes(), body].concat()).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use tokio::net::UnixStream;

    #[test]
    fn an_agent_that_is_not_there_or_none_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("agent");
        assert!(matches!(count_keys(&socket), Err(Error::Dead(..))));
        for (answer, keys) in [([0, 0, 0, 5, 12, 0, 0, 1, 2], Some(258)), (*b"HTTP/1.1 ", None)] {
            let _ = std::fs::remove_file(&socket);
            let listener = UnixListener::bind(&socket).unwrap();
            let answering = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 5]).unwrap();
                stream.write_all(&answer).unwrap();
            });
            match keys {
                Some(keys) => assert_eq!(count_keys(&socket).unwrap(), keys),
                None => assert!(matches!(count_keys(&socket), Err(Error::NoAgent(_)))),
            }
            answering.join().unwrap();
        }
    }

    #[tokio::test]
    async fn keys_are_listed_and_used_and_not_changed() {
        let ((mut client, inside), (outside, mut agent)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let serving = tokio::spawn(serve(inside, outside));
        for request in [REQUEST_IDENTITIES, SIGN_REQUEST, EXTENSION] {
            send(&mut client, &[request, 1]).await.unwrap();
            assert_eq!(message(&mut agent).await.unwrap().unwrap(), [request, 1]);
            send(&mut agent, b"answer").await.unwrap();
            assert_eq!(message(&mut client).await.unwrap().unwrap(), b"answer");
        }
        // Adding, removing one or all, smart cards, locking and unlocking, and nothing at all.
        for request in [17, 18, 19, 20, 21, 22, 23, 25, 26] {
            send(&mut client, &[request]).await.unwrap();
            assert_eq!(message(&mut client).await.unwrap().unwrap(), [FAILURE], "{request}");
        }
        send(&mut client, &[]).await.unwrap();
        assert_eq!(message(&mut client).await.unwrap().unwrap(), [FAILURE]);
        drop(client);
        serving.await.unwrap().unwrap();
        assert_eq!(message(&mut agent).await.unwrap(), None, "nothing else reached the agent");
    }

    #[tokio::test]
    async fn a_message_without_end_is_not_collected() {
        let ((mut client, inside), (outside, _agent)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let serving = tokio::spawn(serve(inside, outside));
        client.write_all(&[0xff; 4]).await.unwrap();
        assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
