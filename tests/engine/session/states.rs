//! Every state that an engine can hold a container in, and every way in which one can be ours and not ours.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::{Place, SOON};
use crate::support::engine::Engine;

impl Place {
    /// Everything that makes the container ours, as flags of `docker create`; labels that `keep` refuses are left out.
    fn likeness(made: &Value, keep: impl Fn(&str) -> bool) -> Vec<String> {
        let labels = made["Config"]["Labels"].as_object().unwrap().iter();
        let labels = labels.filter(|(key, _)| keep(key));
        let labels = labels.map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap()));
        let mounts = made["Mounts"].as_array().unwrap().iter().map(|mount| {
            let (source, target) =
                (mount["Source"].as_str().unwrap(), mount["Destination"].as_str().unwrap());
            format!("--mount=type=bind,source={source},target={target}")
        });
        labels.chain(mounts).collect()
    }

    /// Makes a container by hand, and gives its id.
    fn by_hand(&self, command: &[&str], likeness: &[String], image: &str) -> String {
        let likeness = likeness.iter().map(String::as_str);
        let args: Vec<&str> = command.iter().copied().chain(likeness).chain([image]).collect();
        self.engine.docker(&args).trim().to_owned()
    }

    fn image(&self) -> String {
        self.container()["Config"]["Image"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_launch_that_is_killed_between_two_steps_is_mended_by_the_next() {
    let Some(place) = Place::new() else { return };
    let gate = place.gate("gate");
    // Before its start; and, for a user whom the image does not know, before that user is made known.
    for (uid, step) in [(None, ("POST", "/start")), (Some(12345), ("PUT", "/archive"))] {
        if uid.is_some() && !rustix::process::getuid().is_root() {
            println!("skipped: only root can run a command as somebody else");
            return;
        }
        let exec = |command: &[&str]| match uid {
            Some(uid) => place.exec(command).user(uid, uid),
            None => place.exec(command),
        };
        gate.hold(step.0, step.1);
        let call = exec(&["true"]).env("DOCKER_HOST", gate.host()).spawn();
        gate.wait_for_held(SOON);
        call.signal(Signal::KILL);
        assert_eq!(call.wait(SOON).signal(), Some(9));
        gate.cut();
        assert_eq!(place.container()["State"]["Status"], "created");

        let output = exec(&["sh", "-c", "whoami; sudo -n whoami"]).run();
        let whoami = if uid.is_some() { "claude\nroot\n" } else { output.stdout() };
        output.assert_success().assert_stdout(whoami);
        output.assert_stderr_contains("making the container anew: it was left half-made");
        assert_eq!(place.container()["State"]["Running"], true);
        place.engine.docker(&["rm", "--force", &place.id()]);
    }
}

#[test]
fn a_container_that_the_engine_cannot_start_is_made_anew() {
    let Some(place) = Place::new() else { return };
    let data = place.folder("data");
    place.visit(&["--mount", &data]);
    let made = place.id();
    place.engine.docker(&["kill", &made]);
    fs::remove_dir(&data).unwrap();
    fs::write(&data, "a file now\n").unwrap();
    let output = place.shell(&["--mount", &data], "cat /mnt/data").run();
    output.assert_success().assert_stdout("a file now\n");
    output.assert_stderr_contains("making the container anew: it cannot be started: ");
    assert_ne!(place.id(), made);
}

#[test]
fn a_container_that_ends_whenever_it_is_started_is_made_anew() {
    let Some(place) = Place::new() else { return };
    if place.engine.is_podman() {
        println!("skipped: Podman 4.3 has no `docker update`");
        return;
    }
    place.visit(&[]);
    let made = place.id();
    place.engine.docker(&["update", "--restart=always", &made]);
    let script = "rm /usr/bin/sleep; ln -s /bin/false /usr/bin/sleep";
    place.engine.docker(&["exec", "--user=0", &made, "sh", "-c", script]);
    // It may be killed together with the container before it has ended.
    place.engine.docker_output(&["exec", "--user=0", &made, "sh", "-c", "kill 1"]);
    // The engine waits ever longer between two starts, far longer than a look takes by the fifth.
    let deadline = Instant::now() + SOON;
    loop {
        let state = place.engine.inspect(&made);
        if state["RestartCount"].as_i64() >= Some(5) && state["State"]["Restarting"] == true {
            break;
        }
        assert!(Instant::now() < deadline, "{}", state["State"]);
    }
    assert_eq!(place.visit(&[]).as_deref(), Some("it ends whenever it is started"));
    assert_ne!(place.id(), made);
}

#[test]
fn a_container_that_is_being_removed_is_waited_for() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let made = place.id();
    // So many files that their removal takes a while.
    let script = "mkdir /tmp/many; cd /tmp/many; seq 60000 | xargs touch";
    place.engine.docker(&["exec", &made, "sh", "-c", script]);
    let events = place.engine.record_events();
    let mut removal = place.engine.command(&["rm", "--force", &made]).spawn().unwrap();
    events.wait_for("the container's end", SOON, |event| {
        event["Action"] == "die" && event["Actor"]["ID"] == made.as_str()
    });
    place.visit(&[]);
    assert!(removal.wait().unwrap().success());
    assert_ne!(place.id(), made);
    assert_eq!(place.container()["State"]["Running"], true);
}

#[test]
fn a_container_that_was_renamed_stays_the_projects() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let made = place.id();
    let name = format!("renamed-{}", place.project().hash());
    place.engine.docker(&["rename", &made, &name]);
    for change in [None, Some("kill")] {
        change.map(|command| place.engine.docker(&[command, &made]));
        assert_eq!(place.visit(&[]), None);
        assert_eq!(place.id(), made);
    }
    assert_eq!(place.container()["Name"], format!("/{name}"));
}

