//! Setting up a cloud mode: several variables and files, asked for or brought, and stored together or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, listing, state};
use crate::support::pty::Pty;
use crate::support::sandbox::Sandbox;

/// A file below claude-reactor's home.
fn stored(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.reactor_home().join("user/llms").join(path)).unwrap_or_default()
}

fn start(sandbox: &Sandbox, provider: &str) -> Pty {
    sandbox.project("app").reactor(&["run", "--llm-provider", provider]).on_pty(WIDE)
}

/// Answers a question; a hidden one is waited for until nothing that is typed is shown.
fn answer(pty: &Pty, question: &str, hidden: bool, text: &str) {
    pty.wait_for(question, SOON);
    if hidden {
        pty.wait_for_mode(SOON, |mode| !mode.echo);
    }
    pty.write_line(text);
}

#[test]
fn bedrock_is_asked_for_one_by_one_and_stored_at_once() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("bedrock");
    let pty = start(&sandbox, "bedrock");
    answer(&pty, "AWS region:", false, "");
    answer(&pty, "An answer is needed.", false, "eu-west-1");
    answer(&pty, "Use api-key or access-key", false, "access-key");
    answer(&pty, "AWS access key id:", false, "AKIAEXAMPLE");
    answer(&pty, "AWS secret access key:", true, key.key());
    answer(&pty, "AWS session token (empty for none):", true, "");
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE).assert_terminal_restored();
    let wanted = format!(
        "AWS_REGION='eu-west-1'\nAWS_ACCESS_KEY_ID='AKIAEXAMPLE'\nAWS_SECRET_ACCESS_KEY='{}'\n",
        key.key()
    );
    assert!(stored(&sandbox, "bedrock/.env") == wanted, "what was answered is not what is stored");

    // Nothing is asked a second time.
    let exit = start(&sandbox, "bedrock").wait(SOON);
    exit.assert_code(NO_ENGINE);
    assert!(!exit.transcript().contains("AWS region"), "{}", exit.transcript());
}

#[test]
fn only_what_is_missing_is_asked_for() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("bedrock");
    sandbox.write_home(".claude-reactor/user/llms/bedrock/.env", "# mine\nAWS_REGION='eu-west-1'\n");
    let pty = start(&sandbox, "bedrock");
    answer(&pty, "Use api-key or access-key", false, "");
    answer(&pty, "Bedrock API key:", true, key.key());
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE);
    assert!(!exit.transcript().contains("AWS region"), "{}", exit.transcript());
    let text = stored(&sandbox, "bedrock/.env");
    assert!(text.starts_with("# mine\nAWS_REGION='eu-west-1'\nAWS_BEARER_TOKEN_BEDROCK='"));
}

#[test]
fn a_file_is_asked_for_checked_and_copied() {
    let sandbox = Sandbox::new();
    let original = sandbox.write_home("sa.json", "{\"type\": \"service_account\"}\n");
    fs::set_permissions(&original, fs::Permissions::from_mode(0o644)).unwrap();
    let link = sandbox.home().join("link.json");
    std::os::unix::fs::symlink(&original, &link).unwrap();
    let pty = start(&sandbox, "vertex");
    answer(&pty, "Google Cloud project id:", false, "acme");
    answer(&pty, "Vertex AI region", false, "");
    answer(&pty, "Credentials file (ADC or service account, JSON):", false, "/nowhere.json");
    answer(&pty, "There is no such file.", false, "~");
    answer(&pty, "It is not a regular file.", false, "/etc/passwd");
    answer(&pty, "It is not a credential file of Google's", false, "~/link.json");
    pty.wait(SOON).assert_code(NO_ENGINE);
    assert_eq!(
        stored(&sandbox, "vertex/.env"),
        "ANTHROPIC_VERTEX_PROJECT_ID='acme'\nCLOUD_ML_REGION='global'\n"
    );
    let copy = sandbox.reactor_home().join("user/llms/vertex/files/adc.json");
    assert!(copy.symlink_metadata().unwrap().is_file(), "a link is not copied as one");
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&original).unwrap());
    let listing = listing(&sandbox);
    assert!(
        listing.contains("0700 user/llms/vertex/files/\n0600 user/llms/vertex/files/adc.json"),
        "{listing}"
    );
}

