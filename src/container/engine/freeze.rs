//! Freezing a container for a moment, in which nobody can enter it.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::HOST;

use super::stream::Dialer;
use super::{Engine, Error, afterwards, connect};

/// A container that is frozen, or is about to be. Dropping it thaws the container: a command that is ended by a signal
/// must not leave somebody's session standing still.
#[derive(Debug)]
pub struct Frozen<'a> {
    engine: &'a Engine,
    id: &'a str,
    /// Whether dropping it has to thaw.
    armed: bool,
}

impl Engine {
    /// Freezes a running container. One that does not run stays as it is, and so does every one of an engine that
    /// cannot freeze.
    pub async fn freeze<'a>(&'a self, id: &'a str) -> Frozen<'a> {
        let mut frozen = Frozen { engine: self, id, armed: true };
        frozen.armed = self.docker.pause_container(id).await.is_ok();
        frozen
    }
}

impl Frozen<'_> {
    /// Lets it go on.
    pub async fn thaw(mut self) -> Result<(), Error> {
        if self.armed {
            self.engine.unpause(self.id).await?;
            self.armed = false;
        }
        Ok(())
    }

    /// Removes it.
    pub async fn remove(mut self) -> Result<(), Error> {
        self.engine.remove(self.id).await?;
        self.armed = false;
        Ok(())
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        if self.armed {
            afterwards::in_any_case(unpause(self.engine.dialer.clone(), self.id.to_owned()));
        }
    }
}

/// The version in a path is optional to the engines.
async fn unpause(dialer: Dialer, id: String) -> std::io::Result<()> {
    let mut sender = connect::handshake(&dialer).await?;
    let request = hyper::Request::post(format!("/containers/{id}/unpause"))
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .expect("a container's id is hexadecimal");
    sender.send_request(request).await.map_err(std::io::Error::other)?;
    Ok(())
}
