//! A signal to us ends what runs inside: nothing is left behind there, and the exit code tells of it.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Place, SOON};

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
