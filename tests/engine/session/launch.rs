//! The moments before a session, when things can go on at once or stop half-way.

use std::os::unix::fs::symlink;

use rustix::process::Signal;

use super::{Place, SOON};
use crate::support::engine::Engine;

#[test]
fn sessions_that_start_at_once_share_one_container() {
    let Some(place) = Place::new() else { return };
    let mut sessions = [(); 4].map(|()| place.reactor(&["run", "--shell"]).spawn());
    for session in &mut sessions {
        session.write(b"echo in; cat\n");
    }
    for session in &sessions {
        session.wait_for_stdout("in", SOON);
    }
    let id = place.id();
    let live = place.engine.execs(&id).iter().filter(|exec| exec["Running"] == true).count();
    assert_eq!(live, 4);
    for session in &mut sessions {
        session.close_stdin();
    }
    for session in sessions {
        session.wait(SOON).assert_success();
    }
}

#[test]
fn what_an_interrupt_left_of_a_launch_the_next_one_mends() {
    let Some(place) = Place::new() else { return };
    let events = place.engine.record_events();
    let project = place.project().path().display().to_string();
    let call = place.exec(&["true"]).spawn();
    // The engine has made the container, and it does not run yet, or not for long.
    events.wait_for("the making of the container", SOON, |event| {
        event["Action"] == "create" && event["Actor"]["Attributes"][Engine::PROJECT_LABEL] == project.as_str()
    });
    call.signal(Signal::INT);
    // Where the interrupt was late, the command has ended by itself.
    let output = call.wait(SOON);
    assert!(matches!(output.code(), Some(130 | 0)), "{output:?}");

    place.exec(&["echo", "well"]).run().assert_success().assert_stdout("well\n");
    assert_eq!(place.container()["State"]["Running"], true);
}

#[test]
fn a_link_in_the_historys_place_leads_it_nowhere_else() {
    let Some(place) = Place::new() else { return };
    let projects = place.session_dir().join("providers/zai/projects");
    place.exec(&["true"]).run().assert_success();
    place.engine.docker(&["rm", "--force", &place.id()]);
    std::fs::remove_dir(&projects).unwrap();
    symlink("/etc/claude-code", &projects).unwrap();

    let script = "grep -c ' /etc/claude-code ' /proc/mounts; touch \"$CLAUDE_CONFIG_DIR/projects/said\"";
    place.exec(&["sh", "-c", script]).run().assert_success().assert_stdout("0\n");
    assert!(projects.symlink_metadata().unwrap().is_dir());
    assert!(place.session_dir().join("projects/said").exists());

    place.engine.docker(&["rm", "--force", &place.id()]);
    std::fs::remove_dir(&projects).unwrap();
    std::fs::write(&projects, "").unwrap();
    place.exec(&["true"]).run().assert_stderr_contains("is not a folder");
}
