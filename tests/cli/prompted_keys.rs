//! A person at a terminal is asked for the key.

use std::path::Path;

use rustix::process::Signal;

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::pty::Pty;
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

const PROMPT: &str = "Enter your Z.AI API key (https://z.ai/manage-apikey/apikey-list): ";

fn zai() -> (Sandbox, FakeApi, Canary) {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(canary.clone())));
    sandbox.project("app");
    (sandbox, fake, canary)
}

fn start(sandbox: &Sandbox, args: &[&str]) -> Pty {
    let args = [&["run", "--llm-provider", "zai"], args].concat();
    sandbox.project("app").reactor(&args).on_pty(WIDE)
}

/// Waits for the question that comes as number `nth`. What is typed before the echo is off would be lost.
fn await_prompt(pty: &Pty, nth: usize) {
    pty.wait_until("the question", SOON, |transcript, _| transcript.matches(PROMPT).count() == nth);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
}

#[test]
fn the_key_is_asked_for_without_showing_it_tried_and_stored() {
    let (sandbox, fake, canary) = zai();
    let pty = start(&sandbox, &[]);
    await_prompt(&pty, 1);
    pty.write_line(canary.key());
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE).assert_terminal_restored();
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_eq!(sandbox.files_with(&canary), [Path::new("home/.claude-reactor/user/llms/zai/.env")]);
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn a_wrong_key_is_said_and_asked_for_again() {
    let (sandbox, _fake, canary) = zai();
    let wrong = sandbox.canary("wrong");
    let pty = start(&sandbox, &[]);
    await_prompt(&pty, 1);
    pty.write_line(wrong.key());
    await_prompt(&pty, 2);
    pty.write_line("");
    await_prompt(&pty, 3);
    pty.write_line(canary.key());
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    Z.AI rejected this key (HTTP 401).
    The key is empty.
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert!(sandbox.files_with(&wrong).is_empty());
    assert!(!sandbox.files_with(&canary).is_empty());
}

#[test]
fn a_key_that_stays_wrong_is_not_stored() {
    let (sandbox, _fake, _) = zai();
    let wrong = sandbox.canary("wrong");
    let before = state(&sandbox);
    let pty = start(&sandbox, &[]);
    for nth in 1..=3 {
        await_prompt(&pty, nth);
        pty.write_line(wrong.key());
    }
    let exit = pty.wait(SOON);
    exit.assert_code(USAGE).assert_terminal_restored();
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    Z.AI rejected this key (HTTP 401).
    Z.AI rejected this key (HTTP 401).
    error: Z.AI rejected the key (HTTP 401); it was not stored
      hint: see https://z.ai/manage-apikey/apikey-list; --no-verify stores it nevertheless
    ");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn leaving_the_question_leaves_nothing_behind() {
    let (sandbox, fake, canary) = zai();
    let before = state(&sandbox);
    let leave = |way: &dyn Fn(&Pty)| {
        let pty = start(&sandbox, &["--danger", "--llm-model", "glm-4.6"]);
        await_prompt(&pty, 1);
        pty.write(&canary.key()[..20]);
        way(&pty);
        let exit = pty.wait(SOON);
        exit.assert_terminal_restored();
        assert_eq!(state(&sandbox), before);
        exit.code
    };
    assert_eq!(leave(&Pty::ctrl_c), 130);
    assert_eq!(leave(&|pty| pty.signal(Signal::TERM)), 143);
    assert_eq!(leave(&|pty| pty.signal(Signal::HUP)), 129);
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn the_key_is_asked_for_even_if_standard_input_was_to_bring_it() {
    // Typed at a terminal, a key for `--key-stdin` would be seen by everyone who looks on.
    let (sandbox, _fake, canary) = zai();
    let pty = start(&sandbox, &["--key-stdin"]);
    await_prompt(&pty, 1);
    pty.write_line(canary.key());
    pty.wait(SOON).assert_code(NO_ENGINE);
}

#[test]
fn a_key_that_is_there_is_not_asked_for() {
    let (sandbox, fake, canary) = zai();
    let line = format!("Z_AI_API_KEY='{}'\n", canary.key());
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", line);
    let exit = start(&sandbox, &[]).wait(SOON);
    exit.assert_code(NO_ENGINE);
    assert!(!exit.transcript().contains("Enter"), "{}", exit.transcript());
    assert_eq!(fake.requests().len(), 0);
}
