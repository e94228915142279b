//! `doctor` without an engine: everything else is checked, and what is wrong has its command.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::common::{dead_end, state, store_key};
use crate::support::doctor_report::{assert_outcome, check};
use crate::support::fake_api::{FakeApi, Script};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn zai() -> (Sandbox, FakeApi) {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("zai", Script::new());
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    (sandbox, fake)
}

fn doctor(sandbox: &Sandbox, flags: &[&str]) -> Output {
    let args = [&["doctor", "--json", "--llm-provider", "zai"], flags].concat();
    sandbox.project("app").reactor(&args).run()
}

#[test]
fn without_an_engine_the_rest_is_checked_and_nothing_is_written() {
    let (sandbox, fake) = zai();
    sandbox.project("app");
    let before = state(&sandbox);
    let output = doctor(&sandbox, &[]);
    let report = output.assert_code(1).json();
    assert_eq!(state(&sandbox), before);
    for check in report["checks"].as_array().unwrap() {
        let expected = match check["id"].as_str().unwrap() {
            "engine" => "fail",
            id if id.starts_with("engine-") => "skipped",
            "podman" | "image" | "claude-code" | "disk-engine" | "endpoint-inside" | "clock-inside"
            | "terminal" | "ssh-agent" | "leftovers" => "skipped",
            "disk-home" => continue,
            _ => "pass",
        };
        assert_eq!(check["outcome"], expected, "{check:#}");
        assert_eq!(check["remedy"].is_null(), expected != "fail", "{check:#}");
    }
    assert!(check(&report, "engine")["remedy"].as_str().unwrap().contains("DOCKER_HOST"));
    assert_eq!(report["summary"]["fail"], 1);
    // The endpoint was asked, and no key came.
    let requests = fake.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    for header in ["authorization", "x-api-key"] {
        assert_eq!(requests[0].header(header), None);
    }
}

#[test]
fn offline_asks_nobody() {
    let (sandbox, fake) = zai();
    let report = doctor(&sandbox, &["--offline"]).json();
    assert_outcome(&report, "endpoint", "skipped");
    assert_outcome(&report, "endpoint-inside", "skipped");
    assert!(fake.requests().is_empty());
}

#[test]
fn an_endpoint_that_does_not_answer_and_a_missing_key() {
    let sandbox = Sandbox::new();
    let (_held, address) = dead_end();
    let rows = format!("providers:\n  zai:\n    base_url: http://{address}\n");
    sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let report = doctor(&sandbox, &[]).assert_code(1).json();
    assert_outcome(&report, "endpoint", "fail");
    assert_outcome(&report, "key", "warn");
    let remedy = check(&report, "key")["remedy"].as_str().unwrap();
    assert_eq!(remedy, "claude-reactor run --llm-provider zai");
}

#[test]
fn whatever_is_loosened_is_named_with_its_command_and_is_well_after_it() {
    let (sandbox, _fake) = zai();
    let home = sandbox.reactor_home();
    let chmod = |path: &str, mode| {
        fs::set_permissions(home.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("user", 0o755);
    chmod("user/llms/zai/.env", 0o644);
    chmod("providers.yaml", 0o666);
    let report = doctor(&sandbox, &[]).assert_code(1).json();
    assert_outcome(&report, "home-modes", "fail");
    let remedy = check(&report, "home-modes")["remedy"].as_str().unwrap().to_owned();
    assert_eq!(remedy.lines().count(), 3, "{remedy}");
    sandbox.project("app").command("sh", &["-ec", &remedy]).run().assert_success();
    let report = doctor(&sandbox, &[]).json();
    assert_outcome(&report, "home-modes", "pass");
    assert_outcome(&report, "key", "pass");
}

#[test]
fn every_broken_file_is_told_with_its_place() {
    let (sandbox, _fake) = zai();
    sandbox.write_home(".claude-reactor/config.yaml", "acount: alice\n");
    sandbox.write_home(".claude-reactor/user/config.yaml", "danger: [1]\n");
    sandbox.write_home(".claude-reactor/providers.yaml", "providers:\n  acme: {base_url: nowhere}\n");
    sandbox.project("app").write(".claude-reactor", "variant: base\nlmm: {}\n");
    let report = doctor(&sandbox, &["--offline"]).assert_code(1).json();
    let found = check(&report, "config")["found"].as_str().unwrap();
    for place in ["/config.yaml:1:1: ", "/user/config.yaml:1:", "/app/.claude-reactor:2:1: "] {
        assert!(found.contains(place), "{place} in {found}");
    }
    assert_outcome(&report, "config", "fail");
    assert_outcome(&report, "providers", "fail");
    assert_outcome(&report, "settings", "fail");
    assert_outcome(&report, "key", "skipped");
}

#[test]
fn people_see_a_line_a_check_and_colours_on_a_terminal_only() {
    let (sandbox, _fake) = zai();
    let call = || {
        let project = sandbox.project("app");
        project
            .reactor(&["doctor", "--offline", "--llm-provider", "zai"])
            .env("CLAUDE_REACTOR_LLM_MODLE", "x")
    };
    let output = call().run();
    output.assert_code(1).assert_stdout_contains("FAIL  container engine");
    output.assert_stdout_contains("did you mean CLAUDE_REACTOR_LLM_MODEL?");
    output.assert_stdout_contains("mend it: unset CLAUDE_REACTOR_LLM_MODLE");
    assert!(!output.stdout().contains('\u{1b}'), "a pipe shows no colours");
    let exit = call().on_pty(crate::common::WIDE).wait(crate::common::SOON);
    exit.assert_code(1);
    assert!(exit.transcript().contains("300 columns and 40 rows"), "{}", exit.transcript());
}

#[test]
fn an_agent_that_is_on_and_not_there() {
    let (sandbox, _fake) = zai();
    let call = sandbox.project("app").reactor(&["doctor", "--json", "--offline", "--llm-provider", "zai"]);
    let report = call.env("CLAUDE_REACTOR_SSH_AGENT", "true").run().assert_code(1).json();
    assert_outcome(&report, "ssh-agent", "fail");
}

#[test]
fn every_check_is_documented() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md");
    let page = fs::read_to_string(page).unwrap();
    let report = doctor(&Sandbox::new(), &["--offline"]).json();
    for check in report["checks"].as_array().unwrap() {
        let id = check["id"].as_str().unwrap();
        assert!(page.contains(&format!("`{id}`")), "docs/doctor.md does not say what {id} looks at");
    }
}

#[test]
fn certificates_are_not_judged_by_settings_that_cannot_be_read() {
    let (sandbox, _fake) = zai();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: maybe\n");
    let pem = sandbox.write_home("ca.pem", "-----BEGIN CERTIFICATE-----\n");
    let invocation = project.reactor(&["doctor", "--offline", "--json"]).env("SSL_CERT_FILE", pem);
    let report = invocation.run().assert_code(1).json();
    assert_outcome(&report, "settings", "fail");
    assert_outcome(&report, "certificates", "skipped");
}