#[test]
fn a_container_from_a_picture_of_ours_is_not_ours_although_it_has_our_labels() {
    let Some(place) = Place::new() else { return };
    if place.engine.is_podman() {
        println!("skipped: Podman 4.3 answers nothing to `docker commit`");
        return;
    }
    place.visit(&[]);
    let made = place.id();
    let picture = format!("reactor-test-picture-{}", place.project().hash());
    place.engine.docker(&["commit", &made, &picture]);
    let copy = place.engine.docker(&["run", "--detach", &picture]);
    let copy = copy.trim();
    let label =
        |id: &str| place.engine.inspect(id)["Config"]["Labels"]["dev.claude-reactor.spec-digest"].clone();
    assert_eq!(label(copy), label(&made), "the labels came along");

    place.engine.docker(&["kill", &made]);
    assert_eq!(place.visit(&[]), None);
    let running = |id: &str| place.engine.inspect(id)["State"]["Running"] == true;
    assert!(running(&made) && running(copy));

    place.engine.docker(&["rm", "--force", &made]);
    assert_eq!(place.plan(), "create", "the copy alone is nobody's");
    place.engine.docker(&["rm", "--force", copy]);
    place.engine.docker(&["rmi", "--force", &picture]);
}

#[test]
fn of_two_that_are_ours_the_one_as_wanted_is_used_and_the_other_left_alone() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let made = place.container();
    let id = made["Id"].as_str().unwrap();
    let other = place.by_hand(
        &["run", "--detach", "--entrypoint=cat", "--interactive"],
        &Place::likeness(&made, |key| key != "dev.claude-reactor.spec-digest"),
        &place.image(),
    );
    place.engine.docker(&["kill", id]);
    place.shell(&[], "true").run().assert_success().assert_stderr_lacks("anew");
    let running = |id: &str| place.engine.inspect(id)["State"]["Running"] == true;
    assert!(running(id) && running(&other));
}

#[test]
fn a_container_of_a_version_that_did_not_label_homes_is_replaced_where_it_is_this_homes() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let made = place.container();
    let (image, name) = (place.image(), made["Name"].as_str().unwrap().trim_start_matches('/').to_owned());
    place.engine.docker(&["rm", "--force", &name]);
    let likeness = Place::likeness(&made, |key| key != "dev.claude-reactor.home");
    let old = place.by_hand(
        &["run", "--detach", "--name", &name, "--entrypoint=cat", "--interactive"],
        &likeness,
        &image,
    );

    // Of another home, it is somebody else's, whose name is taken.
    let elsewhere = place.sandbox.home().join("elsewhere");
    let key = fs::read_to_string(place.sandbox.reactor_home().join("user/llms/zai/.env")).unwrap();
    place.sandbox.write_home("elsewhere/user/llms/zai/.env", key);
    let rows = fs::read_to_string(place.sandbox.reactor_home().join("providers.yaml")).unwrap();
    place.sandbox.write_home("elsewhere/providers.yaml", rows);
    let output = place.exec(&["true"]).env("CLAUDE_REACTOR_HOME", &elsewhere).run();
    output.assert_success().assert_stderr_contains(&format!("another container has the name {name}"));
    assert_eq!(place.engine.inspect(&old)["State"]["Running"], true);

    let output = place.exec(&["true"]).env("CLAUDE_REACTOR_HOME", &elsewhere).run();
    output.assert_success().assert_stderr_lacks("another container");
    let why = place.visit(&[]);
    assert_eq!(why.as_deref(), Some("an older version of claude-reactor made it"));
    assert_eq!(place.visit(&[]), None);
    let found = place.engine.containers(place.project().path());
    assert_eq!(found.len(), 2, "one a home: {found:#?}");
    assert!(found.iter().all(|one| one["Id"] != old.as_str()));
    let label = format!("{}home", Engine::PROJECT_LABEL.trim_end_matches("project"));
    assert_ne!(found[0]["Config"]["Labels"][&label], found[1]["Config"]["Labels"][&label]);
}

#[test]
fn what_is_written_into_a_folder_that_was_made_again_is_not_lost() {
    let Some(place) = Place::new() else { return };
    place.exec(&["true"]).run().assert_success();
    let before = place.id();
    let history = place.session_dir().join("projects");
    let Ok(made) = history.metadata().unwrap().created() else { return };
    // An engine tells only the second in which it made a container.
    let deadline = Instant::now() + SOON;
    while history.metadata().unwrap().created().unwrap() < made + Duration::from_secs(2) {
        assert!(Instant::now() < deadline, "time stands still");
        fs::remove_dir_all(&history).unwrap();
        fs::DirBuilder::new().mode(0o700).create(&history).unwrap();
    }
    let plan = place.reactor(&["run", "--dry-run"]).run();
    plan.assert_success().assert_stdout_contains("was replaced on this machine");
    place.exec(&["true"]).run().assert_success().assert_stderr_contains("is joined as it is, although");
    assert_eq!(place.id(), before);

    let script = "echo kept >/home/claude/.claude/projects/note";
    place.shell(&[], script).run().assert_success().assert_stderr_contains("making the container anew");
    assert_eq!(fs::read_to_string(history.join("note")).unwrap(), "kept\n");
    let after = place.id();
    assert_ne!(after, before);
    place.shell(&[], "true").run().assert_success();
    assert_eq!(place.id(), after);
}
