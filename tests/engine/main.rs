//! Tests on a real container engine, with the real Claude Code CLI against a local fake of the Messages API.

#[path = "../support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of what both stand on")]
mod support;

mod backend;
mod harness;
mod session;
