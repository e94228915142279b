//! A provider that nobody knows is asked about, so that any backend works without code.

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, listing, state};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::pty::{Exit, Pty, Size};
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

const VARIABLE: &str = "Name of the variable for its key [ACME_API_KEY]: ";
const VALUE: &str = "Value of ACME_API_KEY: ";
const BASE_URL: &str = "Base URL (empty to skip): ";
const AUTH: &str = "How it takes the key, bearer or x-api-key [bearer]: ";
const MODEL: &str = "Main model (empty to skip): ";

/// A backend that only the test knows, and what to answer about it: a question and the line to type.
struct Acme {
    sandbox: Sandbox,
    fake: FakeApi,
    canary: Canary,
}

impl Acme {
    fn new(credential: fn(Canary) -> Credential) -> Self {
        let sandbox = Sandbox::new();
        let canary = sandbox.canary("acme");
        let fake = FakeApi::start("acme", Script::new().requires(credential(canary.clone())));
        sandbox.redact(fake.address().to_string(), "[FAKE:acme]");
        sandbox.project("app");
        Self { sandbox, fake, canary }
    }

    fn start(&self, args: &[&str]) -> Pty {
        let args = [&["--llm-provider", "acme"], args].concat();
        self.sandbox.project("app").reactor(&args).on_pty(WIDE)
    }

    /// The whole dialogue.
    fn answer(&self, answers: &[(&str, &str)]) -> Exit {
        let pty = self.start(&[]);
        for (question, answer) in answers {
            reach(&pty, question);
            pty.write_line(answer);
        }
        let exit = pty.wait(SOON);
        exit.assert_terminal_restored();
        exit
    }

    fn file(&self, path: &str) -> String {
        let text = std::fs::read_to_string(self.sandbox.reactor_home().join(path)).unwrap();
        self.sandbox.redactions().apply(&text)
    }
}

/// Waits until a question is the last thing on the screen, and is being read: typed before, an answer would be lost.
fn reach(pty: &Pty, question: &str) {
    pty.wait_until(&format!("{question:?}"), SOON, |_, screen| {
        screen.trim_end().ends_with(question.trim_end())
    });
    pty.wait_for_mode(SOON, |mode| !mode.echo);
}

