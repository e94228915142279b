//! The terminal is a real one: keys are signals, attributes are kept, a screen is drawn.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::pty::{Pty, Size};
use crate::support::sandbox::Sandbox;

const SOON: Duration = Duration::from_secs(20);

fn shell(sandbox: &Sandbox, script: &str) -> Pty {
    sandbox.project("app").command("bash", &["-c", script]).on_pty(Size { rows: 24, columns: 80 })
}

#[test]
fn all_three_streams_are_the_terminal_and_it_is_the_controlling_one() {
    let sandbox = Sandbox::new();
    let pty = shell(&sandbox, "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo yes >/dev/tty; exit 7");
    pty.wait_for("yes", SOON);
    pty.wait(SOON).assert_code(7).assert_terminal_restored();
}

#[test]
fn the_last_words_of_a_command_are_not_lost() {
    let sandbox = Sandbox::new();
    let exit = shell(&sandbox, "seq 1 20000; printf last").wait(SOON);
    assert!(exit.transcript().ends_with("20000\nlast"), "{}", exit.transcript());
}

#[test]
fn hidden_input_is_not_shown_and_other_input_is() {
    let sandbox = Sandbox::new();
    let script = "read -rp 'Name: ' name; read -rsp 'Key: ' key; echo; echo \"$name has ${#key} characters\"";
    let pty = shell(&sandbox, script);
    pty.wait_for("Name: ", SOON);
    assert!(pty.mode().echo);
    pty.write_line("acme");
    pty.wait_for("Key: ", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line("very-secret");
    pty.wait_for("acme has 11 characters", SOON);
    let exit = pty.wait(SOON);
    exit.assert_code(0).assert_terminal_restored();
    assert!(exit.transcript().contains("Name: acme"));
    assert!(!exit.transcript().contains("very-secret"));
}

#[test]
#[should_panic(expected = "a key is in what the terminal showed")]
fn a_terminal_that_shows_a_key_fails_the_test() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let pty = shell(&sandbox, "read -r key");
    pty.write_line(canary.key());
    pty.wait(SOON);
}

#[test]
fn ctrl_c_interrupts_and_ctrl_d_ends_input() {
    let sandbox = Sandbox::new();
    // Said by the program that waits: a signal to a shell that is about to become another program is lost.
    let pty = shell(&sandbox, "file=$(mktemp); echo waiting >$file; exec tail -f $file");
    pty.wait_for("waiting", SOON);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130);

    let pty = shell(&sandbox, "cat; echo the end");
    pty.write_line("a line");
    pty.ctrl_d();
    pty.wait_for("the end", SOON);
    pty.wait(SOON).assert_code(0);
}

#[test]
fn ctrl_c_and_ctrl_z_are_mere_bytes_in_raw_mode() {
    let sandbox = Sandbox::new();
    let script = "stty raw -echo; echo ready; head -c 2 | od -An -tx1; stty sane";
    let pty = shell(&sandbox, script);
    pty.wait_for("ready", SOON);
    assert!(!pty.mode().signals && !pty.mode().canonical);
    pty.ctrl_c();
    pty.ctrl_z();
    pty.wait_for("03 1a", SOON);
    pty.wait(SOON).assert_code(0);
}

#[test]
fn ctrl_z_stops_a_job_of_an_interactive_shell() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let pty = project.command("bash", &["--norc", "-i"]).env("PS1", "prompt> ").on_pty(Size::default());
    pty.wait_for("prompt> ", SOON);
    pty.write_line("sh -c 'echo started; exec cat'");
    pty.wait_for("\nstarted", SOON);
    pty.ctrl_z();
    pty.wait_for("Stopped", SOON);
    pty.write_line("kill %1; fg; exit 3");
    pty.wait(SOON).assert_code(3);
}

#[test]
#[should_panic(expected = "the terminal's attributes")]
fn a_terminal_left_raw_is_noticed() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "stty raw -echo").wait(SOON).assert_terminal_restored();
}

#[test]
fn a_command_ended_by_a_signal_is_told_from_one_that_left() {
    let sandbox = Sandbox::new();
    let pty = shell(&sandbox, "echo waiting; exec cat");
    pty.wait_for("waiting", SOON);
    pty.signal(Signal::TERM);
    pty.wait(SOON).assert_code(143);
}

#[test]
fn the_size_is_set_and_its_change_announced() {
    let sandbox = Sandbox::new();
    let script = "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do read -r -t 0.05; done";
    let pty = shell(&sandbox, script);
    pty.wait_for("24 80", SOON);
    pty.wait_for("ready", SOON);
    pty.resize(Size { rows: 30, columns: 100 });
    pty.wait_for("30 100", SOON);
    pty.wait(SOON).assert_code(0);
}

#[test]
fn the_screen_is_what_is_left_of_the_drawing() {
    let sandbox = Sandbox::new();
    let script = r"printf 'gone\e[2J\e[3;5Hhere\e[5;1H\e[31mred\e[0m\e[Cword'; read -r";
    let pty = shell(&sandbox, script);
    pty.wait_for("red word", SOON);
    assert_eq!(pty.screen_text(), "\n\n    here\n\nred word");
    assert_eq!(pty.transcript(), "goneherered".to_owned() + "word");
    assert!(pty.raw().windows(4).any(|bytes| bytes == b"\x1b[2J"));
    pty.write_line("");
    pty.wait(SOON).assert_code(0);
}

#[test]
#[should_panic(expected = "the command ended before the terminal showed \"never\"")]
fn waiting_stops_when_the_command_has_ended() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "echo something else").wait_for("never", Duration::from_secs(600));
}
