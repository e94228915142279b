//! `llm list` and `llm show`: what there is, without a key in sight.

use crate::common::{USAGE, store_key};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn llm(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.project("app").reactor(&[&["llm"], args].concat()).run()
}

/// A provider in the JSON of `llm list`.
fn listed(sandbox: &Sandbox, id: &str) -> serde_json::Value {
    let list = llm(sandbox, &["list", "--json"]);
    let list = list.assert_success().json();
    let providers = list["providers"].as_array().expect("a list").clone();
    providers.into_iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id} is not listed"))
}

#[test]
fn a_new_user_sees_what_there_is() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(llm(&sandbox, &["list"]).snapshot(), @r"
    exit code: 0
    --- stdout
    account user, project app: claude, nobody chose another

       PROVIDER  NAME    KEY         PROJECTS
    *  claude    Claude  not set up

    not set up:
      bedrock, deepseek, doubao, foundry, kimi-coding, minimax, minimax-cn,
      moonshot, moonshot-cn, ollama-cloud, openrouter, qwen, qwen-cn, vercel,
      vertex, zai, zai-cn

    no key needed:
      llamacpp, lmstudio, ollama, vllm

    for the gateway, and not for sessions yet:
      azure, cerebras, cohere, gemini, groq, huggingface, mistral, ollama-native,
      openai, xai
    ");
    let all = llm(&sandbox, &["list", "--all"]);
    let lines = all.assert_success().stdout().lines().count();
    assert_eq!(lines, 3 + listed_count(&sandbox), "a line each: {}", all.stdout());
    assert!(!sandbox.reactor_home().exists(), "nothing is written");
}

fn listed_count(sandbox: &Sandbox) -> usize {
    llm(sandbox, &["list", "--json"]).json()["providers"].as_array().unwrap().len()
}

#[test]
fn what_is_set_up_comes_first_with_where_it_is_and_who_uses_it() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    store_key(&sandbox, "deepseek", "ANTHROPIC_AUTH_TOKEN");
    store_key(&sandbox, "by-hand", "BY_HAND_API_KEY");
    sandbox.write_home(".claude-reactor/user/llms/claude/login/.keep", "");
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        "providers:\n  acme: {base_url: https://llm.acme.example, models: {main: large}}\n  zai: {models: {main: glm-4.6}}\n",
    );
    llm(&sandbox, &["use", "zai"]).assert_success();
    for name in ["shop", "site"] {
        sandbox.project(name).reactor(&["llm", "use", "deepseek"]).run().assert_success();
    }
    insta::assert_snapshot!(llm(&sandbox, &["list"]).snapshot());

    let zai = listed(&sandbox, "zai");
    assert_eq!(
        (&zai["row"], &zai["current"], &zai["set_up"]),
        (&"overridden".into(), &true.into(), &true.into())
    );
    assert_eq!(zai["credential"]["variables"][0], "ZAI_API_KEY");
    let file = sandbox.reactor_home().join("user/llms/zai/.env");
    assert_eq!(zai["credential"]["file"], file.to_str().unwrap());
    assert_eq!(zai["projects"][0]["path"], sandbox.project("app").path().to_str().unwrap());
    let deepseek = listed(&sandbox, "deepseek");
    let names: Vec<_> =
        deepseek["projects"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["shop", "site"]);
    assert_eq!(listed(&sandbox, "claude")["credential"]["kind"], "login");
    assert_eq!(listed(&sandbox, "acme")["set_up"], false);
    assert_eq!(listed(&sandbox, "openai")["needs_gateway"], true);
    assert_eq!(listed(&sandbox, "ollama")["credential"]["kind"], "none");
}

