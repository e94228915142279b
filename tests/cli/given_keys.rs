//! A key that comes without a question: by standard input, by variable, by argument; and what is done without one.

use std::path::Path;

use crate::common::{NO_ENGINE, USAGE, dead_end, state};
use crate::support::fake_api::{Credential, Failure, FakeApi, Script};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

const ENV_FILE: &str = "home/.claude-reactor/user/llms/zai/.env";

/// A sandbox whose `zai` is a fake that takes one key.
fn zai() -> (Sandbox, FakeApi, Canary) {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(canary.clone())));
    (sandbox, fake, canary)
}

fn given(sandbox: &Sandbox, args: &[&str], stdin: impl Into<Vec<u8>>) -> Output {
    let args = [&["run", "--llm-provider", "zai"], args].concat();
    sandbox.project("app").reactor(&args).stdin(stdin).run()
}

fn assert_stored(sandbox: &Sandbox, key: &Canary) {
    assert_eq!(sandbox.files_with(key), [Path::new(ENV_FILE)]);
    let text = std::fs::read_to_string(sandbox.path().join(ENV_FILE)).unwrap();
    assert!(text == format!("ZAI_API_KEY='{}'\n", key.key()), "{}", sandbox.redactions().apply(&text));
}

#[test]
fn without_a_key_and_a_terminal_the_command_to_run_is_named_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let output = project.reactor(&["run", "--llm-provider", "zai"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no API key for Z.AI yet, and no terminal to ask for one
      hint: run `claude-reactor run --llm-provider zai --key-from-env` with ZAI_API_KEY or Z_AI_API_KEY set, or `claude-reactor run --llm-provider zai --key-stdin < key.txt`
    ");
    let output = project.reactor(&["--account", "work", "--llm-provider", "zai"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no API key for Z.AI yet, and no terminal to ask for one
      hint: run `claude-reactor run --llm-provider zai --account work --key-from-env` with ZAI_API_KEY or Z_AI_API_KEY set, or `claude-reactor run --llm-provider zai --account work --key-stdin < key.txt`
    ");
    let output = project.reactor(&["exec", "--", "true"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no API key for Claude yet, and no terminal to ask for one
      hint: run `claude-reactor run --llm-provider claude --key-from-env` with ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN set, or `claude-reactor run --llm-provider claude --key-stdin < key.txt`, or, to log in to a subscription, `claude-reactor run --llm-provider claude --interactive-login` in a terminal
    ");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn the_command_that_was_named_works() {
    let (sandbox, _fake, canary) = zai();
    let output = given(&sandbox, &[], "");
    let hint = output.stderr().split('`').find(|part| part.ends_with("--key-from-env")).expect("a command");
    let args: Vec<&str> = hint.split(' ').skip(1).collect();
    let again = sandbox.project("app").reactor(&args).env("ZAI_API_KEY", canary.key()).run();
    again.assert_code(NO_ENGINE);
    assert_stored(&sandbox, &canary);
}

#[test]
fn a_key_from_standard_input_is_tried_once_and_stored() {
    let (sandbox, fake, canary) = zai();
    let output = given(&sandbox, &["--key-stdin"], format!("  {}\r\n", canary.key()));
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_stored(&sandbox, &canary);
    let [request] = &fake.requests()[..] else { panic!("one request") };
    assert_eq!(request.line(), "POST /v1/messages glm-5.2");
    assert_eq!(request.body["max_tokens"], 1);

    // It is there now: nothing is tried or asked any more, and the choice is remembered.
    sandbox.project("app").reactor(&["run"]).run().assert_code(NO_ENGINE);
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn a_key_that_the_endpoint_rejects_is_said_and_not_stored() {
    let (sandbox, _fake, _) = zai();
    let wrong = sandbox.canary("wrong");
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let output = given(&sandbox, &["--key-stdin"], wrong.key());
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: Z.AI rejected the key (HTTP 401); it was not stored
      hint: see https://z.ai/manage-apikey/apikey-list; --no-verify stores it nevertheless
    ");
    given(&sandbox, &["--apikey", wrong.key()], "").assert_code(USAGE);
    let from_env = project.reactor(&["--llm-provider", "zai", "--key-from-env"]);
    from_env.env("ZAI_API_KEY", wrong.key()).run().assert_code(USAGE);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_rejected_key_does_not_replace_one_that_works() {
    let (sandbox, _fake, canary) = zai();
    given(&sandbox, &["--key-stdin"], canary.key()).assert_code(NO_ENGINE);
    let before = state(&sandbox);
    given(&sandbox, &["--key-stdin"], sandbox.canary("wrong").key()).assert_code(USAGE);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_rejected_key_is_stored_where_that_is_wanted() {
    let (sandbox, _fake, _) = zai();
    let wrong = sandbox.canary("wrong");
    let output = given(&sandbox, &["--key-stdin", "--no-verify"], wrong.key());
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    warning: the endpoint rejected this key (HTTP 401)
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_stored(&sandbox, &wrong);
}

#[test]
fn a_key_that_cannot_be_judged_is_stored_with_a_warning() {
    let (sandbox, fake, canary) = zai();
    fake.follow(Script::new().fails(Failure { status: 529, final_: true }));
    let output = given(&sandbox, &["--key-stdin"], canary.key());
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    warning: the key could not be checked: the endpoint answered HTTP 529: the fake answers 529
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_stored(&sandbox, &canary);
}

#[test]
fn an_endpoint_that_cannot_be_reached_does_not_keep_a_key_from_being_stored() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let (_held, address) = dead_end();
    sandbox.redact(address.to_string(), "[NOBODY]");
    let rows = format!("providers:\n  zai:\n    base_url: http://{address}\n");
    sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let output = given(&sandbox, &["--key-stdin"], canary.key());
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    warning: the key could not be checked: no connection to [NOBODY]: Connection refused (os error 111)
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_stored(&sandbox, &canary);
}

#[test]
fn what_is_no_key_is_refused_before_it_is_sent_anywhere() {
    let (sandbox, fake, canary) = zai();
    sandbox.project("app");
    let before = state(&sandbox);
    insta::assert_snapshot!(given(&sandbox, &["--key-stdin"], "").snapshot(), @"
    exit code: 2
    --- stderr
    error: the key from standard input is empty
      hint: give the key alone, as one line
    ");
    let two_lines = format!("{}\nANOTHER=x\n", canary.key());
    insta::assert_snapshot!(given(&sandbox, &["--key-stdin"], two_lines).snapshot(), @"
    exit code: 2
    --- stderr
    error: the key from standard input has more than one line
      hint: give the key alone, as one line
    ");
    insta::assert_snapshot!(given(&sandbox, &["--key-stdin"], b"sk-\xff".as_slice()).snapshot(), @"
    exit code: 2
    --- stderr
    error: the key from standard input is not text
      hint: give the key alone, as one line
    ");
    insta::assert_snapshot!(given(&sandbox, &["--apikey", " "], "").snapshot(), @"
    exit code: 2
    --- stderr
    error: the key from --apikey is empty
      hint: give the key alone, as one line
    ");
    insta::assert_snapshot!(given(&sandbox, &["--key-from-env"], "").snapshot(), @"
    exit code: 2
    --- stderr
    error: --key-from-env found no ZAI_API_KEY or Z_AI_API_KEY in the environment
      hint: set it for this one command, or use --key-stdin
    ");
    let much = vec![b'x'; 1 << 20];
    given(&sandbox, &["--key-stdin"], much).assert_code(USAGE).assert_stderr_contains("is too long");
    assert_eq!(fake.requests().len(), 0);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_key_from_the_environment_has_any_name_of_the_providers() {
    for name in ["ZAI_API_KEY", "Z_AI_API_KEY"] {
        let (sandbox, _fake, canary) = zai();
        let invocation = sandbox.project("app").reactor(&["--llm-provider", "zai", "--key-from-env"]);
        invocation.env(name, canary.key()).run().assert_code(NO_ENGINE);
        assert_stored(&sandbox, &canary);
    }
}

#[test]
fn a_variable_alone_brings_no_key() {
    // A key that happens to be in a shell is not the project's choice.
    let (sandbox, fake, canary) = zai();
    let invocation = sandbox.project("app").reactor(&["--llm-provider", "zai"]);
    let output = invocation.env("ZAI_API_KEY", canary.key()).run();
    output.assert_code(USAGE).assert_stderr_contains("there is no API key for Z.AI yet");
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn a_key_in_the_arguments_is_taken_with_a_warning() {
    let (sandbox, _fake, canary) = zai();
    let output = given(&sandbox, &["--apikey", canary.key()], "");
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    warning: a key given with --apikey is visible to other users of this machine and stays in the shell's history; --key-stdin and --key-from-env are not seen by anyone
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_stored(&sandbox, &canary);
}

#[test]
fn one_key_comes_from_one_place() {
    let (sandbox, _fake, canary) = zai();
    insta::assert_snapshot!(given(&sandbox, &["--key-stdin", "--key-from-env"], "").snapshot(), @"
    exit code: 2
    --- stderr
    error: the argument '--key-stdin' cannot be used with '--key-from-env'

    Usage: claude-reactor run --llm-provider <NAME> --key-stdin [-- <CLAUDE ARGS>...]

    For more information, try '--help'.
    ");
    given(&sandbox, &["--apikey", canary.key(), "--key-stdin"], "").assert_code(USAGE);
}

#[test]
fn claudes_own_key_goes_in_its_own_header() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("claude");
    let fake = sandbox.fake("claude", Script::new().requires(Credential::ApiKey(canary.clone())));
    let output = sandbox.project("app").reactor(&["--key-stdin"]).stdin(canary.key()).run();
    output.assert_code(NO_ENGINE).assert_stderr_lacks("warning");
    let [request] = &fake.requests()[..] else { panic!("one request") };
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn a_proxy_of_the_environment_does_not_get_what_is_for_this_machine() {
    let (sandbox, fake, canary) = zai();
    let invocation = sandbox.project("app").reactor(&["--llm-provider", "zai", "--key-stdin"]);
    let output = invocation.stdin(canary.key()).env("HTTP_PROXY", "http://127.0.0.1:9").run();
    output.assert_code(NO_ENGINE).assert_stderr_lacks("warning");
    assert_eq!(fake.requests().len(), 1);
}
