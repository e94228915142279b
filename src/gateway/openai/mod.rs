//! `OpenAI`'s Chat Completions, which most backends speak in some dialect.

mod reply;
mod request;

pub use reply::Stream;
pub use request::request;