#[test]
fn projects_that_chose_none_count_for_the_default_and_for_their_teams_choice() {
    let sandbox = Sandbox::new();
    for name in ["own", "team", "none", "gone"] {
        sandbox.project(name).reactor(&["llm", "use", "zai"]).run().assert_success();
        if name != "own" {
            let project = sandbox.project(name);
            let choices = format!(".claude-reactor/user/{name}-{}/.claude-reactor", project.hash());
            sandbox.write_home(&choices, "");
        }
    }
    sandbox.project("team").write(".claude-reactor", "llm: {provider: deepseek}\n");
    std::fs::remove_dir(sandbox.project("gone").path()).unwrap();
    let used = |id: &str| -> Vec<String> {
        let projects = listed(&sandbox, id)["projects"].as_array().unwrap().clone();
        projects.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(used("zai"), ["own"]);
    assert_eq!(used("deepseek"), ["team"]);
    assert_eq!(used("claude"), ["gone", "none"]);
    llm(&sandbox, &["use", "moonshot", "--account-default"]).assert_success();
    assert_eq!(used("moonshot"), ["gone", "none"]);
    assert_eq!(used("claude"), [""; 0]);
}

#[test]
fn what_cannot_be_read_is_said_in_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", "ZAI_API_KEY='open\n");
    let zai = listed(&sandbox, "zai");
    assert_eq!(zai["set_up"], false);
    assert!(
        zai["problem"].as_str().unwrap().ends_with("line 1, ZAI_API_KEY: not of the form KEY='value'"),
        "{zai}"
    );
    llm(&sandbox, &["list"]).assert_success().assert_stdout_contains("not of the form");
}

#[test]
fn the_home_folder_is_as_good_a_place_as_any() {
    let sandbox = Sandbox::new();
    let at_home = |args: &[&str]| {
        let call = sandbox.project("app").reactor(args).env("PWD", sandbox.home());
        call.in_folder("../home").run()
    };
    at_home(&["llm", "list"]).assert_success().assert_stdout_contains("project home");
    at_home(&["llm", "use", "zai"]).assert_code(USAGE).assert_stderr_contains("cannot be a project");
    at_home(&["llm", "use", "zai", "--account-default"]).assert_success();
}

#[test]
fn a_session_is_shown_with_its_secrets_hidden() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("zai");
    let header = sandbox.canary("header");
    let text = format!(
        "ZAI_API_KEY='{}'\nAPI_TIMEOUT_MS='3000000'\nANTHROPIC_CUSTOM_HEADERS='x-team: {}'\nHTTPS_PROXY='http://me:{}@proxy:1'\n",
        key.key(),
        header.key(),
        header.key()
    );
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", text);
    // The snapshot would fail on any of these keys.
    insta::assert_snapshot!(llm(&sandbox, &["show", "zai"]).snapshot());

    let json = llm(&sandbox, &["show", "zai", "--json"]).json();
    let variable = |name: &str| {
        let all = json["variables"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is not shown")).clone()
    };
    for name in ["ZAI_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "HTTPS_PROXY"] {
        assert_eq!(
            (&variable(name)["value"], &variable(name)["secret"]),
            (&serde_json::Value::Null, &true.into()),
            "{name}"
        );
    }
    assert_eq!(variable("API_TIMEOUT_MS")["value"], "3000000");
    assert_eq!(variable("API_TIMEOUT_MS")["from"], "llms/zai/.env");
    assert_eq!(json["endpoint"], "https://api.z.ai/api/anthropic");
}

#[test]
fn a_provider_that_is_not_set_up_is_shown_with_what_it_lacks() {
    let sandbox = Sandbox::new();
    let json = llm(&sandbox, &["show", "bedrock", "--json"]).json();
    assert!(json["problem"].as_str().unwrap().contains("AWS_REGION"), "{json}");
    assert_eq!(json["variables"].as_array().unwrap().len(), 0);
    insta::assert_snapshot!(llm(&sandbox, &["show", "zay"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: the provider `zay` is not known
      hint: did you mean `zai`?
    ");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let sandbox = Sandbox::new();
    let script = format!("{} llm list --json | head -1", env!("CARGO_BIN_EXE_claude-reactor"));
    let output = sandbox.project("app").command("bash", &["-o", "pipefail", "-c", &script]).run();
    output.assert_success().assert_stdout("{\n");
}
