//! A signal to us ends what runs inside: nothing is left behind there, and the exit code tells of it.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Place, SOON};
use crate::support::pty::Size;

/// What a program may take to end after a signal.
const GRACE: Duration = Duration::from_secs(5);

#[test]
fn a_signal_ends_all_that_a_command_started() {
    let Some(place) = Place::new() else { return };
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        // In a shell without jobs, what runs in the background does not hear SIGINT: only a kill ends it.
        let script = "sleep 86400 & sleep 86400 >/dev/null 2>&1 & echo ready; sleep 86400";
        let call = place.exec(&["sh", "-c", script]).spawn();
        call.wait_for_stdout("ready", SOON);
        call.signal(signal);
        call.wait(SOON).assert_code(code);
        place.assert_nobody_inside();
    }
}

#[test]
fn a_signal_ends_claude_in_the_middle_of_a_question() {
    let Some(place) = Place::new() else { return };
    place.fake.hold();
    let call = place.reactor(&["run", "--", "-p", "hi"]).spawn();
    place.fake.await_message(SOON);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143).assert_stdout("");
    place.assert_nobody_inside();
}

#[test]
fn what_ignores_the_signal_is_killed() {
    let Some(place) = Place::new() else { return };
    let script = "trap '' TERM; echo ready; sleep 86400";
    let call = place.exec(&["sh", "-c", script]).spawn();
    call.wait_for_stdout("ready", SOON);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143);
    place.assert_nobody_inside();
}

#[test]
fn what_ignores_the_signal_in_the_background_is_killed() {
    let Some(place) = Place::new() else { return };
    let script = "(trap '' TERM; exec sleep 86400) >/dev/null 2>&1 & echo ready; sleep 86400";
    let call = place.exec(&["sh", "-c", script]).spawn();
    call.wait_for_stdout("ready", SOON);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143);
    place.assert_nobody_inside();
}

#[test]
fn a_command_may_clean_up_and_a_second_signal_does_not_wait_for_it() {
    let Some(place) = Place::new() else { return };
    let script = "trap 'echo cleaning; sleep 1; echo clean; exit 0' TERM; echo ready; sleep 86400 & wait";
    let call = place.exec(&["sh", "-c", script]).spawn();
    call.wait_for_stdout("ready", SOON);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143).assert_stdout("ready\ncleaning\nclean\n");

    let script = "trap 'echo cleaning' TERM; echo ready; sleep 86400 & while :; do wait; done";
    let call = place.exec(&["sh", "-c", script]).spawn();
    call.wait_for_stdout("ready", SOON);
    call.signal(Signal::TERM);
    call.wait_for_stdout("cleaning", SOON);
    let second = Instant::now();
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143);
    assert!(second.elapsed() < GRACE, "{:?}", second.elapsed());
    place.assert_nobody_inside();
}

#[test]
fn a_signal_ends_what_sudo_started_too() {
    let Some(place) = Place::new() else { return };
    let sudo = "sudo -n sh -c 'echo ready; sleep 86400'";
    let scripts = [
        sudo.to_owned(),
        // As the session's own first process, which nobody can look into.
        format!("exec {sudo}"),
        // Left by its parent, and out of the session's sight but for what was seen before.
        format!("sh -c \"{sudo} & sleep 86400\""),
        format!("setsid {sudo} & sleep 86400"),
    ];
    for uid in [None, Some(1000), Some(12345)] {
        if uid.is_some() && !rustix::process::getuid().is_root() {
            println!("skipped: only root can run a command as somebody else");
            return;
        }
        for script in &scripts {
            let exec = place.exec(&["bash", "-c", script]);
            let exec = if let Some(uid) = uid { exec.user(uid, uid) } else { exec };
            let call = exec.spawn();
            call.wait_for_stdout("ready", SOON);
            call.signal(Signal::TERM);
            call.wait(SOON).assert_code(143);
            place.assert_nobody_inside();
        }
        place.engine.docker(&["rm", "--force", &place.id()]);
    }
}

#[test]
fn a_signal_ends_what_sudo_started_on_a_terminal() {
    let Some(place) = Place::new() else { return };
    let exec = place.exec(&["bash", "-c", "sudo -n sh -c 'echo ready; sleep 86400'; true"]);
    let exec = if rustix::process::getuid().is_root() { exec.user(1000, 1000) } else { exec };
    let pty = exec.on_pty(Size::default());
    pty.wait_for("ready", SOON);
    pty.signal(Signal::TERM);
    pty.wait(SOON).assert_code(143).assert_terminal_restored();
    place.assert_nobody_inside();
}

#[test]
fn a_signal_leaves_other_sessions_alone() {
    let Some(place) = Place::new() else { return };
    let mut other = place.exec(&["sudo", "-n", "cat"]).spawn();
    other.write(b"in\n");
    other.wait_for_stdout("in", SOON);
    let call = place.exec(&["sudo", "-n", "sh", "-c", "echo ready; sleep 86400"]).spawn();
    call.wait_for_stdout("ready", SOON);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143);
    other.write(b"still in\n");
    other.wait_for_stdout("still in", SOON);
    other.close_stdin();
    other.wait(SOON).assert_success();
    place.assert_nobody_inside();
}
