//! Tests on a real container engine, with the real Claude Code CLI against a local fake of the Messages API.

#[path = "../support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of what both stand on")]
mod support;

mod backend;
mod cloud;
mod harness;
mod images;
mod llm;
mod old_homes;
mod recipes;
mod rootless;
mod session;

use std::sync::OnceLock;

use support::engine::Engine;
use support::sandbox::Sandbox;

/// The engine, with the image built by the program itself: tests that begin together would otherwise each build it. In CI
/// a missing engine is a failure, elsewhere the test has said that it is skipped.
fn engine() -> Option<Engine> {
    static BUILT: OnceLock<()> = OnceLock::new();
    let engine = Engine::find()?;
    BUILT.get_or_init(|| {
        let sandbox = Sandbox::on(&engine);
        sandbox.write_home(".claude-reactor/user/llms/claude/.env", "ANTHROPIC_API_KEY='none'\n");
        sandbox.project("app").reactor(&["exec", "--", "true"]).timeout(BUILD).run().assert_success();
    });
    Some(engine)
}

/// Far more than a build of the image takes.
const BUILD: std::time::Duration = std::time::Duration::from_secs(1200);
