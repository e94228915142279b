//! Ollama's own API (`/api/chat`), for versions that do not speak Anthropic's yet.

mod reply;
mod request;

pub use reply::Stream;
pub use request::request;
