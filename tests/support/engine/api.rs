//! The engine's HTTP API without a client library, for what its command line does not show.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use super::Engine;

impl Engine {
    /// The answer to `GET path`; `None` when the engine does not know such a thing.
    #[track_caller]
    pub fn api(&self, path: &str) -> Option<Value> {
        let socket = self.socket().expect("the raw API is asked on the engine's socket");
        let mut stream = UnixStream::connect(socket).expect("the engine listens on its socket");
        // HTTP/1.0 has the server close the connection after the whole answer, and send it in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n").expect("the engine takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the engine answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        match head.split(' ').nth(1) {
            Some("200") => Some(serde_json::from_str(body).expect("the engine answers in JSON")),
            Some("404") => None,
            _ => panic!("GET {path}: {answer}"),
        }
    }
}
