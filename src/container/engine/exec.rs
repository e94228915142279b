//! Commands inside a running container: starting one, its two-way stream, its end.
//!
//! The stream is taken over here instead of through bollard, whose decoder guesses from the first byte whether output
//! is framed: terminal output that begins with a byte below 3 would be swallowed there. What is framed is known, for it
//! follows from whether the command has a terminal. It also spares a copy of every byte.

use std::io;
use std::time::Duration;

use bollard::models::ExecConfig;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{ReadHalf, WriteHalf};

use super::{Engine, Error, connect};

/// What to type to leave a session running: keys that nobody types, because the engine holds back the first key of its
/// default, Ctrl-P, until the next one comes.
const DETACH_KEYS: &str = "ctrl-^,ctrl-_,ctrl-^,ctrl-_";

/// A command to run inside.
#[derive(Debug)]
pub struct ExecRequest {
    /// The command and its arguments. The engine's event log shows them.
    pub command: Vec<String>,
    /// Variables for this command alone; no `inspect` shows them.
    pub env: Vec<(String, SecretString)>,
    /// Whether the command gets a terminal; its outputs are then one stream.
    pub tty: bool,
    /// The terminal's size, columns and rows.
    pub size: Option<(u16, u16)>,
    /// `uid:gid` to run as.
    pub user: String,
    /// The working directory.
    pub workdir: &'static str,
}

/// A started command.
#[derive(Debug)]
pub struct Exec {
    /// The engine's id for it.
    pub id: String,
    /// Standard output and error, framed where the command has no terminal.
    pub output: ReadHalf<Upgraded>,
    /// Standard input; shutting it down is the end of the input.
    pub input: WriteHalf<Upgraded>,
}

/// The connection after the engine has handed it over.
pub type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecState {
    /// Whether it still runs.
    pub running: bool,
    /// Its exit code, once the engine knows it.
    pub exit_code: Option<i64>,
    /// The number it has, or had, where the engine runs.
    pub pid: Option<u32>,
}

impl Engine {
    /// Starts a command in a running container.
    pub async fn exec(&self, container: &str, request: ExecRequest) -> Result<Exec, Error> {
        let ExecRequest { command, env, tty, size, user, workdir } = request;
        let config = ExecConfig {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(tty),
            console_size: size.map(|(columns, rows)| vec![rows.into(), columns.into()]),
            detach_keys: Some(DETACH_KEYS.to_owned()),
            env: Some(env.iter().map(|(name, value)| format!("{name}={}", value.expose_secret())).collect()),
            cmd: Some(command),
            user: Some(user),
            working_dir: Some(workdir.to_owned()),
            ..ExecConfig::default()
        };
        let created = self.docker.create_exec(container, config).await;
        let id = created.map_err(|source| Error::api("prepare a command in the container", source))?.id;
        let stream = self.take_over(&id, tty).await?;
        let (output, input) = tokio::io::split(stream);
        Ok(Exec { id, output, input })
    }

