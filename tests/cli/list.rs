//! `list`, and what else looks after projects, without an engine: what the disk tells.

use crate::common::{NO_ENGINE, USAGE, state, store_key};
use crate::support::sandbox::Sandbox;

/// A session dir made by hand.
fn known(sandbox: &Sandbox, account: &str, folder: &str) {
    sandbox.write_home(&format!(".claude-reactor/{account}/{folder}/.claude-reactor"), "");
}

#[test]
fn projects_are_listed_with_what_they_use_now_and_marked_where_they_are_gone() {
    let sandbox = Sandbox::new();
    let (app, gone) = (sandbox.project("app"), sandbox.project("gone"));
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    app.reactor(&["run"]).run().assert_code(NO_ENGINE);
    gone.reactor(&["run", "--llm-provider", "zai"]).run().assert_code(NO_ENGINE);
    std::fs::remove_dir_all(gone.path()).unwrap();
    app.reactor(&["run", "--llm-provider", "zai"]).run().assert_code(NO_ENGINE);
    let before = state(&sandbox);
    insta::assert_snapshot!(app.reactor(&["list"]).run().snapshot());
    insta::assert_snapshot!(app.reactor(&["list", "--all"]).run().snapshot());
    insta::assert_snapshot!(app.reactor(&["list", &app.hash()[..5].to_uppercase()]).run().snapshot());

    let report = app.reactor(&["list", "-j"]).run().assert_success().json();
    let [first, second] = &report["projects"].as_array().unwrap()[..] else { panic!("{report:#}") };
    assert_eq!((&first["project_name"], &first["exists"]), (&"app".into(), &true.into()));
    assert_eq!((&second["project_name"], &second["exists"]), (&"gone".into(), &false.into()));
    assert_eq!(first["project_path"], app.path().to_str().unwrap());
    assert_eq!((&first["account"], &first["project_hash"]), (&"user".into(), &app.hash().into()));
    assert_eq!((&first["provider"], &first["containers"]), (&"zai".into(), &().into()));
    let names: Vec<_> = first["providers"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["zai", "claude"]);
    assert!(first["last_used"].as_str().unwrap().ends_with('Z'));
    let dir = sandbox.reactor_home().join(format!("user/app-{}", app.hash()));
    assert_eq!(first["session_dir"], dir.to_str().unwrap());
    let summary = serde_json::json!({"total_accounts": 1, "total_projects": 2, "total_containers": null});
    assert_eq!(report["summary"], summary);
    assert_eq!(state(&sandbox), before, "looking changes nothing");
}

#[test]
fn a_hash_that_is_unknown_or_not_enough_is_said() {
    let sandbox = Sandbox::new();
    for (account, folder) in [("user", "one-aaaa0000"), ("bob", "one-aaaa0000"), ("bob", "two-aaaa1111")] {
        known(&sandbox, account, folder);
    }
    let list = |args: &[&str]| sandbox.project("app").reactor(&[&["list"], args].concat()).run();
    insta::assert_snapshot!(list(&["aaaa"]).snapshot());
    list(&["beef"]).assert_code(USAGE).assert_stderr_contains("no project's hash begins with `beef`");
    list(&[""]).assert_code(USAGE);
    let count = |args: &[&str]| {
        list(&[args, &["--json"]].concat()).assert_success().json()["projects"].as_array().unwrap().len()
    };
    assert_eq!(count(&["aaaa0"]), 2, "one project of two accounts");
    assert_eq!(count(&["aaaa", "--account", "user"]), 1);
    assert_eq!(count(&["--account", "bob"]), 2);
    assert_eq!(count(&["--account", "nobody"]), 0);
    list(&["--account", "../x"]).assert_code(USAGE);
}

#[test]
fn what_cannot_be_read_hides_nothing_else_and_nothing_reaches_the_terminal_as_it_is() {
    let sandbox = Sandbox::new();
    known(&sandbox, "user", "fine-aaaa0000");
    known(&sandbox, "user", "bad\u{1b}[2J\nname-aaaa1111");
    sandbox.write_home(".claude-reactor/user/broken-aaaa2222/.claude-reactor", "llm: [\n");
    let project = sandbox.project("app");
    let output = project.reactor(&["list"]).run();
    output.assert_success().assert_stdout_contains("fine").assert_stdout_contains("broken");
    output.assert_stderr_contains("the provider of user's broken is not known");
    assert!(
        !output.stdout().contains('\u{1b}') && output.stdout().lines().count() == 4,
        "{:?}",
        output.stdout()
    );
    let report = project.reactor(&["list", "--json"]).run().assert_success().json();
    let broken = report["projects"].as_array().unwrap().iter().find(|row| row["project_name"] == "broken");
    assert!(broken.unwrap()["provider"].is_null());
}

#[test]
fn a_new_home_has_nothing_to_list() {
    let sandbox = Sandbox::new();
    let output = sandbox.project("app").reactor(&["list"]).run();
    output.assert_success().assert_stdout("").assert_stderr_contains("no project yet");
    let report = sandbox.project("app").reactor(&["list", "--json"]).run().assert_success().json();
    assert_eq!(report["projects"], serde_json::json!([]));
}

#[test]
fn what_is_only_in_the_engine_takes_one() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for args in [&["stop"][..], &["stop", "--all", "--force"], &["logs"], &["logs", "-f", "--tail", "3"]] {
        let output = project.reactor(args).run();
        output.assert_code(NO_ENGINE).assert_stdout("").assert_stderr_contains("no container engine answers");
    }
    for args in
        [&["logs", "--since", "yesterday"][..], &["stop", "--llm-provider", "../x"], &["logs", "--json"]]
    {
        project.reactor(args).run().assert_code(USAGE);
    }
}

#[test]
fn conversations_are_listed_with_their_files() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let list = |args: &[&str]| project.reactor(&[&["logs", "--sessions"], args].concat()).run();
    list(&[]).assert_success().assert_stdout("").assert_stderr_contains("no conversation yet");
    assert_eq!(list(&["--json"]).assert_success().json(), serde_json::json!([]));
    let folder = format!(".claude-reactor/user/app-{}/projects/-app", project.hash());
    let file = sandbox.write_home(&format!("{folder}/0b5e.jsonl"), "{}\n");
    sandbox.write_home(&format!("{folder}/notes.txt"), "no conversation");
    list(&[]).assert_success().assert_stdout_contains(file.to_str().unwrap());
    let listed = list(&["--json"]).assert_success().json();
    assert_eq!((&listed[0]["id"], &listed[0]["size"], &listed[1]), (&"0b5e".into(), &3.into(), &().into()));
}
