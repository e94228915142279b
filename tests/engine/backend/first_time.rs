//! The first session of a provider: what is asked, what is remembered, and that it is not asked again.

use std::os::unix::fs::PermissionsExt;

use super::{ACCOUNT, SOON, ask, assert_credential, containers, engine, leave, session_dir};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::pty::{Pty, Size};
use crate::support::sandbox::Sandbox;

/// Waits for a hidden question to be asked the nth time, and types an answer once it does not show.
#[track_caller]
fn answer_hidden(pty: &Pty, question: &str, nth: usize, answer: &str) {
    pty.wait_until(&format!("{question:?}, {nth} times"), SOON, |transcript, _| {
        transcript.matches(question).count() >= nth
    });
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line(answer);
}

#[test]
fn zai_asks_for_its_key_once() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (right, wrong) = (sandbox.canary("right"), sandbox.canary("wrong"));
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(right.clone())));
    let project = sandbox.project("app");

    let pty = project.reactor(&["run", "--llm-provider", "zai"]).on_pty(Size::default());
    let question = "Enter your Z.AI API key (https://z.ai/manage-apikey/apikey-list)";
    answer_hidden(&pty, question, 1, wrong.key());
    pty.wait_for("Z.AI rejected this key (HTTP 401)", SOON);
    answer_hidden(&pty, question, 2, right.key());
    let summary = format!("user · app · zai · glm-5.2[1m] · {} · key ZAI_API_KEY", fake.base_url());
    pty.wait_for(&summary, SOON);
    let checks = fake.messages().len();
    ask(&pty, "ping", "pong from fake-zai");
    leave(pty).assert_code(0).assert_terminal_restored();

    let requests = fake.messages().split_off(checks);
    assert_credential(&requests, &Credential::Bearer(right.clone()));
    assert!(requests.iter().any(|request| request.model() == Some("glm-5.2")), "{requests:#?}");
    let folder = sandbox.reactor_home().join(ACCOUNT).join("llms/zai");
    let env = folder.join(".env");
    assert_eq!(std::fs::read_to_string(&env).unwrap(), format!("ZAI_API_KEY='{}'\n", right.key()));
    assert_eq!(env.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let choices = session_dir(&sandbox, ACCOUNT, &project).join(".claude-reactor");
    assert_eq!(std::fs::read_to_string(choices).unwrap(), "llm:\n  provider: zai\n");

    // The provider is remembered, the key is there, and the container too.
    let before = containers(&engine, &project);
    let plan = project.reactor(&["run", "--dry-run", "--json"]).run();
    assert_eq!(plan.assert_success().json()["action"], "reuse");
    let pty = project.reactor(&["run"]).on_pty(Size::default());
    pty.wait_for(&summary, SOON);
    pty.wait_for(super::PROMPT, SOON);
    pty.ctrl_c();
    pty.wait_for("Press Ctrl-C again to exit", SOON);
    // The offer stands for a moment only; on a slow machine the first of these renews it.
    pty.write(b"\x03\x03\x03");
    let exit = pty.wait(SOON);
    exit.assert_code(0).assert_terminal_restored();
    assert!(!exit.transcript().contains("API key"), "{}", exit.transcript());
    assert_eq!(containers(&engine, &project), before);
    assert_eq!(before.len(), 1);
}

#[test]
fn a_provider_nobody_knows_is_described_and_used() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("acme");
    let script = Script::new().requires(Credential::ApiKey(key.clone()));
    let fake = FakeApi::start_on(engine.gateway(), "acme", script);
    let project = sandbox.project("app");

    let pty = project.reactor(&["run", "--llm-provider", "acme"]).on_pty(Size::default());
    let answer = |question: &str, answer: &str| {
        pty.wait_for(question, SOON);
        pty.write_line(answer);
    };
    answer("Name of the variable for its key", "");
    answer_hidden(&pty, "Value of ACME_API_KEY", 1, key.key());
    answer("Base URL", &fake.base_url());
    answer("How it takes the key", "x-api-key");
    answer("Main model", "acme-large");
    pty.wait_for(&format!("user · app · acme · acme-large · {} · key ACME_API_KEY", fake.base_url()), SOON);
    ask(&pty, "ping", "pong from fake-acme");
    leave(pty).assert_code(0).assert_terminal_restored();
    assert_credential(&fake.messages(), &Credential::ApiKey(key));

    // From now on it is a provider like any other.
    let elsewhere = sandbox.project("elsewhere");
    let output = elsewhere.reactor(&["run", "--llm-provider", "acme", "--", "-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-acme\n");
    assert!(fake.messages().iter().all(|request| request.model() == Some("acme-large")));
}
