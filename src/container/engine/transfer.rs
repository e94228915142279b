//! Fetching an image from its registry, and bringing one there.
//!
//! The requests are made here instead of through bollard, whose header for the credential is in the wrong alphabet of base64:
//! an engine takes a password with a `?` or `~` at certain places for none at all.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Engine, Error as EngineError, connect};
use crate::container::registry::Remote;

/// Far longer than any report of an engine's.
const LONGEST_LINE: usize = 1024 * 1024;

/// What an engine reports while it fetches an image, or brings one away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferEvent {
    /// The layer's short id; none for what concerns the whole image.
    pub layer: Option<String>,
    /// What is being done, in the engine's words.
    pub status: String,
    /// Bytes done and bytes in all, where the engine knows them.
    pub bytes: Option<(u64, u64)>,
}

/// Why an image could not be fetched or brought away.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine was lost on the way.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The registry, or the engine, said no; the text is the engine's.
    #[error("{0}")]
    Refused(String),
}

/// A line of the engine's report, in Docker's form or in Podman's.
#[derive(Deserialize)]
struct Report {
    id: Option<String>,
    status: Option<String>,
    stream: Option<String>,
    error: Option<String>,
    #[serde(rename = "progressDetail")]
    detail: Option<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    current: Option<i64>,
    total: Option<i64>,
}

impl Engine {
    /// Fetches an image, and reports on it. `auth` is the header with the caller's credential for its registry. Dropping
    /// the future ends the download.
    pub async fn pull(
        &self,
        image: &Remote,
        auth: Option<&SecretString>,
        mut report: impl FnMut(TransferEvent),
    ) -> Result<(), Error> {
        // A reference has no characters that a query has other meanings for.
        let path = format!("/images/create?fromImage={}&tag={}", image.name, image.version);
        self.transfer("pull the image", &path, auth.map(ExposeSecret::expose_secret), &mut report).await
    }

    /// Brings an image to its registry, and reports on it. `auth` is the header with the caller's credential for that
    /// registry. Dropping the future ends it.
    pub async fn push(
        &self,
        image: &Remote,
        auth: Option<&SecretString>,
        mut report: impl FnMut(TransferEvent),
    ) -> Result<(), Error> {
        /// `{}`: engines take no header at all for a request of a time before there were headers.
        const NOBODY: &str = "e30=";
        let path = format!("/images/{}/push?tag={}", image.name, image.version);
        let auth = auth.map_or(NOBODY, ExposeSecret::expose_secret);
        self.transfer("push the image", &path, Some(auth), &mut report).await
    }

    async fn transfer(
        &self,
        action: &'static str,
        path: &str,
        auth: Option<&str>,
        report: &mut impl FnMut(TransferEvent),
    ) -> Result<(), Error> {
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::Engine(EngineError::Broken { action, source })
        };
        let version = self.docker.client_version();
        let (major, minor) = (version.major_version, version.minor_version);
        let mut request = hyper::Request::post(format!("/v{major}.{minor}{path}")).header(HOST, "localhost");
        if let Some(auth) = auth {
            request = request.header("X-Registry-Auth", auth);
        }
        let request = request.body(Full::new(Bytes::new())).expect("names and base64 are fit for a request");
        let mut sender = connect::handshake(&self.dialer).await.map_err(|error| broken(Box::new(error)))?;
        let response = sender.send_request(request).await.map_err(|error| broken(Box::new(error)))?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let text = body.collect().await.map_err(|error| broken(Box::new(error)))?.to_bytes();
            return Err(Error::Refused(message(&text)));
        }
        read_report(&mut body, report).await.map_err(|problem| match problem {
            Problem::Refused(message) => Error::Refused(message),
            Problem::Broken(source) => broken(source),
        })
    }
}

enum Problem {
    Refused(String),
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

async fn read_report(body: &mut Incoming, report: &mut impl FnMut(TransferEvent)) -> Result<(), Problem> {
    let mut lines = Lines::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::Broken(Box::new(error)))?;
        let Ok(bytes) = frame.into_data() else { continue };
        for line in lines.feed(&bytes) {
            if let Some(event) = event(&line).map_err(Problem::Refused)? {
                report(event);
            }
        }
    }
    // What has no line end was cut off, unless it is whole.
    match event(&lines.rest) {
        Ok(Some(event)) => report(event),
        Ok(None) => {}
        Err(message) => return Err(Problem::Refused(message)),
    }
    Ok(())
}

/// Lines from pieces cut anywhere.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(bytes);
        let mut lines: Vec<Vec<u8>> = self.rest.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        self.rest = lines.pop().unwrap_or_default();
        self.rest.truncate(LONGEST_LINE);
        lines
    }
}

/// What a line reports: something to show, nothing, or the end by an error.
fn event(line: &[u8]) -> Result<Option<TransferEvent>, String> {
    let Ok(report) = serde_json::from_slice::<Report>(line) else { return Ok(None) };
    if let Some(error) = report.error {
        return Err(error);
    }
    let Some(status) = report.status.or(report.stream) else { return Ok(None) };
    let bytes = report
        .detail
        .and_then(|detail| Some((u64::try_from(detail.current?).ok()?, u64::try_from(detail.total?).ok()?)));
    Ok(Some(TransferEvent { layer: report.id, status: status.trim_end().to_owned(), bytes }))
}

/// The text of an error's body.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        message: String,
    }
    serde_json::from_slice::<Body>(body)
        .map_or_else(|_| String::from_utf8_lossy(body).into_owned(), |body| body.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reports_become_events() {
        let event = |json: &str| event(json.as_bytes());
        let plain = |layer: Option<&str>, status: &str, bytes| {
            let (layer, status) = (layer.map(str::to_owned), status.to_owned());
            Ok(Some(TransferEvent { layer, status, bytes }))
        };
        for (json, expected) in [
            (
                r#"{"status":"Downloading","progressDetail":{"current":5,"total":9},"progress":"=>","id":"0a1b"}"#,
                plain(Some("0a1b"), "Downloading", Some((5, 9))),
            ),
            (
                r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0a1b"}"#,
                plain(Some("0a1b"), "Pulling fs layer", None),
            ),
            (r#"{"status":"Digest: sha256:f00"}"#, plain(None, "Digest: sha256:f00", None)),
            ("{\"stream\":\"Trying to pull x...\\n\"}", plain(None, "Trying to pull x...", None)),
            (
                r#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#,
                Err("manifest unknown".to_owned()),
            ),
            ("{}", Ok(None)),
            ("", Ok(None)),
        ] {
            assert_eq!(event(json), expected, "{json}");
        }
        assert_eq!(message(br#"{"message":"pull access denied"}"#), "pull access denied");
        assert_eq!(message(b"page not found\n"), "page not found\n");
    }

    proptest! {
        #[test]
        fn lines_cut_anywhere_come_out_whole(
            lines in proptest::collection::vec("[a-z]{0,9}", 0..9),
            cuts in proptest::collection::vec(1_usize..12, 1..9),
        ) {
            let wire: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let (mut reader, mut rest, mut read) = (Lines::default(), wire.as_bytes(), Vec::new());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                read.extend(reader.feed(piece));
                rest = after;
            }
            let read: Vec<_> = read.into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
            prop_assert_eq!(read, lines);
            prop_assert!(reader.rest.is_empty());
        }
    }
}
