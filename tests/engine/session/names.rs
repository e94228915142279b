//! Whom a container belongs to is in its labels: a name that somebody else has is no obstacle.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Place;
use crate::support::engine::Engine;
use crate::support::fake_api::Script;

#[test]
fn a_name_that_a_foreign_container_has_is_left_to_it() {
    let Some(place) = Place::new() else { return };
    let report = place.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
    let usual = report["container"].as_str().unwrap().to_owned();
    place.exec(&["true"]).run().assert_success();
    let image = place.container()["Config"]["Image"].as_str().unwrap().to_owned();
    place.engine.docker(&["rm", "--force", &place.id()]);
    // With this one label it goes with the sandbox, and is still not ours.
    let label = format!("--label={}={}", Engine::PROJECT_LABEL, place.project().path().display());
    let foreign = place.engine.docker(&["create", "--name", &usual, &label, &image]);

    let mut foreign = vec![foreign.trim().to_owned()];
    for digits in [6, 16] {
        let mut name = String::new();
        for first in [true, false] {
            let output = place.exec(&["true"]).run();
            output.assert_success();
            let told = output.stderr().contains(&format!("another container has the name {usual}"));
            assert_eq!(told, first, "it is said when the container is made: {output:?}");
            let found = place.engine.containers(place.project().path());
            let is_ours = |one: &&Value| foreign.iter().all(|id| one["Id"] != id.as_str());
            let ours: Vec<_> = found.iter().filter(is_ours).collect();
            let [ours] = ours[..] else { panic!("one container is ours: {found:#?}") };
            name = ours["Name"].as_str().unwrap().trim_start_matches('/').to_owned();
            let suffix =
                name.strip_prefix(&format!("{usual}-")).expect("the usual name, and something after it");
            assert!(suffix.len() == digits && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        }
        // That name is somebody else's too from now on.
        place.engine.docker(&["rm", "--force", &name]);
        foreign.push(place.engine.docker(&["create", "--name", &name, &label, &image]).trim().to_owned());
    }
    let output = place.exec(&["true"]).run();
    output.assert_code(2).assert_stderr_contains("other containers have all of its names");
    for id in foreign {
        assert_eq!(place.engine.inspect(&id)["State"]["Status"], "created", "nobody touched it");
    }
}

#[test]
fn two_identities_with_one_name_have_a_container_each() {
    let Some(place) = Place::new() else { return };
    let claude = place.sandbox.fake("claude", Script::new());
    place.give_key("bob");
    place.sandbox.write_home(".claude-reactor/bob-zai/llms/claude/.env", "ANTHROPIC_API_KEY='sk-none'\n");
    for _ in 0..2 {
        for (account, provider) in [("bob", "zai"), ("bob-zai", "claude")] {
            let call = place.exec(&["sh", "-c", "echo $ANTHROPIC_BASE_URL"]);
            let call =
                call.env("CLAUDE_REACTOR_ACCOUNT", account).env("CLAUDE_REACTOR_LLM_PROVIDER", provider);
            let endpoint = if provider == "zai" { &place.fake } else { &claude }.base_url();
            call.run().assert_success().assert_stdout(&format!("{endpoint}\n"));
        }
    }
    let label = |one: &serde_json::Value, key: &str| {
        one["Config"]["Labels"][format!("dev.claude-reactor.{key}")].as_str().unwrap().to_owned()
    };
    let found = place.engine.containers(place.project().path());
    let owners: BTreeMap<_, _> =
        found.iter().map(|one| (label(one, "account"), label(one, "provider"))).collect();
    assert_eq!(found.len(), 2);
    let expected = [("bob", "zai"), ("bob-zai", "claude")];
    assert_eq!(owners, expected.map(|(account, provider)| (account.to_owned(), provider.to_owned())).into());
}
