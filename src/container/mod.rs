//! The container a session runs in: what it is to look like, what that takes, and the engine that does it.

pub mod engine;
pub mod image;
