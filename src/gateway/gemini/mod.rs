//! Google's Gemini API (`streamGenerateContent`, `generateContent`).

mod reply;
mod request;
mod schema;
mod signature;

pub use reply::Stream;
pub use request::request;
