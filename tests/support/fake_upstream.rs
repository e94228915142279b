//! A backend that speaks whatever its script says: bytes of an answer in pieces, whole or cut off.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    pieces: Vec<Vec<u8>>,
    ending: Ending,
}

/// What comes after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The end of the body.
    Whole,
    /// The end of the connection.
    Cut,
    /// Nothing, until the client goes.
    Silence,
}

impl Answer {
    /// A good answer, in pieces.
    pub fn stream(content_type: &str, pieces: &[&str]) -> Self {
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status: 200, headers, pieces, ending: Ending::Whole }
    }

    /// An error.
    pub fn error(status: u16, body: &str) -> Self {
        Self { status, ..Self::stream("application/json", &[body]) }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The connection breaks after the last piece.
    pub fn cut(self) -> Self {
        Self { ending: Ending::Cut, ..self }
    }

    /// Nothing comes after the last piece.
    pub fn then_silent(self) -> Self {
        Self { ending: Ending::Silence, ..self }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path.
    pub line: String,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    requests: Vec<Request>,
    /// How many clients went away before the end.
    gone: usize,
}

/// A backend.
pub struct FakeUpstream {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl FakeUpstream {
    /// Answers by the script, one answer a request; the last one again and again.
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::new((
            Mutex::new(State { answers: answers.into_iter().collect(), ..State::default() }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests that came.
    pub fn requests(&self) -> Vec<Request> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// Waits until a client has gone away before the end of its answer.
    #[track_caller]
    pub fn await_gone(&self, limit: Duration) {
        let state = self.state.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .state
            .1
            .wait_timeout_while(state, limit, |state| state.gone == 0)
            .expect("no panic holds it");
        assert!(state.gone > 0, "no client went away within {limit:?}");
    }
}

fn serve(stream: TcpStream, state: &(Mutex<State>, Condvar)) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream can be shared"));
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let answer = {
            let mut state = state.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.requests.push(request);
            if state.answers.len() > 1 { state.answers.pop_front() } else { state.answers.front().cloned() }
        };
        let Some(answer) = answer else { return };
        if write(&mut writer, &answer).is_err() {
            note_gone(state);
            return;
        }
        match answer.ending {
            Ending::Whole => {}
            Ending::Cut => return,
            Ending::Silence => {
                // A client that goes ends the connection.
                let _ = reader.read(&mut [0]);
                note_gone(state);
                return;
            }
        }
    }
}

fn note_gone(state: &(Mutex<State>, Condvar)) {
    state.0.lock().unwrap_or_else(PoisonError::into_inner).gone += 1;
    state.1.notify_all();
}

fn write(writer: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\ntransfer-encoding: chunked\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").expect("writing to memory does not fail");
    }
    writer.write_all(format!("{head}\r\n").as_bytes())?;
    for piece in answer.pieces.iter().filter(|piece| !piece.is_empty()) {
        writer.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        writer.write_all(piece)?;
        writer.write_all(b"\r\n")?;
        writer.flush()?;
    }
    if answer.ending == Ending::Whole {
        writer.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Request { line, headers, body })
}
