//! Built-in images that go to a registry and come from there. A small image stands for the real one: what is a built-in
//! image is decided by its name and labels, and here by a version of Claude Code that no other test has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::BUILD;
use crate::support::engine::Engine;
use crate::support::fake_registry::{FakeRegistry, Image};
use crate::support::invocation::Invocation;
use crate::support::sandbox::Sandbox;

struct Place {
    engine: Engine,
    sandbox: Sandbox,
    version: String,
}

impl Place {
    fn new() -> Option<Self> {
        let engine = crate::engine()?;
        if engine.is_podman() {
            println!("skipped: Podman does not talk to registries over plain HTTP");
            return None;
        }
        let sandbox = Sandbox::on(&engine);
        sandbox.write_home(".claude-reactor/user/llms/claude/.env", "ANTHROPIC_API_KEY='none'\n");
        let number = u32::from_str_radix(&sandbox.project("app").hash(), 16).expect("a hash");
        Some(Self { engine, sandbox, version: format!("0.1.{number}") })
    }

    fn reactor(&self, args: &[&str]) -> Invocation<'_> {
        let call = self.sandbox.project("app").reactor(args);
        call.env("CLAUDE_REACTOR_CLAUDE_VERSION", &self.version).timeout(BUILD)
    }

    /// The name that the image has on this engine.
    fn tag(&self) -> String {
        let report = self.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
        report["image"].as_str().expect("a reference").to_owned()
    }

    /// Makes a small image with the labels of a built-in one, under its name.
    fn make(&self, variant: &str) -> Made<'_> {
        let tag = self.tag();
        let container = self.engine.docker(&["create", "debian:trixie-slim"]);
        let label = |name: &str, value: &str| format!("LABEL dev.claude-reactor.{name}={value}");
        let (variant, version) = (label("variant", variant), label("claude-code-version", &self.version));
        let id = container.trim();
        self.engine.docker(&["commit", "--change", &variant, "--change", &version, id, &tag]);
        self.engine.docker(&["rm", id]);
        Made(self, tag)
    }

    fn has(&self, image: &str) -> bool {
        self.engine.docker_output(&["image", "inspect", image]).status.success()
    }
}

/// Takes the name away again.
struct Made<'a>(&'a Place, String);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        self.0.engine.remove_containers_below(self.0.sandbox.path());
        let _ = self.0.engine.docker_output(&["rmi", "--force", &self.1]);
    }
}

#[test]
fn what_one_pushes_another_pulls_instead_of_building() {
    let Some(place) = Place::new() else { return };
    let login = format!("alice:{}", place.sandbox.canary("registry").key());
    let registry = FakeRegistry::empty(Some(format!("Basic {}", STANDARD.encode(&login))));
    let prefix = format!("{}/acme", registry.name());
    let made = place.make("base");
    let denied = place.reactor(&["build", "base", "--push", &prefix]).run();
    denied.assert_code(125).assert_stderr_contains("cannot be pushed");

    let config = serde_json::json!({ "auths": { registry.name(): { "auth": STANDARD.encode(&login) } } });
    place.sandbox.write_home(".docker/config.json", config.to_string());
    let pushed = place.reactor(&["build", "base", "--push", &prefix]).run();
    pushed.assert_success().assert_stderr_contains("pushed the image in ");
    let digits = made.1.split_once(':').unwrap().1;
    let names = registry.pushed();
    let name = format!("acme/claude-reactor-base:{digits}-");
    assert!(names.len() == 1 && names[0].starts_with(&name), "{names:?}");
    assert!(!place.has(&format!("{}/{}", registry.name(), names[0])), "the name for the push is gone");

    place.engine.docker(&["rmi", &made.1]);
    // The stand-in has no certificates to add to.
    let session = place.reactor(&["exec", "--", "true"]).env_remove("SSL_CERT_FILE");
    let pulled = session.env("CLAUDE_REACTOR_REGISTRY", &prefix).run();
    pulled
        .assert_success()
        .assert_stderr_contains(&format!("pulling the image {prefix}/claude-reactor-base:{digits}-"))
        .assert_stderr_lacks("building");
    assert!(place.has(&made.1));
    assert!(!place.has(&format!("{}/{}", registry.name(), names[0])), "one name is enough");

    let asked = registry.asked().len();
    let there = place.reactor(&["build", "base"]).env("CLAUDE_REACTOR_REGISTRY", &prefix).run();
    there.assert_success().assert_stderr_contains("is there already");
    assert_eq!(registry.asked().len(), asked);
    let again =
        place.reactor(&["build", "base", "--pull-latest"]).env("CLAUDE_REACTOR_REGISTRY", &prefix).run();
    again.assert_success().assert_stderr_contains("pulled the image in ");
    assert!(registry.asked().len() > asked);

    let exact = format!("{}/tools:1.2", registry.name());
    place.reactor(&["build", "base", "--push", &exact]).run().assert_success();
    assert!(registry.pushed().contains(&"tools:1.2".to_owned()), "{:?}", registry.pushed());
}

/// Where it is built after all, this version ends that: npm does not have it.
const BUILT: &str = "npm has no Claude Code of that version";

#[test]
fn what_a_registry_does_not_have_is_built() {
    let Some(place) = Place::new() else { return };
    let gone = place.reactor(&["build", "base"]).env("CLAUDE_REACTOR_REGISTRY", "127.0.0.1:1/acme").run();
    gone.assert_code(125)
        .assert_stderr_contains("cannot be pulled: the engine cannot reach 127.0.0.1:1")
        .assert_stderr_contains("so the image is built here instead")
        .assert_stderr_contains(BUILT);

    let registry = FakeRegistry::empty(None);
    for (args, variable) in
        [(&["build", "base", "--registry-off"][..], "true"), (&["build", "base"], "false")]
    {
        let call = place.reactor(args).env("CLAUDE_REACTOR_REGISTRY", format!("{}/acme", registry.name()));
        let off = call.env("CLAUDE_REACTOR_USE_REGISTRY", variable).run();
        off.assert_code(125).assert_stderr_lacks("pull").assert_stderr_contains(BUILT);
    }
    assert!(registry.asked().is_empty(), "{:?}", registry.asked());
}

#[test]
fn an_image_that_is_not_what_its_name_says_is_not_used() {
    let Some(place) = Place::new() else { return };
    let image = Image::from_engine(&place.engine, "debian:trixie-slim", &[]);
    let registry = FakeRegistry::start(image, None);
    let call = place.reactor(&["build", "base"]);
    let output = call.env("CLAUDE_REACTOR_REGISTRY", format!("{}/acme", registry.name())).run();
    output
        .assert_code(125)
        .assert_stderr_contains(
            "is not what it should be: it has no label dev.claude-reactor.claude-code-version",
        )
        .assert_stderr_contains("so the image is built here instead")
        .assert_stderr_contains(BUILT);
    assert!(!place.has(&place.tag()));
    let left = place.engine.docker(&["images", "--format", "{{.Repository}}"]);
    assert!(!left.contains(&registry.name()), "{left}");
}
