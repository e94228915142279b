//! A session on a terminal: every byte and key passes, and the terminal is as before on every way out.

use std::fs;

use rustix::process::Signal;

use super::{Place, SOON};
use crate::support::pty::{Pty, Size};

/// A command on a terminal that has said "ready". What it prints comes as it is, and what is typed is not shown.
fn ready(place: &Place, script: &str) -> Pty {
    let script = format!("stty raw -echo; echo ready; {script}");
    let pty = place.exec(&["sh", "-c", &script]).on_pty(Size::default());
    pty.wait_for("ready", SOON);
    pty
}

#[test]
fn output_of_every_byte_comes_out_unchanged_whatever_it_begins_with() {
    let Some(place) = Place::new() else { return };
    place.exec(&["true"]).run().assert_success();
    let every = (0..=255).collect::<Vec<u8>>();
    for first in 0..=2 {
        // Begins as a frame of a stream without a terminal would.
        let mut bytes = vec![first, 0, 0, 0, 0, 0, 0, 5];
        bytes.extend_from_slice(&every);
        place.project().write("bytes", &bytes);
        let pty = place.exec(&["sh", "-c", "stty raw; cat bytes; echo end"]).on_pty(Size::default());
        pty.wait_for("end", SOON);
        bytes.extend_from_slice(b"end\n");
        assert_eq!(pty.raw(), bytes);
        pty.wait(SOON).assert_code(0).assert_terminal_restored();
    }
}

#[test]
fn every_key_arrives_at_once() {
    let Some(place) = Place::new() else { return };
    let every = (0..=255).collect::<Vec<u8>>();
    let pty = ready(&place, "head -c 256 >keys; echo got; head -c 1 | od -An -tx1");
    pty.write(&every);
    pty.wait_for("got", SOON);
    assert_eq!(fs::read(place.project().path().join("keys")).unwrap(), every);
    // The first key of the engines' own way out of a session: they would wait for the second.
    pty.write([0x10]);
    pty.wait_for("10", SOON);
    pty.wait(SOON).assert_code(0).assert_terminal_restored();
}

#[test]
fn the_size_and_its_changes_reach_the_inside() {
    let Some(place) = Place::new() else { return };
    let script = "trap 'stty size' WINCH; stty size; sleep 86400 & while :; do wait; done";
    let pty = place.exec(&["sh", "-c", script]).on_pty(Size { rows: 33, columns: 101 });
    pty.wait_for("33 101", SOON);
    for (rows, columns) in [(31, 97), (50, 200)] {
        pty.resize(Size { rows, columns });
        pty.wait_for(&format!("{rows} {columns}"), SOON);
    }
    pty.signal(Signal::TERM);
    pty.wait(SOON).assert_code(143).assert_terminal_restored();
}

/// Waits until a shell waits for a line.
fn prompt(pty: &Pty) {
    pty.wait_until("a prompt", SOON, |transcript, _| {
        transcript.ends_with("# ") || transcript.ends_with("$ ")
    });
}

#[test]
fn a_shell_gets_ctrl_c_ctrl_z_and_ctrl_d() {
    let Some(place) = Place::new() else { return };
    let pty = place.reactor(&["run", "--shell"]).on_pty(Size::default());
    // What is typed before a prompt can get lost in the shell's change of modes. An answer is quoted in the question,
    // so that what is typed is not what is waited for.
    let ask = |line: &str, answer: &str| {
        prompt(&pty);
        pty.write_line(line);
        pty.wait_for(answer, SOON);
    };
    // The job says itself that it is there, and starts no other: a process cannot be stopped in the middle of that.
    ask("sh -c 'echo first-\"job\"; exec cat'", "first-job");
    pty.ctrl_c();
    ask("echo code-$?", "code-130");
    ask("sh -c 'echo second-\"job\"; exec cat'", "second-job");
    pty.ctrl_z();
    ask("disown -a; trap 'exit 9' EXIT; echo last-'line'", "last-line");
    prompt(&pty);
    pty.ctrl_d();
    let exit = pty.wait(SOON);
    exit.assert_code(9).assert_terminal_restored();
    assert!(exit.transcript().starts_with("user · app · zai · "), "{}", exit.transcript());
}

#[test]
fn claude_comes_back_from_ctrl_z() {
    let Some(place) = Place::new() else { return };
    let pty = place.reactor(&["run"]).on_pty(Size::default());
    let at_prompt = "? for shortcuts";
    pty.wait_for(at_prompt, SOON);
    for times in 1..=2 {
        pty.ctrl_z();
        pty.wait_until("the prompt again", SOON, |transcript, screen| {
            transcript.matches("is suspended").count() == times && screen.contains(at_prompt)
        });
    }
    pty.write("ping");
    pty.wait_for("ping", SOON);
    pty.write("\r");
    pty.wait_for(&place.fake.text(), SOON);
    pty.write("/exit");
    pty.wait_for("/exit", SOON);
    pty.write("\r");
    pty.wait(SOON).assert_code(0).assert_terminal_restored();
    place.assert_nobody_inside();
}

#[test]
fn the_terminal_is_restored_after_a_signal_to_us() {
    let Some(place) = Place::new() else { return };
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        let pty = ready(&place, "sleep 86400");
        assert!(!pty.mode().canonical);
        pty.signal(signal);
        pty.wait(SOON).assert_code(code).assert_terminal_restored();
        place.assert_nobody_inside();
    }
}

#[test]
fn a_container_that_goes_away_ends_its_session_with_a_word() {
    let Some(place) = Place::new() else { return };
    for end in [&["rm", "--force"][..], &["stop", "--time", "0"]] {
        let pty = ready(&place, "sleep 86400");
        place.engine.docker(&[end, &[place.id().as_str()]].concat());
        let exit = pty.wait(SOON);
        exit.assert_code(137).assert_terminal_restored();
        assert!(exit.transcript().contains("was stopped or removed"), "{}", exit.transcript());
    }
}
