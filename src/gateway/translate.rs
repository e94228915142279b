//! From a request to what goes to a backend, and from the bytes that come back to a reply: one door for all wires.

use super::conversation::Conversation;
use super::message::Request;
use super::reply::Reply;
use super::sse::{Decoder, Lines};
use super::upstream::Trouble;
use super::{anthropic, gemini, ollama, openai};
use crate::provider::catalog::dialect::Dialect;

/// The most that may wait for the end of its line or event, in bytes. A backend that sends no end is not to fill the memory.
const LONGEST_EVENT: usize = 32 * 1024 * 1024;

/// An API that a reply is read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Anthropic's own.
    Anthropic,
    /// One that is translated to.
    Other(Target),
}

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
    Events(Decoder, Stream),
    /// A stream of lines.
    Lines(Lines, Stream),
    /// One reply, which is looked at when it is whole.
    Whole(Vec<u8>, Stream),
}

/// A reply while it comes, by its wire.
#[derive(Debug)]
pub enum Stream {
    /// Anthropic's own.
    Anthropic(anthropic::Stream),
    /// Chat Completions.
    OpenAi(openai::Stream),
    /// Gemini.
    Gemini(gemini::Stream),
    /// Ollama.
    Ollama(ollama::Stream),
}

impl Stream {
    fn new(origin: Origin) -> Self {
        match origin {
            Origin::Anthropic => Self::Anthropic(anthropic::Stream::default()),
            Origin::Other(Target::OpenAi) => Self::OpenAi(openai::Stream::default()),
            Origin::Other(Target::Gemini) => Self::Gemini(gemini::Stream::default()),
            Origin::Other(Target::Ollama) => Self::Ollama(ollama::Stream::default()),
        }
    }

    fn push(&mut self, data: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        match self {
            Self::Anthropic(stream) => stream.push(data, reply),
            Self::OpenAi(stream) => stream.push(data, reply),
            Self::Gemini(stream) => stream.push(data, reply),
            Self::Ollama(stream) => stream.push(data, reply),
        }
    }

    fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        match self {
            Self::Anthropic(stream) => stream.finish(reply),
            Self::OpenAi(stream) => stream.finish(reply),
            Self::Gemini(stream) => stream.finish(reply),
            Self::Ollama(stream) => stream.finish(reply),
        }
    }
}

impl Incoming {
    /// What comes from a backend that was asked for a stream, or for one whole reply.
    pub fn new(origin: Origin, is_stream: bool) -> Self {
        let stream = Stream::new(origin);
        match (is_stream, origin) {
            (false, _) => Self::Whole(Vec::new(), stream),
            (true, Origin::Other(Target::Ollama)) => Self::Lines(Lines::default(), stream),
            (true, _) => Self::Events(Decoder::default(), stream),
        }
    }

    /// Takes the next bytes, cut wherever they may be.
    pub fn push(&mut self, bytes: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        let mut done = Ok(());
        let waiting = match self {
            Self::Events(decoder, stream) => {
                decoder.push(bytes, |data| {
                    if done.is_ok() {
                        done = stream.push(data, reply);
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
        // Half an event at the end is a cut, and nothing that the backend said wrong.
        let cut = |trouble| if trouble == Trouble::Garbled { Trouble::Cut } else { trouble };
        match self {
            Self::Events(mut decoder, mut stream) => {
                let mut done = Ok(());
                decoder.finish(|data| {
                    if done.is_ok() {
                        done = stream.push(data, reply);
                    }
                });
                done.map_err(cut)?;
                stream.finish(reply)
            }
            Self::Lines(mut lines, mut stream) => {
                stream.push(&lines.rest(), reply).map_err(cut)?;
                stream.finish(reply)
            }
            Self::Whole(whole, mut stream) => {
                stream.push(&whole, reply)?;
                stream.finish(reply)
            }
        }
    }
}

#[cfg(test)]
mod golden;
