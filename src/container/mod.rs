//! The container a session runs in: what it is to look like, what that takes, and the engine that does it.

pub mod apply;
pub mod build_failure;
pub mod build_log;
pub mod carried;
pub mod claude_config;
pub mod drift;
pub mod engine;
pub mod found;
pub mod git_worktree;
mod host_address;
pub mod image;
pub mod image_check;
pub mod local_image;
pub mod managed_settings;
pub mod mount;
pub mod name;
pub mod plan;
pub mod proxies;
pub mod pull_failure;
pub mod pull_log;
pub mod registry;
pub mod registry_auth;
pub mod relay;
pub mod session;
pub mod spec;
pub mod terminal;
pub mod user_files;
