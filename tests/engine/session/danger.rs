//! Danger mode: off unless asked for, remembered, and ended as explicitly.

use serde_json::json;

use super::Place;
use crate::support::fake_api::Script;

/// Whether Claude Code, asked to make a file by a shell command, did so without permission.
#[track_caller]
fn acts(place: &Place, caller: Option<(u32, u32)>, flags: &[&str]) -> bool {
    let made = place.project().path().join("made");
    place.fake.follow(Script::new().calls_tool("Bash", json!({ "command": "echo >/app/made" })));
    let call = place.reactor(&[&["run"], flags, &["--", "-p", "make it"]].concat());
    let call = match caller {
        Some((uid, gid)) => call.user(uid, gid),
        None => call,
    };
    call.run().assert_success().assert_stdout("pong from fake-zai\n");
    std::fs::remove_file(made).is_ok()
}

#[test]
fn danger_is_off_then_on_until_it_is_ended() {
    let Some(place) = Place::new() else { return };
    assert!(!acts(&place, None, &[]));
    assert!(acts(&place, None, &["--danger"]));
    assert!(acts(&place, None, &[]), "it is remembered");
    assert!(!acts(&place, None, &["--danger=false"]));
    assert!(!acts(&place, None, &[]), "its end is remembered too");
}

#[test]
fn danger_works_for_whoever_calls() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    for caller in [(0, 0), (12345, 12345)] {
        let Some(place) = Place::new() else { return };
        assert!(acts(&place, Some(caller), &["--danger"]), "{caller:?}");
    }
}
