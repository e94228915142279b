//! `llm add`, `llm use`, `llm edit` and `llm remove`: what they write, and what they leave alone.

use std::fs;
use std::path::Path;

use crate::common::{SOON, USAGE, WIDE, listing, state, store_key};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::output::Output;
use crate::support::pty::Pty;
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

fn llm(sandbox: &Sandbox, args: &[&str], stdin: &str) -> Output {
    sandbox.project("app").reactor(&[&["llm"], args].concat()).stdin(stdin).run()
}

fn on_terminal(sandbox: &Sandbox, args: &[&str]) -> Pty {
    sandbox.project("app").reactor(&[&["llm"], args].concat()).on_pty(WIDE)
}

/// A sandbox with a fake at an address of its own, which takes one key.
fn acme() -> (Sandbox, FakeApi, Canary) {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("acme");
    let fake = FakeApi::start("acme", Script::new().requires(Credential::ApiKey(key.clone())));
    sandbox.redact(fake.address().to_string(), "[FAKE]");
    (sandbox, fake, key)
}

fn rows(sandbox: &Sandbox) -> String {
    let text = fs::read_to_string(sandbox.reactor_home().join("providers.yaml")).expect("there are rows");
    sandbox.redactions().apply(&text)
}

fn choices(sandbox: &Sandbox) -> String {
    let project = sandbox.project("app");
    let folder = sandbox.reactor_home().join(format!("user/app-{}", project.hash()));
    fs::read_to_string(folder.join(".claude-reactor")).unwrap_or_default()
}

#[test]
fn a_provider_of_ones_own_is_described_by_flags_tried_and_stored() {
    let (sandbox, fake, key) = acme();
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        "# mine\nproviders:\n  zai: {models: {main: glm-4.6}} # old\n",
    );
    let url = fake.base_url();
    let args = [
        "add",
        "acme",
        "--base-url",
        &url,
        "--auth",
        "x-api-key",
        "--model",
        "large",
        "--small-model",
        "mini",
        "--context-window",
        "200000",
        "--key-stdin",
    ];
    insta::assert_snapshot!(llm(&sandbox, &args, key.key()).snapshot(), @"
    exit code: 0
    --- stderr
    key stored in [HOME]/.claude-reactor/user/llms/acme/.env
    the row `acme` is in [HOME]/.claude-reactor/providers.yaml
    `claude-reactor llm use acme` makes it this project's
    ");
    insta::assert_snapshot!(rows(&sandbox));
    let [request] = &fake.messages()[..] else { panic!("one request") };
    assert_eq!(request.model(), Some("large"));
    assert_eq!(sandbox.files_with(&key), [Path::new("home/.claude-reactor/user/llms/acme/.env")]);
    assert_eq!(choices(&sandbox), "", "no project changes its provider");

    llm(&sandbox, &["use", "acme"], "").assert_success();
    assert_eq!(choices(&sandbox), "llm:\n  provider: acme\n");
    llm(&sandbox, &["test", "--host-only"], "").assert_success();
}

