//! `--dry-run` tells what would be done, and does nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Place;

/// Every path below a folder with what would tell of a change: the time, and the content of a file.
fn tree(path: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let meta = path.symlink_metadata().expect("it exists");
    let content = if meta.is_file() { fs::read(path).expect("it is ours") } else { Vec::new() };
    let mut all = BTreeMap::from([(path.to_owned(), (meta.modified().unwrap(), content))]);
    if meta.is_dir() {
        for entry in path.read_dir().unwrap() {
            all.extend(tree(&entry.unwrap().path()));
        }
    }
    all
}

/// Both forms of the plan; they must leave everything as it is.
#[track_caller]
fn plan(place: &Place, flags: &[&str]) -> (String, serde_json::Value) {
    let app = place.project();
    let containers = || -> Vec<_> {
        let found = place.engine.containers(app.path()).into_iter();
        found.map(|one| (one["Id"].clone(), one["State"].clone())).collect()
    };
    let look = || (tree(place.sandbox.path()), containers());
    let (files, running) = look();
    let text = place.reactor(&[&["run", "--dry-run"], flags].concat()).run();
    let json = place.reactor(&[&["run", "--dry-run", "--json"], flags].concat()).run();
    let (files_after, running_after) = look();
    let changed: Vec<_> = files_after.iter().filter(|(path, what)| files.get(*path) != Some(what)).collect();
    assert!(files_after == files, "{changed:?}");
    assert_eq!(running_after, running);
    assert!(place.fake.requests().is_empty(), "{:?}", place.fake.requests());
    (text.assert_success().stdout().to_owned(), json.assert_success().json())
}

fn names(report: &serde_json::Value) -> Vec<&str> {
    report["variables"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn before_the_first_session() {
    let Some(place) = Place::new() else { return };
    let (text, report) = plan(&place, &[]);
    assert!(text.contains("create: there is none yet"), "{text}");
    assert!(text.contains("ANTHROPIC_AUTH_TOKEN") && text.contains("ZAI_API_KEY"), "{text}");
    assert_eq!((&report["action"], &report["provider"]), (&"create".into(), &"zai".into()));
    assert_eq!(report["endpoint"], place.fake.base_url());
    assert_eq!(report["project_hash"], place.project().hash());
    for name in ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "HOME"] {
        assert!(names(&report).contains(&name), "{name} in {report}");
    }
    assert!(!names(&report).contains(&"ZAI_API_KEY"), "Claude Code gets the key under its own variable only");
    let mounted: Vec<_> = report["mounts"].as_array().unwrap().iter().map(|mount| &mount["target"]).collect();
    assert!(mounted.contains(&&"/app".into()), "{report}");
}

#[test]
fn before_the_key_is_there() {
    let Some(place) = Place::new() else { return };
    let (text, report) = plan(&place, &["--account", "newcomer"]);
    assert!(text.contains("none yet"), "{text}");
    assert_eq!((&report["credential"], &report["account"]), (&serde_json::Value::Null, &"newcomer".into()));
    let (text, report) = plan(&place, &["--llm-provider", "nowhere-known"]);
    assert!(text.contains("not set up yet"), "{text}");
    assert_eq!((&report["endpoint"], &report["action"]), (&serde_json::Value::Null, &"create".into()));
}

#[test]
fn beside_a_container() {
    let Some(place) = Place::new() else { return };
    place.exec(&["true"]).run().assert_success();
    let container = place.container();
    let (text, report) = plan(&place, &[]);
    assert!(text.contains("reuse: it runs, and nothing changed"), "{text}");
    assert_eq!((&report["action"], &report["image_present"]), (&"reuse".into(), &true.into()));
    // Podman tells names in full.
    let made_from = container["Config"]["Image"].as_str().unwrap().trim_start_matches("docker.io/");
    assert_eq!(report["image"], made_from, "the image's name is stable");
    assert_eq!(format!("/{}", report["container"].as_str().unwrap()), container["Name"].as_str().unwrap());

    let (text, report) = plan(&place, &["--mount", place.sandbox.path().join("app").to_str().unwrap()]);
    assert!(text.contains("recreate: the mount /mnt/app is new"), "{text}");
    assert_eq!(
        (&report["action"], &report["reason"]),
        (&"recreate".into(), &"the mount /mnt/app is new".into())
    );
}

#[test]
fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is_one() {
    let Some(place) = Place::new() else { return };
    let into = |redirection: &str| {
        let script = format!(r#"exec 3> >(:); wait $!; "$0" run --dry-run {redirection}"#);
        place
            .project()
            .command("bash", &["-c", &script, env!("CARGO_BIN_EXE_claude-reactor")])
            .env("CLAUDE_REACTOR_LLM_PROVIDER", "zai")
            .run()
    };
    assert_eq!(into(">&3").assert_success().stderr(), "");
    into(">/dev/full").assert_code(1).assert_stderr_contains("cannot write to standard output");
}
