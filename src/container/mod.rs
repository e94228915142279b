//! The container a session runs in: what it is to look like, what that takes, and the engine that does it.

pub mod apply;
pub mod build_failure;
pub mod build_log;
pub mod claude_config;
pub mod engine;
mod host_address;
pub mod image;
pub mod mount;
pub mod name;
pub mod plan;
pub mod proxies;
pub mod session;
pub mod spec;
pub mod terminal;
pub mod user_files;
