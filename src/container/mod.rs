//! The container a session runs in: what it is to look like, what that takes, and the engine that does it.

pub mod build_failure;
pub mod build_log;
pub mod engine;
pub mod image;
pub mod proxies;