#[test]
fn a_key_that_is_refused_leaves_nothing_behind() {
    let (sandbox, fake, _) = acme();
    let wrong = sandbox.canary("wrong");
    sandbox.project("app");
    let before = state(&sandbox);
    let args = ["add", "acme", "--base-url", &fake.base_url(), "--auth", "x-api-key", "--key-stdin"];
    llm(&sandbox, &args, wrong.key())
        .assert_code(USAGE)
        .assert_stderr_contains("rejected the key (HTTP 401)");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn wrong_descriptions_are_said_by_their_flag_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.project("app");
    let before = state(&sandbox);
    for (args, said) in [
        (["--base-url", "https://x.example/v1"].as_slice(), "--base-url: "),
        (&["--base-url", "x.example"], "--base-url: "),
        (&["--base-url", "https://x.example", "--key-env", "PATH"], "--key-env: a row may not name PATH"),
        (&["--base-url", "https://x.example", "--context-window", "0"], "--context-window: it is 0"),
        (&["--model", "large"], "the provider `acme` is not known, so it takes --base-url"),
        (&["--base-url", "https://x.example", "--wire", "openai", "--key-stdin"], "sessions cannot use"),
        (&["--base-url", "https://x.example", "--auth", "basic"], "invalid value 'basic'"),
        (&[], "the provider `acme` is not known"),
    ] {
        let output = llm(&sandbox, &[&["add", "acme"], args].concat(), "sk-some-key");
        output.assert_code(USAGE).assert_stderr_contains(said);
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn the_command_that_brings_the_key_is_named_whole() {
    let (sandbox, fake, key) = acme();
    let url = fake.base_url();
    let args = [
        "add",
        "acme",
        "--base-url",
        &url,
        "--auth",
        "x-api-key",
        "--model",
        "a model",
        "--context-window",
        "9",
    ];
    let output = llm(&sandbox, &args, "");
    output.assert_code(USAGE);
    let hint = output.stderr().split('`').find(|part| part.ends_with("--key-from-env")).expect("a command");
    let flags = format!(
        "llm add acme --base-url {url} --auth x-api-key --model 'a model' --context-window 9 --key-from-env"
    );
    assert_eq!(hint, format!("claude-reactor {flags}"));
    let script = format!("{} {flags}", env!("CARGO_BIN_EXE_claude-reactor"));
    let again = sandbox.project("app").command("sh", &["-c", &script]).env("ACME_API_KEY", key.key());
    again.run().assert_success();
    assert_eq!(sandbox.files_with(&key).len(), 1);
}

#[test]
fn a_key_that_is_there_is_replaced_only_when_that_is_said() {
    let sandbox = Sandbox::new();
    let old = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let new = sandbox.canary("new");
    let _fake = sandbox.fake("zai", Script::new());
    let output = llm(&sandbox, &["add", "zai"], new.key());
    output
        .assert_success()
        .assert_stderr_contains("set up already: ZAI_API_KEY in llms/zai/.env; --key-stdin");
    assert_eq!(sandbox.files_with(&old).len(), 1);

    let pty = on_terminal(&sandbox, &["add", "zai"]);
    pty.wait_for("Replace it?", SOON);
    pty.write("n");
    pty.wait(SOON).assert_code(0);
    assert_eq!(sandbox.files_with(&old).len(), 1);

    let pty = on_terminal(&sandbox, &["add", "zai"]);
    pty.wait_for("Replace it?", SOON);
    pty.write("y");
    pty.wait_for("Enter your Z.AI API key", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line(new.key());
    pty.wait(SOON).assert_code(0);
    assert_eq!((sandbox.files_with(&old).len(), sandbox.files_with(&new).len()), (0, 1));
}

#[test]
fn giving_up_stores_nothing() {
    let sandbox = Sandbox::new();
    sandbox.project("app");
    let before = state(&sandbox);
    let pty = on_terminal(&sandbox, &["add", "zai"]);
    pty.wait_for("Enter your Z.AI API key", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130).assert_terminal_restored();
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_model_may_still_be_chosen_when_the_key_is_given() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("openrouter");
    let _fake = sandbox.fake("openrouter", Script::new());
    llm(&sandbox, &["add", "openrouter", "--key-stdin"], key.key()).assert_success();
    let output = llm(&sandbox, &["use", "openrouter"], "");
    output.assert_success().assert_stderr_contains("no model is known for openrouter");
    let output = llm(&sandbox, &["use", "openrouter", "--model", "a/large", "--small-model", "a/mini"], "");
    output.assert_success().assert_stderr_lacks("no model");
    assert_eq!(choices(&sandbox), "llm:\n  provider: openrouter\n  model: a/large\n  small_model: a/mini\n");
    // Another provider has other models.
    llm(&sandbox, &["use", "zai"], "").assert_success().assert_stderr_contains("claude-reactor llm add zai");
    assert_eq!(choices(&sandbox), "llm:\n  provider: zai\n");
}

#[test]
fn an_accounts_default_is_written_into_its_own_file_with_its_comments_kept() {
    let sandbox = Sandbox::new();
    let file = sandbox.write_home(
        ".claude-reactor/user/config.yaml",
        "# mine\nllm: {provider: qwen, model: big} # old\ndanger: true\n",
    );
    let output = llm(&sandbox, &["use", "ollama", "--account-default", "--model", "qwen3"], "");
    output.assert_success().assert_stderr_contains("Ollama is the default of account user");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("danger: true"), "{text}");
    assert!(text.contains("ollama") && text.contains("qwen3") && !text.contains("big"), "{text}");
    let output = sandbox
        .project("app")
        .reactor(&["llm", "use", "zai", "--account-default"])
        .env("CLAUDE_REACTOR_LLM_PROVIDER", "qwen");
    output
        .run()
        .assert_success()
        .assert_stderr_contains("qwen is used here nevertheless: CLAUDE_REACTOR_LLM_PROVIDER is set");
}

#[test]
fn what_claude_code_cannot_talk_to_is_not_chosen() {
    let sandbox = Sandbox::new();
    llm(&sandbox, &["use", "openai"], "").assert_code(USAGE).assert_stderr_contains("sessions cannot use");
    llm(&sandbox, &["use", "deepsek"], "")
        .assert_code(USAGE)
        .assert_stderr_contains("did you mean `deepseek`?");
    assert_eq!(choices(&sandbox), "");
}

#[test]
fn removing_asks_says_who_loses_it_and_takes_the_row_of_ones_own_along() {
    let (sandbox, fake, key) = acme();
    let add = [
        "add",
        "acme",
        "--base-url",
        &fake.base_url(),
        "--auth",
        "x-api-key",
        "--model",
        "m",
        "--key-stdin",
        "--use",
    ];
    llm(&sandbox, &add, key.key()).assert_success();
    let before = state(&sandbox);
    insta::assert_snapshot!(llm(&sandbox, &["remove", "acme"], "").snapshot(), @"
    exit code: 2
    --- stderr
    This goes, of account user:
      [HOME]/.claude-reactor/user/llms/acme (.env)
      the row `acme` of [HOME]/.claude-reactor/providers.yaml, which all accounts share
    These projects talk to it, and will ask for a key at their next session:
      [ROOT]/app
    error: there is no terminal to ask whether acme may go
      hint: say so with --yes
    ");
    let pty = on_terminal(&sandbox, &["remove", "acme"]);
    pty.wait_for("Remove it?", SOON);
    pty.write("n");
    pty.wait(SOON).assert_code(1);
    assert_eq!(state(&sandbox), before);

    llm(&sandbox, &["remove", "acme", "--yes"], "").assert_success();
    assert_eq!(sandbox.files_with(&key).len(), 0);
    assert!(!sandbox.reactor_home().join("user/llms/acme").exists());
    assert_eq!(rows(&sandbox).trim(), "");
    llm(&sandbox, &["remove", "acme", "--yes"], "").assert_code(USAGE).assert_stderr_contains("is not known");
}

#[test]
fn a_built_in_row_and_other_accounts_and_sessions_keep_what_is_theirs() {
    let sandbox = Sandbox::new();
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox.write_home(".claude-reactor/bob/llms/acme/.env", "ACME_API_KEY='none'\n");
    sandbox.write_home(".claude-reactor/user/llms/acme/.env", "ACME_API_KEY='none'\n");
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        "providers:\n  zai: {models: {main: glm-4.6}}\n  acme: {base_url: https://llm.acme.example}\n",
    );
    let hash = sandbox.project("app").hash();
    let kept =
        sandbox.write_home(&format!(".claude-reactor/user/app-{hash}/providers/zai/.claude.json"), "{}");
    let outside = sandbox.write_home("outside/file", "");
    std::os::unix::fs::symlink(outside.parent().unwrap(), sandbox.reactor_home().join("user/llms/zai/files"))
        .unwrap();

    llm(&sandbox, &["remove", "zai", "--yes"], "").assert_success();
    assert!(sandbox.files_with(&key).is_empty() && kept.exists() && outside.exists());
    llm(&sandbox, &["remove", "acme", "--yes"], "").assert_success();
    assert!(rows(&sandbox).contains("acme") && rows(&sandbox).contains("zai"), "{}", rows(&sandbox));

    llm(&sandbox, &["remove", "zai", "--yes"], "")
        .assert_code(USAGE)
        .assert_stderr_contains("--row removes its row");
    llm(&sandbox, &["remove", "zai", "--yes", "--row", "--state"], "").assert_success();
    assert!(!rows(&sandbox).contains("zai") && !kept.exists());
    llm(&sandbox, &["remove", "qwen", "--row", "--yes"], "")
        .assert_code(USAGE)
        .assert_stderr_contains("has no row `qwen`");
}

#[test]
fn what_is_reached_by_a_link_is_not_removed() {
    let sandbox = Sandbox::new();
    let kept = sandbox.write_home("dotfiles/zai/.env", "ZAI_API_KEY='none'\n");
    sandbox.write_home(".claude-reactor/user/config.yaml", "");
    let llms = sandbox.reactor_home().join("user/llms");
    std::os::unix::fs::symlink(sandbox.home().join("dotfiles"), llms).unwrap();
    let output = llm(&sandbox, &["remove", "zai", "--yes"], "");
    output.assert_code(1).assert_stderr_contains("it is reached by a link");
    assert!(kept.exists());
}

/// An editor that does one thing to the file.
fn edit(sandbox: &Sandbox, args: &[&str], editor: &str) -> Output {
    let call = sandbox.project("app").reactor(&[&["llm", "edit"], args].concat());
    call.env("EDITOR", editor).run()
}

#[test]
fn an_edited_env_is_checked_and_written_privately() {
    let sandbox = Sandbox::new();
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let file = sandbox.reactor_home().join("user/llms/zai/.env");
    edit(&sandbox, &["zai"], "sed -i '$aAPI_TIMEOUT_MS=1'")
        .assert_success()
        .assert_stderr_contains("is changed");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text == format!("ZAI_API_KEY='{}'\nAPI_TIMEOUT_MS=1\n", key.key()));
    let before = (listing(&sandbox), fs::read_to_string(&file).unwrap());
    edit(&sandbox, &["zai"], "true").assert_success().assert_stderr_contains("nothing is changed");
    for (editor, said) in [
        ("sed -i 's/=1/=$x/'", "a `$` outside single quotes"),
        ("sed -i '$aPATH=/x'", "may not set PATH"),
        ("sed -i '$aANTHROPIC_BASE_URL=ftp://x'", "ANTHROPIC_BASE_URL"),
    ] {
        edit(&sandbox, &["zai"], editor).assert_code(USAGE).assert_stderr_contains(said);
    }
    edit(&sandbox, &["zai"], "false").assert_code(1);
    assert!((listing(&sandbox), fs::read_to_string(&file).unwrap()) == before);
    assert_eq!(sandbox.files_with(&key).len(), 1, "no copy is left");
}

#[test]
fn what_is_wrong_with_an_edit_is_shown_and_it_goes_on() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let script = sandbox
        .project("app")
        .write("editor", "grep -q BAD $1 && sed -i /BAD/d $1 || echo 'BAD LINE' >>$1; echo X=1 >>$1\n");
    let call = sandbox.project("app").reactor(&["llm", "edit", "zai"]);
    let pty = call.env("EDITOR", format!("sh {}", script.display())).on_pty(WIDE);
    pty.wait_for("Edit it again?", SOON);
    pty.write("y");
    let exit = pty.wait(SOON);
    exit.assert_code(0).assert_terminal_restored();
    assert!(exit.transcript().contains("line 2: not of the form"), "{}", exit.transcript());
    let text = fs::read_to_string(sandbox.reactor_home().join("user/llms/zai/.env")).unwrap();
    assert!(text.ends_with("'\nX=1\nX=1\n"));
}

