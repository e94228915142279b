//! claude-reactor: the real Claude Code CLI in a container of the user's own engine, on the LLM backend a project chose.
//!
//! Imports point one way: `main → cli → command → container → provider → {config, project} → {host, private_file, name}`.
//! Nothing below `command` prints, and only `provider::setup` asks.

pub mod command;
pub mod config;
pub mod container;
pub mod host;
pub mod name;
pub mod private_file;
pub mod provider;

/// x
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
