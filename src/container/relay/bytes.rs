//! Bytes passed both ways, for the container engine's API.
//!
//! A direction that ends is ended on the other side too while the other direction goes on: an attached command's input
//! ends long before its output. A limit counts from what the session sent last: it bounds one operation, such as a build
//! or a pull, and neither the session nor a connection that is used again and again.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Bytes moved at a time.
const CHUNK: usize = 32 * 1024;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// One side or the other closed it.
    Closed,
    /// The limit passed without a byte from inside.
    TimedOut,
}

/// Joins a connection from inside with one to the far end.
pub async fn pass(
    inside: impl AsyncRead + AsyncWrite,
    outside: impl AsyncRead + AsyncWrite,
    limit: Option<Duration>,
) -> End {
    let (mut from_inside, mut to_inside) = tokio::io::split(inside);
    let (mut from_outside, mut to_outside) = tokio::io::split(outside);
    let last = Mutex::new(Instant::now());
    let note = || *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    let both = async {
        let out = copy(&mut from_inside, &mut to_outside, note);
        let back = copy(&mut from_outside, &mut to_inside, || ());
        let _ = tokio::try_join!(out, back);
    };
    let late = async {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            let deadline = *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) + limit;
            if Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    };
    tokio::select! {
        () = both => End::Closed,
        () = late => End::TimedOut,
    }
}

async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut seen: impl FnMut(),
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        seen();
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixStream;

    #[tokio::test]
    async fn the_end_of_the_input_is_passed_on_and_the_output_is_complete() {
        let ((mut client, inside), (outside, mut server)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let passing = tokio::spawn(pass(inside, outside, None));
        client.write_all(b"input").await.unwrap();
        client.shutdown().await.unwrap();
        let mut got = String::new();
        server.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "input");
        server.write_all(b"output after the input's end").await.unwrap();
        drop(server);
        got.clear();
        client.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "output after the input's end");
        assert_eq!(passing.await.unwrap(), End::Closed);
    }

    #[tokio::test]
    async fn a_limit_counts_from_what_was_sent_last() {
        tokio::time::pause();
        let limit = Duration::from_secs(60);
        let ((mut client, inside), (outside, mut server)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let started = Instant::now();
        let passing = tokio::spawn(pass(inside, outside, Some(limit)));
        tokio::time::advance(limit / 2).await;
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        let asked = Instant::now();
        // What comes back does not count: a log that is followed has no end.
        server.write_all(b"line").await.unwrap();
        client.read_exact(&mut [0; 4]).await.unwrap();
        assert_eq!(passing.await.unwrap(), End::TimedOut);
        assert!(Instant::now() - asked >= limit && Instant::now() - started >= limit * 3 / 2);
    }
}
