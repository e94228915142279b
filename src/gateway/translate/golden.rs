//! Golden tests: a request in, one snapshot for each wire out; a stream in, its events out. The inputs are files under
//! `tests/fixtures/gateway`, and a new case is a new file.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::gateway::event::{Event, Message};
use crate::gateway::reply::Asked;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gateway").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap()
}

/// A backend that has everything that can be had, so that all of it is seen.
fn dialect() -> Dialect {
    Dialect {
        efforts: ["low", "medium", "high"].map(str::to_owned).to_vec(),
        max_output: Some(65_536),
        user_field: true,
        web_search: true,
        num_ctx: Some(65_536),
        reasoning_field: Some("reasoning_content".to_owned()),
        ..Dialect::default()
    }
}

#[test]
fn requests() {
    for file in fixtures("requests") {
        let request: Request = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let conversation = Conversation::new(&request);
        for (name, target) in
            [("openai", Target::OpenAi), ("gemini", Target::Gemini), ("ollama", Target::Ollama)]
        {
            let outgoing = outgoing(target, &request, &conversation, "the-model", &dialect());
            let body: Value = serde_json::from_slice(&outgoing.body).unwrap();
            let text = format!("POST {}\n{body:#}", outgoing.path);
            insta::assert_snapshot!(format!("request-{}-{name}", stem(&file)), text);
        }
    }
}

/// The tools of every stream: one argument that may be null, and one that may not.
const TOOLS: &str = r#"{"model":"claude-model","messages":[{"role":"user","content":"hi"}],"tools":[
    {"name":"Read","input_schema":{"type":"object","additionalProperties":false,
      "properties":{"path":{"type":"string"},"limit":{"type":"number"},"maybe":{"type":["string","null"]}}}},
    {"name":"mcp__a-server-with-a-very-long-name__and-a-tool-with-an-even-longer-one-than-that"}]}"#;

fn reply() -> Reply {
    let request: Request = serde_json::from_str(TOOLS).unwrap();
    let conversation = Conversation::new(&request);
    Reply::new(Asked::new(&request.model, &conversation, 42, "msg_1".to_owned()))
}

fn read(target: Target, is_stream: bool, pieces: &[&[u8]]) -> (Vec<Event>, Result<(), Trouble>) {
    let (mut reply, mut incoming) = (reply(), Incoming::new(Origin::Other(target), is_stream));
    let done = pieces.iter().try_for_each(|piece| incoming.push(piece, &mut reply));
    let done = done.and_then(|()| incoming.finish(&mut reply));
    (reply.take(), done)
}

/// Deltas of one block as one, for what is the same text in other pieces.
fn joined(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        event.write(&mut text);
    }
    text
}

fn streams(folder: &str, target: Target) {
    for file in fixtures(folder) {
        let bytes = fs::read(&file).unwrap();
        let is_stream = !stem(&file).starts_with("whole");
        let (events, done) = read(target, is_stream, &[&bytes]);
        let mut text = joined(&events);
        match &done {
            Ok(()) => {
                let message = Message::from_events(events.clone()).expect("a complete reply makes a message");
                let _ = write!(text, "--- as one message\n{:#}", serde_json::json!(message));
                assert_in_order(&events);
            }
            Err(trouble) => {
                let _ = write!(text, "--- {trouble:?}");
            }
        }
        insta::assert_snapshot!(format!("{folder}-{}", stem(&file)), text);

        // Wherever the bytes are cut into pieces, nothing changes.
        let one_by_one: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!((events.clone(), done.clone()), read(target, is_stream, &one_by_one));
        // Wherever it is cut off, it is no success, unless all that matters had come.
        for end in (0..bytes.len()).step_by(3) {
            let (cut, result) = read(target, is_stream, &[&bytes[..end]]);
            if result.is_ok() {
                assert!(done.is_ok() && ends(&cut) == ends(&events), "{}: cut at {end}", file.display());
            }
        }
    }
}

/// How a reply ended, and how many blocks it had.
fn ends(events: &[Event]) -> (usize, Option<crate::gateway::event::Stop>) {
    let blocks = events.iter().filter(|event| matches!(event, Event::BlockStop { .. })).count();
    let stop =
        events.iter().find_map(|event| if let Event::End { stop, .. } = event { Some(*stop) } else { None });
    (blocks, stop)
}

/// One block open at a time, indices from 0, a delta only in the open block, one start and one end.
fn assert_in_order(events: &[Event]) {
    let (mut open, mut next) = (None, 0);
    for (position, event) in events.iter().enumerate() {
        match event {
            Event::Start { .. } => assert_eq!(position, 0),
            Event::BlockStart { index, .. } => {
                assert_eq!((open, *index), (None, next));
                open = Some(*index);
                next += 1;
            }
            Event::Delta { index, .. } => assert_eq!(open, Some(*index)),
            Event::BlockStop { index } => assert_eq!(open.take(), Some(*index)),
            Event::End { .. } => assert_eq!((open, position), (None, events.len() - 1)),
        }
    }
}

#[test]
fn openai_streams() {
    streams("openai", Target::OpenAi);
}

#[test]
fn gemini_streams() {
    streams("gemini", Target::Gemini);
}

#[test]
fn ollama_streams() {
    streams("ollama", Target::Ollama);
}