#[test]
fn leaving_in_the_middle_stores_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write_home("sa.json", "{\"type\": \"service_account\"}");
    sandbox.project("app");
    let before = state(&sandbox);
    for provider in ["bedrock", "vertex", "foundry"] {
        let pty = start(&sandbox, provider);
        match provider {
            "bedrock" => {
                answer(&pty, "AWS region:", false, "eu-west-1");
                answer(&pty, "Use api-key or access-key", false, "");
                pty.wait_for("Bedrock API key:", SOON);
            }
            "vertex" => {
                answer(&pty, "Google Cloud project id:", false, "acme");
                answer(&pty, "Vertex AI region", false, "");
                pty.wait_for("Credentials file", SOON);
            }
            _ => {
                answer(&pty, "Use resource or base-url", false, "");
                answer(&pty, "Foundry resource name:", false, "acme");
                pty.wait_for("Foundry API key:", SOON);
            }
        }
        pty.ctrl_c();
        pty.wait(SOON).assert_code(130).assert_terminal_restored();
        assert_eq!(state(&sandbox), before, "{provider}");
    }
}

#[test]
fn without_a_terminal_everything_missing_is_named() {
    let sandbox = Sandbox::new();
    let before = |provider: &str| {
        let output = sandbox.project("app").reactor(&["run", "--llm-provider", provider]).run();
        output.assert_code(USAGE);
        output.stderr().to_owned()
    };
    insta::assert_snapshot!(["bedrock", "vertex", "foundry"].map(before).concat(), @r"
    error: Amazon Bedrock is not set up yet, and there is no terminal to ask; it needs AWS_REGION; AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY
      hint: run `claude-reactor run --llm-provider bedrock --key-from-env` with them set (a file by its path), or `claude-reactor run --llm-provider bedrock --key-stdin` with a line NAME='value' for each
    error: Google Vertex AI is not set up yet, and there is no terminal to ask; it needs ANTHROPIC_VERTEX_PROJECT_ID; GOOGLE_APPLICATION_CREDENTIALS (a file)
      hint: run `claude-reactor run --llm-provider vertex --key-from-env` with them set (a file by its path), or `claude-reactor run --llm-provider vertex --key-stdin` with a line NAME='value' for each
    error: Microsoft Foundry is not set up yet, and there is no terminal to ask; it needs ANTHROPIC_FOUNDRY_API_KEY; ANTHROPIC_FOUNDRY_RESOURCE or ANTHROPIC_FOUNDRY_BASE_URL
      hint: run `claude-reactor run --llm-provider foundry --key-from-env` with them set (a file by its path), or `claude-reactor run --llm-provider foundry --key-stdin` with a line NAME='value' for each
    ");
}

#[test]
fn the_environment_brings_all_of_it_files_too() {
    let sandbox = Sandbox::new();
    sandbox.write_home("sa.json", "{\"type\": \"service_account\"}");
    let project = sandbox.project("app");
    let call = |args: &[&str]| {
        let args = [&["run", "--llm-provider", "vertex", "--key-from-env"], args].concat();
        project.reactor(&args)
    };
    let output = call(&[]).env("ANTHROPIC_VERTEX_PROJECT_ID", "acme").run();
    output.assert_code(USAGE).assert_stderr_contains("GOOGLE_APPLICATION_CREDENTIALS (a file)");
    let output = call(&[])
        .env("ANTHROPIC_VERTEX_PROJECT_ID", "acme")
        .env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
        .run();
    output.assert_code(USAGE).assert_stderr_contains("`/nowhere.json`: there is no such file");
    let output = call(&[])
        .env("ANTHROPIC_VERTEX_PROJECT_ID", "acme")
        .env("GOOGLE_APPLICATION_CREDENTIALS", "/etc/passwd")
        .run();
    output.assert_code(USAGE).assert_stderr_contains("`/etc/passwd`: it is not a credential file");
    output.assert_stderr_lacks("root");
    assert_eq!(stored(&sandbox, "vertex/.env"), "");

    let file = sandbox.home().join("sa.json");
    let output = call(&[])
        .env("ANTHROPIC_VERTEX_PROJECT_ID", "acme")
        .env("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())
        .run();
    output.assert_code(NO_ENGINE);
    assert_eq!(stored(&sandbox, "vertex/.env"), "ANTHROPIC_VERTEX_PROJECT_ID='acme'\n");
    assert_eq!(stored(&sandbox, "vertex/files/adc.json"), "{\"type\": \"service_account\"}");
}

#[test]
fn a_foundry_resource_is_a_name_and_its_url_a_url() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (name, value, problem) in [
        ("RESOURCE", "evil.example/x", "not a resource's name alone"),
        ("RESOURCE", "-acme", "not a resource's name alone"),
        ("BASE_URL", "acme.example/anthropic", "does not begin with http:// or https://"),
    ] {
        let run = project.reactor(&["run", "--llm-provider", "foundry", "--key-from-env"]);
        let run = run.env("ANTHROPIC_FOUNDRY_API_KEY", "k-0123456789abcdef");
        let output = run.env(&format!("ANTHROPIC_FOUNDRY_{name}"), value).run();
        output.assert_code(USAGE).assert_stderr_contains(&format!("ANTHROPIC_FOUNDRY_{name}"));
        output.assert_stderr_contains(problem);
    }
    assert_eq!(stored(&sandbox, "foundry/.env"), "");
}

#[test]
fn lines_of_standard_input_bring_all_of_it_and_the_last_credential_counts() {
    let sandbox = Sandbox::new();
    let (bearer, secret) = (sandbox.canary("bearer"), sandbox.canary("secret"));
    let project = sandbox.project("app");
    let give = |text: String| {
        project.reactor(&["run", "--llm-provider", "bedrock", "--key-stdin"]).stdin(text).run()
    };
    give(format!("AWS_REGION=eu-west-1\nAWS_BEARER_TOKEN_BEDROCK='{}'\n", bearer.key()))
        .assert_code(NO_ENGINE);
    assert!(bearer.is_in(stored(&sandbox, "bedrock/.env")));

    let output = give("AWS_SECRET_ACCESS_KEY=x\n".to_owned());
    output.assert_code(USAGE).assert_stderr_contains("AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY");
    let output = give("AWS_ACCESS_KEY=x\n".to_owned());
    output
        .assert_code(USAGE)
        .assert_stderr_contains("has a line for AWS_ACCESS_KEY, which Amazon Bedrock does not ask for");

    let pair = format!("AWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY='{}'\n", secret.key());
    give(pair).assert_code(NO_ENGINE);
    let text = stored(&sandbox, "bedrock/.env");
    assert!(secret.is_in(&text) && !bearer.is_in(&text) && text.contains("AWS_BEARER_TOKEN_BEDROCK=''"));
}

#[test]
fn one_key_is_not_enough() {
    let sandbox = Sandbox::new();
    let args = ["run", "--llm-provider", "bedrock", "--apikey", "some-key"];
    let output = sandbox.project("app").reactor(&args).run();
    output.assert_code(USAGE).assert_stderr_contains("Amazon Bedrock needs more than one key");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/user/llms/vertex/.env", "ANTHROPIC_VERTEX_PROJECT_ID='acme'\n");
    let file = sandbox.write_home(".claude-reactor/user/llms/vertex/files/adc.json", "{}");
    let run = || sandbox.project("app").reactor(&["run", "--llm-provider", "vertex"]).run();
    run().assert_code(NO_ENGINE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    run().assert_code(USAGE).assert_stderr_contains("run: chmod 600");
}
