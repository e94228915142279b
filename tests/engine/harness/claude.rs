//! The real Claude Code CLI takes the fake for a Messages API. It runs by a plain `docker run`, so that a failure here
//! is the fake's, and not the launcher's.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::engine_and_image;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, Failure, FakeApi, Script};
use crate::support::invocation::Invocation;
use crate::support::pty::Size;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// Well below the three minutes for which the CLI tries again what looks like a passing fault.
const FAST: Duration = Duration::from_secs(60);

/// What a session has on its screen when it waits for a question.
const PROMPT: &str = "? for shortcuts";

/// The state that keeps the CLI from asking about theme, trust and modes before its prompt.
const STATE: &str = r#"{"hasCompletedOnboarding":true,"projects":{"/app":{"hasTrustDialogAccepted":true}}}"#;

/// `docker run OPTIONS… claude ARGS…`, as the caller, with the variables of a session of another provider.
fn claude<'s>(
    project: &Project<'s>,
    image: &str,
    fake: &FakeApi,
    key: &Canary,
    options: &[&str],
    args: &[&str],
) -> Invocation<'s> {
    let config = project.path().with_extension("config");
    std::fs::create_dir_all(&config).expect("a folder can be made beside the project");
    std::fs::write(config.join(".claude.json"), STATE).expect("a file can be written there");
    std::fs::write(config.join("settings.json"), r#"{"disableAutoMode":"disable"}"#).expect("and another");

    let session = [
        ("ANTHROPIC_BASE_URL", fake.base_url()),
        ("ANTHROPIC_AUTH_TOKEN", key.key().to_owned()),
        ("ANTHROPIC_API_KEY", String::new()),
        ("ANTHROPIC_MODEL", "glm-4.6".to_owned()),
        ("ANTHROPIC_DEFAULT_OPUS_MODEL", "glm-4.6".to_owned()),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", "glm-4.6".to_owned()),
        ("ANTHROPIC_DEFAULT_FABLE_MODEL", "glm-4.6".to_owned()),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "glm-4.5-air".to_owned()),
        ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1".to_owned()),
        ("CLAUDE_CONFIG_DIR", "/config".to_owned()),
    ];
    let user = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let label = format!("{}={}", Engine::PROJECT_LABEL, project.path().display());
    let (app, config) =
        (format!("{}:/app", project.path().display()), format!("{}:/config", config.display()));
    let mut docker = vec!["run", "--rm", "--init", "--label", &label, "--user", &user];
    docker.extend(["--volume", &app, "--volume", &config, "--workdir", "/app", "--env", "HOME=/tmp"]);
    // By name only: docker takes the value from its own environment, so that no key stands among the arguments.
    docker.extend(session.iter().flat_map(|(name, _)| ["--env", name]));
    docker.extend(options);
    docker.extend(["--entrypoint", "claude", image]);
    docker.extend(args);
    session.iter().fold(project.command("docker", &docker), |call, (name, value)| call.env(name, value))
}

#[test]
fn a_question_is_answered_and_arrives_with_model_and_key() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(key.clone())));
    let output = claude(&sandbox.project("app"), &image, &fake, &key, &[], &["-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-zai\n");

    let request = fake.await_message(Duration::ZERO);
    assert_eq!(request.model(), Some("glm-4.6"));
    assert_eq!(request.body["stream"], true);
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", key.key())));
    assert_eq!(request.header("x-api-key"), None);
}

#[test]
fn a_tool_call_writes_its_file() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().writes_file("/app/made/by-tool.txt", "line ✓\n"));
    let project = sandbox.project("app");
    let args = ["-p", "write it", "--permission-mode", "acceptEdits"];
    claude(&project, &image, &fake, &key, &[], &args)
        .run()
        .assert_success()
        .assert_stdout("pong from fake-zai\n");

    let file = project.path().join("made/by-tool.txt");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "line ✓\n");
    assert_eq!(file.metadata().unwrap().uid(), rustix::process::getuid().as_raw());
    let last = fake.messages().pop().expect("the result of the tool is sent");
    assert!(last.body["messages"].to_string().contains("\"tool_result\""), "{}", last.body["messages"]);
}

#[test]
fn a_wrong_key_fails_fast() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let (right, wrong) = (sandbox.canary("right"), sandbox.canary("wrong"));
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(right)));
    let started = Instant::now();
    let output = claude(&sandbox.project("app"), &image, &fake, &wrong, &[], &["-p", "hi"]).run();
    // Of a container that removes itself, Podman 4.3 tells the docker command line no exit code.
    output.assert_code(i32::from(!engine.is_podman())).assert_stdout_contains("401");
    assert!(started.elapsed() < FAST, "{:?}", started.elapsed());
    assert_eq!(fake.messages().len(), 1);
}

#[test]
fn a_fault_that_may_pass_is_tried_again() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().fails(Failure { status: 529, final_: false }));
    let project = sandbox.project("app");
    let call = claude(&project, &image, &fake, &key, &[], &["-p", "hi"]).spawn();
    fake.await_message(FAST);
    fake.follow(Script::new());
    call.wait(FAST).assert_success().assert_stdout("pong from fake-zai\n");
    assert!(fake.messages().len() > 1);
}

#[test]
fn the_prompt_is_reached_and_a_question_answered_on_a_terminal() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(key.clone())));
    let pty = claude(&sandbox.project("app"), &image, &fake, &key, &["--interactive", "--tty"], &[])
        .on_pty(Size::default());
    pty.wait_for(PROMPT, FAST);
    pty.write("ping");
    pty.wait_for("ping", FAST);
    pty.write("\r");
    pty.wait_for("pong from fake-zai", FAST);
    pty.write("/exit");
    pty.wait_for("/exit", FAST);
    pty.write("\r");
    pty.wait(FAST).assert_code(0).assert_terminal_restored();
}
