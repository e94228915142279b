//! From a request to what goes to a backend, and from the bytes that come back to a reply: one door for all wires.

use super::conversation::Conversation;
use super::dialect::Dialect;
use super::message::Request;
use super::reply::Reply;
use super::sse::{Decoder, Lines};
use super::upstream::Trouble;
use super::{gemini, ollama, openai};

/// The most that may wait for the end of its line or event, in bytes. A backend that sends no end is not to fill the memory.
const LONGEST_EVENT: usize = 32 * 1024 * 1024;

/// An API that is translated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Chat Completions.
    OpenAi,
    /// `streamGenerateContent`.
    Gemini,
    /// `/api/chat`.
    Ollama,
}

/// What goes to the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What is appended to the backend's base URL.
    pub path: String,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// Writes a request down for a backend. `model` is the backend's name of the model.
pub fn outgoing(
    target: Target,
    request: &Request,
    conversation: &Conversation<'_>,
    model: &str,
    dialect: &Dialect,
) -> Outgoing {
    match target {
        Target::OpenAi => Outgoing {
            path: "/chat/completions".to_owned(),
            body: openai::request(request, conversation, model, dialect),
        },
        Target::Gemini => Outgoing {
            path: if request.stream {
                format!("/models/{model}:streamGenerateContent?alt=sse")
            } else {
                format!("/models/{model}:generateContent")
            },
            body: gemini::request(request, conversation, dialect),
        },
        Target::Ollama => Outgoing {
            path: "/api/chat".to_owned(),
            body: ollama::request(request, conversation, model, dialect),
        },
    }
}

/// What comes back, while it comes.
#[derive(Debug)]
pub enum Incoming {
    /// A stream of events.
    Events(Decoder, Wire),
    /// A stream of lines.
    Lines(Lines, ollama::Stream),
    /// One reply, which is looked at when it is whole.
    Whole(Vec<u8>, Target),
}

/// A wire whose streams are events.
#[derive(Debug)]
pub enum Wire {
    /// Chat Completions.
    OpenAi(openai::Stream),
    /// Gemini.
    Gemini(gemini::Stream),
}

impl Wire {
    fn push(&mut self, data: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        match self {
            Self::OpenAi(stream) => stream.push(data, reply),
            Self::Gemini(stream) => stream.push(data, reply),
        }
    }

    fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        match self {
            Self::OpenAi(stream) => stream.finish(reply),
            Self::Gemini(stream) => stream.finish(reply),
        }
    }
}

impl Incoming {
    /// What comes from a backend that was asked for a stream, or for one whole reply.
    pub fn new(target: Target, is_stream: bool) -> Self {
        match (is_stream, target) {
            (false, _) => Self::Whole(Vec::new(), target),
            (true, Target::OpenAi) => {
                Self::Events(Decoder::default(), Wire::OpenAi(openai::Stream::default()))
            }
            (true, Target::Gemini) => {
                Self::Events(Decoder::default(), Wire::Gemini(gemini::Stream::default()))
            }
            (true, Target::Ollama) => Self::Lines(Lines::default(), ollama::Stream::default()),
        }
    }

    /// Takes the next bytes, cut wherever they may be.
    pub fn push(&mut self, bytes: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        let mut done = Ok(());
        let waiting = match self {
            Self::Events(decoder, wire) => {
                decoder.push(bytes, |data| {
                    if done.is_ok() {
                        done = wire.push(data, reply);
                    }
                });
                decoder.waiting()
            }
            Self::Lines(lines, stream) => {
                lines.push(bytes, |line| {
                    if done.is_ok() {
                        done = stream.push(line, reply);
                    }
                });
                lines.waiting()
            }
            Self::Whole(whole, _) => {
                whole.extend_from_slice(bytes);
                whole.len()
            }
        };
        if waiting > LONGEST_EVENT {
            return Err(Trouble::Garbled);
        }
        done
    }

    /// Nothing comes any more: the reply is complete, or it was cut off.
    pub fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        let mut done = Ok(());
        match self {
            Self::Events(mut decoder, mut wire) => {
                decoder.finish(|data| {
                    if done.is_ok() {
                        done = wire.push(data, reply);
                    }
                });
                // Half an event at the end is a cut, and nothing that the backend said wrong.
                done.map_err(|trouble| if trouble == Trouble::Garbled { Trouble::Cut } else { trouble })?;
                wire.finish(reply)
            }
            Self::Lines(mut lines, mut stream) => {
                let rest = lines.rest();
                stream
                    .push(&rest, reply)
                    .map_err(|trouble| if trouble == Trouble::Garbled { Trouble::Cut } else { trouble })?;
                stream.finish(reply)
            }
            Self::Whole(whole, Target::OpenAi) => {
                let mut stream = openai::Stream::default();
                stream.push(&whole, reply)?;
                stream.finish(reply)
            }
            Self::Whole(whole, Target::Gemini) => {
                let mut stream = gemini::Stream::default();
                stream.push(&whole, reply)?;
                stream.finish(reply)
            }
            Self::Whole(whole, Target::Ollama) => {
                let mut stream = ollama::Stream::default();
                stream.push(&whole, reply)?;
                stream.finish(reply)
            }
        }
    }
}

#[cfg(test)]
mod golden;
