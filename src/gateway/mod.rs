//! The gateway: Anthropic's Messages API on the one side, the API of any other backend on the other.
//!
//! Translators are pure: [`message`] is what comes in, [`conversation`] puts it in order, a module for each wire (`openai`,
//! `gemini`, `ollama`) writes it down in its backend's form and turns what comes back into a [`reply`], which gives
//! [`event`]s. Sending and receiving is all outside of them.

pub mod anthropic;
mod arguments;
pub mod backend;
mod body;
pub mod client;
pub mod conversation;
mod estimate;
pub mod event;
pub mod failure;
pub mod gemini;
pub mod message;
pub mod names;
pub mod ollama;
pub mod openai;
pub mod reply;
pub mod server;
pub mod sse;
pub mod translate;
pub mod upstream;
