//! The recipes of docs/multi-llm-support.md, run as they are written: every command, in order, with the real CLI in a real
//! container, against fakes of the backends. What the page shows as a command's output has to be in its output.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::engine;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;
use crate::support::tls_proxy::TlsProxy;

const PAGE: &str = include_str!("../../docs/multi-llm-support.md");

/// A command of the page, and the lines that are shown below it.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// The commands of the section under a heading.
fn steps(heading: &str) -> Vec<Step> {
    let section = PAGE.split_once(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in section.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
                None => steps.last_mut().expect("a block begins with a command").shown.push(line.to_owned()),
            }
        }
    }
    assert!(steps.len() > 2, "{heading} has {} commands", steps.len());
    steps
}

/// Whether a line is shown by the page, where `…` stands for anything and blanks for any number of them.
fn is_shown(shown: &str, line: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = squeezed(line);
    let mut rest = line.as_str();
    shown.split('…').all(|part| match rest.split_once(squeezed(part).as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// A world for one recipe: `alice`, in her shop's folder, with a key in her password store.
struct Kitchen {
    sandbox: Sandbox,
    key: Canary,
    /// What the page says, and what is meant here.
    instead: Vec<(String, String)>,
    vars: Vec<(&'static str, String)>,
}

impl Kitchen {
    fn new(engine: &Engine, key: impl FnOnce(&Sandbox) -> Canary) -> Self {
        let sandbox = Sandbox::on(engine);
        let key = key(&sandbox);
        let instead = ["ZAI_API_KEY", "ACME_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"]
            .map(|name| (format!("{name}=…"), format!("{name}={}", key.key())));
        Self { sandbox, key, instead: instead.to_vec(), vars: Vec::new() }
    }

    /// A fake of a known provider, at another address than the page says.
    fn fake(
        &mut self,
        provider: &str,
        address: &str,
        credential: Option<fn(Canary) -> Credential>,
    ) -> FakeApi {
        let script = Script::new().replies("hello");
        let script = match credential {
            Some(credential) => script.requires(credential(self.key.clone())),
            None => script,
        };
        let fake = self.sandbox.fake(provider, script);
        self.instead.push((address.to_owned(), fake.base_url()));
        fake
    }

    /// A folder of programs that the page takes for granted.
    fn programs(&self) -> PathBuf {
        let folder = self.sandbox.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        let pass = format!("#!/bin/sh\necho '{}'\n", self.key.key());
        std::fs::write(folder.join("pass"), pass).unwrap();
        std::fs::set_permissions(folder.join("pass"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let ours = folder.join("claude-reactor");
        if !ours.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_claude-reactor"), ours).unwrap();
        }
        folder
    }

    /// Runs every command of a recipe.
    #[track_caller]
    fn cook(&self, heading: &str) {
        let path = format!("{}:{}", self.programs().display(), std::env::var("PATH").unwrap());
        let project = self.sandbox.project("shop");
        let meant = |text: &str| {
            self.instead.iter().fold(text.to_owned(), |text, (said, meant)| text.replace(said, meant))
        };
        for Step { command, shown } in steps(heading) {
            let call = project.command("bash", &["-euo", "pipefail", "-c", &meant(&command)]);
            let call = call.env("PATH", &path).env("USER", "alice");
            let call = self.vars.iter().fold(call, |call, (name, value)| call.env(name, value));
            let output = call.run();
            output.assert_success();
            let said = format!("{}\n{}", output.stdout(), output.stderr());
            for line in shown.iter().filter(|line| !line.trim().is_empty()) {
                let line = meant(line);
                let is_there = said.lines().any(|said| is_shown(&line, said));
                assert!(
                    is_there,
                    "`{command}` does not say\n  {line}\nbut\n{}",
                    self.sandbox.redactions().apply(&said)
                );
            }
        }
    }
}

#[test]
fn claude_by_an_api_key() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.canary("claude"));
    let fake = kitchen.fake("claude", "https://api.anthropic.com", Some(Credential::ApiKey));
    kitchen.cook("Recipe: Claude by API key");
    assert!(!fake.messages().is_empty());
}

#[test]
fn claude_by_subscription() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.token("claude"));
    let script = Script::new().replies("hello").requires(Credential::Bearer(kitchen.key.clone()));
    let fake = FakeApi::start_on(engine.gateway(), "anthropic", script);
    let authority = kitchen.sandbox.path().join("company.pem");
    let proxy = TlsProxy::start(engine.gateway(), fake.address(), &authority);
    let line = format!("HTTPS_PROXY='{}'\n", proxy.url());
    kitchen.sandbox.write_home(".claude-reactor/alice/llms/claude/.env", line);
    kitchen.vars.push(("HTTPS_PROXY", proxy.url()));
    kitchen.vars.push(("CLAUDE_REACTOR_CA_FILE", authority.display().to_string()));
    kitchen.cook("Recipe: Claude by subscription");
    assert!(!fake.messages().is_empty() && proxy.strangers().is_empty());
}

#[test]
fn zai() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.canary("zai"));
    let fake = kitchen.fake("zai", "https://api.z.ai/api/anthropic", Some(Credential::Bearer));
    kitchen.cook("Recipe: Z.AI");
    assert!(fake.messages().iter().any(|request| request.model() == Some("glm-4.6")));
}

#[test]
fn a_provider_of_ones_own() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.canary("acme"));
    let script = Script::new().replies("hello").requires(Credential::ApiKey(kitchen.key.clone()));
    let fake = FakeApi::start_on(engine.gateway(), "acme", script);
    kitchen.instead.push(("https://llm.acme.example/anthropic".to_owned(), fake.base_url()));
    kitchen.cook("Recipe: a provider of your own");
    assert!(fake.messages().iter().any(|request| request.model() == Some("acme-large")));
}

#[test]
fn a_local_ollama() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.canary("ollama"));
    let fake = kitchen.fake("ollama", "http://host.docker.internal:11434", None);
    kitchen.cook("Recipe: a local Ollama");
    assert!(fake.messages().iter().all(|request| request.model() == Some("qwen3-coder")));
}

#[test]
fn amazon_bedrock() {
    let Some(engine) = engine() else { return };
    let mut kitchen = Kitchen::new(&engine, |sandbox| sandbox.canary("bedrock"));
    let address = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    let fake = kitchen.fake("bedrock", address, Some(Credential::Bearer));
    kitchen.cook("Recipe: Claude on Amazon Bedrock");
    assert!(!fake.messages().is_empty());
}

#[test]
fn the_page_is_compared_line_by_line() {
    assert!(is_shown("host  yes  good  found  … ms", "host   yes   good   found   12 ms"));
    assert!(!is_shown("host  yes  good  found  … ms", "host   yes   refused   -   12 ms"));
}