    async fn take_over(&self, exec: &str, tty: bool) -> Result<Upgraded, Error> {
        const ACTION: &str = "start a command in the container";
        let broken =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Broken { action: ACTION, source };
        let version = self.docker.client_version();
        let (major, minor) = (version.major_version, version.minor_version);
        let request = hyper::Request::post(format!("/v{major}.{minor}/exec/{exec}/start"))
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "tcp")
            .body(Full::new(Bytes::from(format!(r#"{{"Detach":false,"Tty":{tty}}}"#))))
            .expect("an exec's id is hexadecimal");
        let mut sender = connect::handshake(&self.dialer).await.map_err(|error| broken(Box::new(error)))?;
        let response = sender.send_request(request).await.map_err(|error| broken(Box::new(error)))?;
        if response.status() == hyper::StatusCode::SWITCHING_PROTOCOLS {
            let upgraded = hyper::upgrade::on(response).await.map_err(|error| broken(Box::new(error)))?;
            return Ok(TokioIo::new(upgraded));
        }
        Err(connect::refusal(ACTION, response).await)
    }

    /// Tells a command's terminal its size.
    pub async fn resize(&self, exec: &str, (columns, rows): (u16, u16)) -> Result<(), Error> {
        let options = ResizeExecOptionsBuilder::default().w(columns.into()).h(rows.into()).build();
        let resized = self.docker.resize_exec(exec, options).await;
        resized.map_err(|source| Error::api("resize the session's terminal", source))
    }

    /// How far a command is.
    pub async fn exec_state(&self, exec: &str) -> Result<ExecState, Error> {
        let state = self.docker.inspect_exec(exec).await;
        let state = state.map_err(|source| Error::api("ask for the command's end", source))?;
        Ok(ExecState {
            running: state.running.unwrap_or(false),
            exit_code: state.exit_code,
            pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        })
    }

    /// The exit code of a command whose output has ended. The engine may need a moment to note the end.
    pub async fn exit_code(&self, exec: &str) -> Result<i64, Error> {
        let mut wait = Duration::from_millis(1);
        loop {
            match self.exec_state(exec).await? {
                ExecState { running: false, exit_code: Some(code), .. } => return Ok(code),
                // A program may close its outputs long before it ends, so this waits as long as it takes.
                _ => tokio::time::sleep(wait).await,
            }
            wait = (wait * 2).min(Duration::from_millis(200));
        }
    }
}

/// Which output a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes the framing off the output of a command without a terminal: each frame begins with the stream's number, three
/// zero bytes and the payload's length, big-endian (`docs.docker.com/reference/api/engine`, "Attach to a container").
#[derive(Debug, Default)]
pub struct Unframer {
    header: [u8; 8],
    header_length: usize,
    left: usize,
}

impl Unframer {
    /// Hands each piece of payload in `bytes` on, as it came. Frames may be cut anywhere.
    pub fn feed<'a>(&mut self, mut bytes: &'a [u8]) -> io::Result<Vec<(Stream, &'a [u8])>> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            if self.left == 0 {
                let take = bytes.len().min(8 - self.header_length);
                self.header[self.header_length..][..take].copy_from_slice(&bytes[..take]);
                self.header_length += take;
                bytes = &bytes[take..];
                if self.header_length == 8 {
                    let [_, _, _, _, length @ ..] = self.header;
                    self.left = u32::from_be_bytes(length) as usize;
                    self.header_length = 0;
                }
            } else {
                let take = bytes.len().min(self.left);
                let (piece, rest) = bytes.split_at(take);
                pieces.push((self.stream()?, piece));
                self.left -= take;
                bytes = rest;
            }
        }
        Ok(pieces)
    }

    fn stream(&self) -> io::Result<Stream> {
        match self.header[0] {
            0 | 1 => Ok(Stream::Out),
            2 => Ok(Stream::Err),
            other => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the engine sent a frame for stream {other}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[stream, 0, 0, 0], &length[..], payload].concat()
    }

    proptest! {
        #[test]
        fn frames_cut_anywhere_come_out_whole(
            frames in proptest::collection::vec((1_u8..=2, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
            cuts in proptest::collection::vec(1_usize..20, 1..40),
        ) {
            let wire: Vec<u8> = frames.iter().flat_map(|(stream, payload)| frame(*stream, payload)).collect();
            let mut unframer = Unframer::default();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut rest = &wire[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                for (stream, bytes) in unframer.feed(piece).unwrap() {
                    if stream == Stream::Out { out.extend_from_slice(bytes) } else { err.extend_from_slice(bytes) }
                }
                rest = after;
            }
            let all = |wanted: u8| -> Vec<u8> {
                frames.iter().filter(|(stream, _)| *stream == wanted).flat_map(|(_, payload)| payload.clone()).collect()
            };
            prop_assert_eq!(out, all(1));
            prop_assert_eq!(err, all(2));
        }
    }

    #[test]
    fn a_stream_of_another_number_is_an_error() {
        assert!(Unframer::default().feed(&frame(7, b"x")).is_err());
    }
}
