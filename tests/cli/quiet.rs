//! Keys are in no output, however much is said. (Every other test checks the same of what it runs.)

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, answer_once};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

fn zai() -> (Sandbox, FakeApi, Canary) {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(canary.clone())));
    (sandbox, fake, canary)
}

#[test]
fn what_verbose_and_debug_say_of_a_new_key() {
    let (sandbox, _fake, canary) = zai();
    let say = |flag: &str| {
        let args = [flag, "--llm-provider", "zai", "--key-stdin"];
        sandbox.project("app").reactor(&args).stdin(canary.key()).run().snapshot()
    };
    insta::assert_snapshot!(say("--verbose"), @"
    exit code: 125
    --- stderr
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    insta::assert_snapshot!(say("--debug"), @"
    exit code: 125
    --- stderr
    key stored in [HOME]/.claude-reactor/user/llms/zai/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn the_loudest_run_never_shows_a_key() {
    let (sandbox, _fake, canary) = zai();
    let wrong = sandbox.canary("wrong");
    let project = sandbox.project("app");
    let loud = |args: &[&str]| {
        let args = [&["--debug", "--verbose", "--llm-provider", "zai"], args].concat();
        project.reactor(&args).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full")
    };
    loud(&["--key-stdin"]).stdin(wrong.key()).run().assert_code(USAGE);
    loud(&["--key-from-env"]).env("ZAI_API_KEY", wrong.key()).run().assert_code(USAGE);
    loud(&["--apikey", wrong.key(), "--no-verify"]).run().assert_code(NO_ENGINE);
    loud(&["--apikey", canary.key()]).run().assert_code(NO_ENGINE);
    loud(&[]).run().assert_code(NO_ENGINE);
    loud(&["--dry-run"]).run().assert_code(NO_ENGINE);
    loud(&[]).env("CLAUDE_REACTOR_LLM_ENV", "container").run().assert_code(NO_ENGINE);

    let pty = loud(&["--key-stdin"]).on_pty(WIDE);
    pty.wait_for("Enter your Z.AI API key", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line(canary.key());
    pty.wait(SOON).assert_code(NO_ENGINE);
}

#[test]
fn an_endpoint_that_repeats_the_key_is_not_quoted() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = format!(r#"{{"error": {{"message": "bad key {}"}}}}"#, canary.key());
    let response = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = std::thread::spawn(move || answer_once(listener.accept().unwrap().0, b"}", &response));
    let rows = format!("providers:\n  zai:\n    base_url: http://{address}\n");
    sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let args = ["--llm-provider", "zai", "--key-stdin", "--debug"];
    let output = sandbox.project("app").reactor(&args).stdin(canary.key()).run();
    answer.join().unwrap();
    output.assert_code(NO_ENGINE).assert_stderr_contains("the endpoint answered HTTP 400");
}

#[test]
fn without_a_flag_nothing_but_the_result_is_said() {
    let (sandbox, _fake, canary) = zai();
    let line = format!("ZAI_API_KEY='{}'\n", canary.key());
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", line);
    let output = sandbox.project("app").reactor(&["--llm-provider", "zai"]).env("RUST_LOG", "trace").run();
    output.assert_stdout("");
    assert!(output.stderr().starts_with("error: no container engine answers"), "{}", output.stderr());
}
