//! Process tests without an engine: every command runs in a home and an environment of its own.

#[path = "../support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of what both stand on")]
mod support;

mod harness;
