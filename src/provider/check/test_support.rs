//! An endpoint on this machine, for tests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::super::catalog::dialect::Dialect;
use super::super::catalog::{Models, Origin, Wire};
use super::{Auth, Provider};

/// Serves one answer after the other, a connection for each. Gives its address, and at the end the requests it got,
/// with their head in small letters.
pub(in crate::provider) fn serve<const N: usize>(answers: [String; N]) -> (String, JoinHandle<[String; N]>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |answer: String| {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        request
    };
    (base, std::thread::spawn(move || answers.map(answer)))
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the request ends early");
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// A body that the Messages API could answer with.
pub(in crate::provider) const MESSAGE: &str = r#"{"type": "message", "content": []}"#;

pub(in crate::provider) fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// A row of the catalogue with the key variables of Z.AI.
pub(in crate::provider) fn provider(id: &str, base_url: Option<&str>) -> Provider {
    Provider {
        id: id.parse().unwrap(),
        name: "Z.AI".to_owned(),
        wire: Wire::Anthropic,
        key_optional: false,
        origin: Origin::BuiltIn,
        base_url: base_url.map(str::to_owned),
        auth: Auth::Bearer,
        key_env: vec!["ZAI_API_KEY".to_owned(), "Z_AI_API_KEY".to_owned()],
        key_url: Some("https://z.ai/keys".to_owned()),
        models: Models::default(),
        context_window: None,
        dialect: Dialect::default(),
        cloud: None,
        env: BTreeMap::new(),
    }
}
