//! One question and one answer, and the exit codes.

use super::{Place, SOON};
use crate::support::fake_api::{Failure, Script};

#[test]
fn the_answer_alone_is_on_standard_output() {
    let Some(place) = Place::new() else { return };
    let output = place.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-zai\n");
    output.assert_stderr_contains("user · app · zai · ");
    assert_eq!(place.fake.messages().len(), 1);

    let output = place.reactor(&["run", "--", "-p", "-"]).stdin("from a pipe").run();
    output.assert_success().assert_stdout("pong from fake-zai\n");
    let asked = place.fake.messages().pop().expect("there was a question");
    assert!(asked.body["messages"].to_string().contains("from a pipe"), "{}", asked.body["messages"]);
}

#[test]
fn a_failing_provider_is_claudes_own_exit_code() {
    let Some(place) = Place::new() else { return };
    place.fake.follow(Script::new().fails(Failure { status: 403, final_: true }));
    let output = place.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_code(1).assert_stdout_contains("403");
}

#[test]
fn exit_codes_are_the_commands_own() {
    let Some(place) = Place::new() else { return };
    let code_of = |script: &str| place.exec(&["sh", "-c", script]).run().code();
    for code in [0, 1, 42, 130, 255] {
        assert_eq!(code_of(&format!("exit {code}")), Some(code));
    }
    for (signal, code) in [("INT", 130), ("KILL", 137), ("TERM", 143)] {
        assert_eq!(code_of(&format!("kill -{signal} $$")), Some(code), "{signal}");
    }
    // The engine's own word, 126 or 127 by its version, on either output.
    let output = place.exec(&["no-such-command"]).run();
    assert!(matches!(output.code(), Some(126 | 127)), "{output:?}");
    assert!([output.stdout(), output.stderr()].concat().contains("no-such-command"), "{output:?}");
    place.shell(&[], "exit 42").run().assert_code(42);
}

#[test]
fn a_command_that_ends_does_not_wait_for_its_input() {
    let Some(place) = Place::new() else { return };
    // Standard input stays open until the end.
    place.exec(&["sh", "-c", "exit 4"]).spawn().wait(SOON).assert_code(4);
}
