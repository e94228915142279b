//! Tests of what the other tests stand on: the fake must be good enough for the real CLI, and the looks into the
//! engine must see what is there.

mod claude;
mod looks;

use crate::support::engine::Engine;

/// The engine and an image that holds the real CLI; where there is no engine, the test has said so, or failed in CI.
fn engine_and_image() -> Option<(Engine, String)> {
    let engine = crate::engine()?;
    let image = engine.image("claude-reactor/base").expect("it was just built");
    Some((engine, image))
}
