//! `man` and `version`: what belongs to the program and needs nothing else.

use crate::common::USAGE;
use crate::support::sandbox::Sandbox;

#[test]
fn a_page_is_in_the_form_that_man_reads() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let output = project.reactor(&["man"]).run();
    output.assert_success().assert_stdout_contains(".TH claude-reactor 1");
    output.assert_stdout_contains("CLAUDE_REACTOR_LLM_PROVIDER");
    let output = project.reactor(&["man", "config", "trust"]).run();
    output.assert_success().assert_stdout_contains(".TH claude-reactor-config-trust 1");
}

#[test]
fn every_command_has_its_page() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.reactor(&["man", "--dir", "pages/man1"]).run().assert_success().assert_stdout("");
    let pages = project.path().join("pages/man1");
    for name in ["claude-reactor", "claude-reactor-run", "claude-reactor-config-trust"] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
    }
    for named in std::fs::read_to_string(pages.join("claude-reactor.1")).unwrap().lines() {
        // The page lists the others as `claude\-reactor\-run(1)`.
        if let Some(name) = named.strip_suffix("(1)").filter(|name| !name.contains(' ')) {
            assert!(pages.join(format!("{}.1", name.replace("\\-", "-"))).exists(), "{name}");
        }
    }
}

#[test]
fn what_has_no_page_is_said() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let output = project.reactor(&["man", "frobnicate"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no command `frobnicate`
      hint: `claude-reactor --help` lists the commands
    ");
    output.assert_code(USAGE);
    project.write("file", "");
    let output = project.reactor(&["man", "--dir", "file"]).run();
    output.assert_code(1).assert_stderr_contains("the manual cannot be written to file");
}

#[test]
fn version_says_what_belongs_together() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let version = project.reactor(&["version", "--json"]).env("CLAUDE_REACTOR_HOME", "relative").run().json();
    let keys: Vec<_> = version.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["version", "commit", "target", "claude_code", "images"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["images"][0]["variant"], "base");
    let text = project.reactor(&["version"]).run();
    text.assert_success().assert_stdout_contains(version["images"][0]["reference"].as_str().unwrap());
    text.assert_stdout_contains(version["claude_code"].as_str().unwrap());
}