#[test]
fn the_whole_dialogue() {
    let acme = Acme::new(Credential::ApiKey);
    let url = acme.fake.base_url();
    let exit = acme.answer(&[
        (VARIABLE, ""),
        (VALUE, acme.canary.key()),
        (BASE_URL, &url),
        (AUTH, "x-api-key"),
        (MODEL, "acme-large"),
    ]);
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(acme.sandbox.redactions().apply(exit.screen()), @"
    `acme` is not a known provider
    Name of the variable for its key: ACME_API_KEY
    Base URL (empty to skip): http://[FAKE:acme]
    How it takes the key, bearer or x-api-key: x-api-key
    Main model (empty to skip): acme-large
    key stored in [HOME]/.claude-reactor/user/llms/acme/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    insta::assert_snapshot!(listing(&acme.sandbox), @"
    0700 /
    0600 providers.yaml
    0700 user/
    0700 user/app-[HASH:app]/
    0600 user/app-[HASH:app]/.claude-reactor
    0700 user/app-[HASH:app]/carried/
    0600 user/app-[HASH:app]/project-path
    0700 user/app-[HASH:app]/projects/
    0700 user/app-[HASH:app]/providers/
    0700 user/app-[HASH:app]/providers/acme/
    0700 user/app-[HASH:app]/providers/acme/projects/
    0700 user/llms/
    0700 user/llms/acme/
    0600 user/llms/acme/.env
    0600 user/llms/acme/.env.lock
    ");
    insta::assert_snapshot!(acme.file("providers.yaml"), @"
    providers:
      acme:
        base_url: http://[FAKE:acme]
        auth: x-api-key
        key_env: ACME_API_KEY
        models:
          main: acme-large
    ");
    insta::assert_snapshot!(acme.file("user/llms/acme/.env"), @"ACME_API_KEY='[SECRET:acme]'");
    let [request] = &acme.fake.requests()[..] else { panic!("one request") };
    assert_eq!(request.line(), "POST /v1/messages acme-large");

    // It is a provider like any other from now on.
    let output = acme.sandbox.project("other").reactor(&["--llm-provider", "acme"]).run();
    output.assert_code(NO_ENGINE).assert_stderr_lacks("not a known provider");
}

#[test]
fn a_wrong_answer_is_asked_again_with_what_is_wrong() {
    let acme = Acme::new(Credential::Bearer);
    let pty = acme.start(&[]);
    let url = acme.fake.base_url();
    for (question, wrong, right) in [
        (
            VARIABLE,
            &[("my key", "Capital letters, digits and _"), ("PATH", "PATH has a meaning of its own")][..],
            "",
        ),
        (VALUE, &[("", "The key is empty.")], acme.canary.key()),
        (
            BASE_URL,
            &[
                ("llm.acme.example", "It does not begin with http:// or https://"),
                ("https://x.example/v1", "It ends in /v1"),
                ("https://me:pw@x.example", "It holds a user name or password"),
            ],
            &url,
        ),
        (AUTH, &[("basic", "Bearer and x-api-key are the choices")], "bearer"),
        (MODEL, &[], "acme-large"),
    ] {
        for (answer, problem) in wrong {
            reach(&pty, question);
            pty.write_line(answer);
            pty.wait_for(problem, SOON);
        }
        reach(&pty, question);
        pty.write_line(right);
    }
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE).assert_terminal_restored();
    insta::assert_snapshot!(acme.sandbox.redactions().apply(exit.screen()), @"
    `acme` is not a known provider
    Name of the variable for its key: my key
    Capital letters, digits and _, not beginning with a digit.
    Name of the variable for its key: PATH
    PATH has a meaning of its own; choose another name.
    Name of the variable for its key: ACME_API_KEY
    The key is empty.
    Base URL (empty to skip): llm.acme.example
    It does not begin with http:// or https://: give it in the form https://host/path or http://host:port.
    Base URL (empty to skip): https://x.example/v1
    It ends in /v1, which Claude Code appends itself: give the address without that end.
    Base URL (empty to skip): https://me:pw@x.example
    It holds a user name or password: leave it out, and put the key into the provider's .env.
    Base URL (empty to skip): http://[FAKE:acme]
    How it takes the key, bearer or x-api-key: basic
    Bearer and x-api-key are the choices.
    How it takes the key, bearer or x-api-key: bearer
    Main model (empty to skip): acme-large
    key stored in [HOME]/.claude-reactor/user/llms/acme/.env
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn skipped_answers_leave_their_fields_out() {
    let acme = Acme::new(Credential::Bearer);
    let url = acme.fake.base_url();
    let exit =
        acme.answer(&[(VARIABLE, ""), (VALUE, acme.canary.key()), (BASE_URL, &url), (AUTH, ""), (MODEL, "")]);
    exit.assert_code(USAGE);
    insta::assert_snapshot!(acme.sandbox.redactions().apply(exit.screen()), @"
    `acme` is not a known provider
    Name of the variable for its key: ACME_API_KEY
    Base URL (empty to skip): http://[FAKE:acme]
    How it takes the key, bearer or x-api-key: bearer
    Main model (empty to skip): 
    key stored in [HOME]/.claude-reactor/user/llms/acme/.env
    error: no model is known for provider acme
      hint: choose one with --llm-provider acme --llm-model MODEL, or set models.main of acme in ~/.claude-reactor/providers.yaml
    ");
    insta::assert_snapshot!(acme.file("providers.yaml"), @"
    providers:
      acme:
        base_url: http://[FAKE:acme]
        auth: bearer
        key_env: ACME_API_KEY
    ");
}

#[test]
fn without_a_base_url_the_rest_is_not_asked() {
    let acme = Acme::new(Credential::Bearer);
    let exit = acme.answer(&[(VARIABLE, ""), (VALUE, acme.canary.key()), (BASE_URL, "")]);
    exit.assert_code(USAGE);
    insta::assert_snapshot!(acme.sandbox.redactions().apply(exit.screen()), @"
    `acme` is not a known provider
    Name of the variable for its key: ACME_API_KEY
    Base URL (empty to skip): 
    warning: the key could not be checked: the provider has no base URL
    key stored in [HOME]/.claude-reactor/user/llms/acme/.env
    error: no endpoint is known for provider acme
      hint: add a row acme with its base_url to ~/.claude-reactor/providers.yaml, or a line ANTHROPIC_BASE_URL='https://…' to llms/acme/.env
    ");
    insta::assert_snapshot!(listing(&acme.sandbox), @"
    0700 /
    0700 user/
    0700 user/llms/
    0700 user/llms/acme/
    0600 user/llms/acme/.env
    0600 user/llms/acme/.env.lock
    ");
}

#[test]
fn a_base_url_can_follow_in_the_file_of_the_key() {
    let acme = Acme::new(Credential::Bearer);
    acme.answer(&[(VARIABLE, ""), (VALUE, acme.canary.key()), (BASE_URL, "")]).assert_code(USAGE);
    let path = acme.sandbox.reactor_home().join("user/llms/acme/.env");
    let text = std::fs::read_to_string(&path).unwrap();
    let url = acme.fake.base_url();
    std::fs::write(&path, format!("{text}ANTHROPIC_BASE_URL='{url}'\n")).unwrap();
    let args = ["--llm-provider", "acme", "--llm-model", "acme-large"];
    acme.sandbox.project("app").reactor(&args).run().assert_code(NO_ENGINE);
}

#[test]
fn rows_written_by_hand_stay() {
    let acme = Acme::new(Credential::Bearer);
    let rows = "# mine\nproviders:\n    zai:   # work\n        models: {main: glm-4.6}\n";
    acme.sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let url = acme.fake.base_url();
    let exit = acme.answer(&[
        (VARIABLE, ""),
        (VALUE, acme.canary.key()),
        (BASE_URL, &url),
        (AUTH, ""),
        (MODEL, "acme-large"),
    ]);
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(acme.file("providers.yaml"), @"
    # mine
    providers:
        zai:   # work
            models: {main: glm-4.6}
        acme:
          base_url: http://[FAKE:acme]
          auth: bearer
          key_env: ACME_API_KEY
          models:
            main: acme-large
    ");
}

#[test]
fn ctrl_c_at_any_question_leaves_nothing_behind() {
    let acme = Acme::new(Credential::Bearer);
    let url = acme.fake.base_url();
    let answers =
        [(VARIABLE, ""), (VALUE, acme.canary.key()), (BASE_URL, &url), (AUTH, ""), (MODEL, "acme-large")];
    let before = state(&acme.sandbox);
    for last in 0..answers.len() {
        let pty = acme.start(&["--danger"]);
        for (question, answer) in &answers[..last] {
            reach(&pty, question);
            pty.write_line(answer);
        }
        reach(&pty, answers[last].0);
        pty.ctrl_c();
        pty.wait(SOON).assert_code(130).assert_terminal_restored();
        assert_eq!(state(&acme.sandbox), before, "at {:?}", answers[last].0);
    }
    assert_eq!(acme.fake.requests().len(), 0);
}

#[test]
fn without_a_terminal_a_name_that_nobody_knows_is_an_error() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    insta::assert_snapshot!(project.reactor(&["--llm-provider", "zia"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: the provider `zia` is not known, and there is no terminal to ask about it
      hint: did you mean `zai`?
    ");
    let output = project.reactor(&["--llm-provider", "acme", "--key-stdin"]).stdin("key").run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: the provider `acme` is not known, and there is no terminal to ask about it
      hint: add a row with base_url, auth and key_env to [HOME]/.claude-reactor/providers.yaml, or run this in a terminal
    ");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn what_is_wrong_with_an_answer_stays_readable_where_it_is_wider_than_the_terminal() {
    let acme = Acme::new(Credential::ApiKey);
    let narrow = Size { rows: 24, columns: 40 };
    let pty = acme.sandbox.project("app").reactor(&["--llm-provider", "acme"]).on_pty(narrow);
    for (question, answer) in [(VARIABLE, ""), (VALUE, acme.canary.key()), (BASE_URL, "llm.acme.example")] {
        reach(&pty, question);
        pty.write_line(answer);
    }
    pty.wait_for("http://host:port.", SOON);
    reach(&pty, BASE_URL);
    pty.write("\x03");
    let exit = pty.wait(SOON);
    let screen = exit.screen().replace(char::is_whitespace, "");
    assert!(screen.contains("giveitintheformhttps://host/pathorhttp://host:port."), "{screen}");
}