#[test]
fn leaving_an_editor_by_ctrl_c_leaves_no_copy() {
    let sandbox = Sandbox::new();
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let before = listing(&sandbox);
    let call = sandbox.project("app").reactor(&["llm", "edit", "zai"]);
    let pty = call.env("VISUAL", "sh -c 'echo waiting; exec tail -f \"$1\"' sh").shows_secrets().on_pty(WIDE);
    pty.wait_for("ZAI_API_KEY=", SOON);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130).assert_terminal_restored();
    assert_eq!(listing(&sandbox), before);
    assert_eq!(sandbox.files_with(&key).len(), 1);
}

#[test]
fn rows_are_edited_and_checked_as_a_whole() {
    let sandbox = Sandbox::new();
    edit(&sandbox, &["--row"], "sh -c 'echo \"providers: {acme: {}}\" >$1' sh")
        .assert_code(USAGE)
        .assert_stderr_contains("acme: it has no base_url");
    assert!(!sandbox.reactor_home().join("providers.yaml").exists());
    let text = "sh -c 'echo \"providers: {acme: {base_url: https://x.example}}\" >$1' sh";
    edit(&sandbox, &["--row"], text).assert_success();
    assert_eq!(rows(&sandbox), "providers: {acme: {base_url: https://x.example}}\n");
}
