//! `clean` on a real engine: containers, and images on an engine of the test's own, since the shared one's images are other
//! tests' too.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::{Place, SOON};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

/// Labels as a build of ours gives them.
const LABEL: &str = "dev.claude-reactor.variant=base";

#[test]
fn containers_go_and_everything_else_stays() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let elsewhere = place.neighbours();
    assert_eq!(place.running(), 3);
    let dry = place.reactor(&["clean", "--dry-run", "--json"]).run().assert_success().json();
    assert_eq!(dry["containers"].as_array().unwrap().len(), 1, "{dry:#}");
    assert!(dry["containers"][0]["size"].is_u64(), "{dry:#}");
    assert_eq!((&dry["paths"], &dry["images"]), (&serde_json::json!([]), &serde_json::json!([])));

    let output = place.reactor(&["clean", "--force"]).run();
    output.assert_success().assert_stderr_contains("removed: 1 container");
    output.assert_stderr_contains("what account bob has in this project stays");
    assert!(place.session_dir().join("providers/zai").exists());
    assert_eq!(place.running(), 2);
    let nothing = place.reactor(&["clean", "--force"]).run();
    nothing.assert_success().assert_stderr_contains("nothing to remove");

    let all = place.sandbox.project("another").reactor(&["clean", "--global", "--force"]).run();
    all.assert_success().assert_stderr_contains("removed: 1 container");
    assert_eq!(place.running(), 1, "another home's stays");
    let its = place.reactor(&["clean", "-f"]).env("CLAUDE_REACTOR_HOME", &elsewhere).run();
    its.assert_success().assert_stderr_contains("removed: 1 container");
    assert_eq!(place.running(), 0);
}

#[test]
fn a_session_is_said_and_ends_only_when_that_is_wanted() {
    let Some(place) = Place::new() else { return };
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    let refused = place.reactor(&["clean", "-s"]).run();
    refused
        .assert_code(2)
        .assert_stderr_contains("1 session is in it: cat")
        .assert_stderr_contains("a session ended");
    live.write(b"still in\n");
    live.wait_for_stdout("still in", SOON);
    let output = place.reactor(&["clean", "-s", "--force"]).run();
    output.assert_success().assert_stderr_contains("removed: 1 container, 1 folder");
    live.wait(SOON);
    assert!(place.engine.containers(place.project().path()).is_empty() && !place.session_dir().exists());
    place.visit(&[]);
}

#[test]
fn what_a_container_that_stays_needs_stays_too() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let gate = place.gate("gate");
    // A session comes after the look, and before the container is held fast for its removal.
    gate.hold("POST", "/pause");
    let clean = place.reactor(&["clean", "--auth", "--force"]).env("DOCKER_HOST", gate.host()).spawn();
    gate.wait_for_held(SOON);
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    gate.open();
    let output = clean.wait(SOON);
    output.assert_code(1).assert_stderr_contains("a session has come into it");
    output.assert_stderr_contains("a container that stays needs it");
    assert!(place.session_dir().join("projects").exists());
    live.write(b"still in\n");
    live.wait_for_stdout("still in", SOON);
    live.close_stdin();
    live.wait(SOON).assert_success();
}

#[test]
fn what_is_left_of_containers_that_are_gone_is_cache_and_what_others_need_is_not() {
    let Some(place) = Place::new() else { return };
    place.give_key("bob");
    let forwarding = |account: &str| {
        let call = place.reactor(&["exec", "--host-docker", "--", "true"]);
        call.env("CLAUDE_REACTOR_ACCOUNT", account).run().assert_success();
    };
    forwarding("user");
    forwarding("bob");
    let run = place.sandbox.reactor_home().join(".run");
    let folders = || {
        let entries = run.read_dir().into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().is_dir()).count()
    };
    assert_eq!(folders(), 2);
    place.reactor(&["clean", "--cache", "--force"]).run().assert_success();
    assert_eq!(folders(), 1, "bob's container has its folder inside");
    let bob = place.reactor(&["exec", "--", "true"]).env("CLAUDE_REACTOR_ACCOUNT", "bob").run();
    bob.assert_success().assert_stderr_lacks("anew");
}

/// A Docker of one test, with images of its own and no network. Dropping it ends it.
struct PrivateDocker {
    daemon: Child,
    folder: PathBuf,
    engine: Engine,
}

impl PrivateDocker {
    /// Where it cannot be, the test has said so.
    fn start(sandbox: &Sandbox) -> Option<Self> {
        if Engine::find()?.is_podman() {
            println!("skipped: these images are tried on a Docker of the test's own");
            return None;
        }
        if !rustix::process::getuid().is_root() {
            println!("skipped: only root can start a Docker");
            return None;
        }
        if !Command::new("dockerd").arg("--version").output().is_ok_and(|output| output.status.success()) {
            Engine::skip("dockerd is not installed");
            return None;
        }
        let folder = sandbox.path().join("docker");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("daemon.json"), "{}").unwrap();
        let at = |flag: &str, name: &str| format!("--{flag}={}", folder.join(name).display());
        let host = format!("unix://{}", folder.join("socket").display());
        let log = fs::File::create(folder.join("log")).unwrap();
        // A network of its own: a Docker without a bridge removes the one that this machine's Docker has.
        let daemon = Command::new("unshare")
            .args(["--net", "dockerd"])
            .args([at("config-file", "daemon.json"), at("data-root", "data"), at("exec-root", "exec")])
            .args([at("pidfile", "pid"), format!("--host={host}")])
            .args(["--bridge=none", "--iptables=false", "--ip-masq=false", "--ip-forward=false"])
            .args([
                "--storage-driver=vfs",
                "--containerd-namespace=test",
                "--containerd-plugins-namespace=test-plugins",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("util-linux is installed");
        let mut docker = Self { daemon, folder, engine: Engine::at(&host) };
        let deadline = Instant::now() + SOON;
        while !docker.engine.docker_output(&["version"]).status.success() {
            let ended = docker.daemon.try_wait().expect("its state can be asked");
            let log = || fs::read_to_string(docker.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < deadline, "dockerd does not answer: {}", log());
        }
        Some(docker)
    }

    /// Builds an image on another one.
    fn build(&self, name: &str, from: &str, label: &str) {
        let folder = self.folder.join("context");
        fs::create_dir_all(&folder).unwrap();
        // Another one each, so that no two are one image.
        fs::write(folder.join("Dockerfile"), format!("FROM {from}\nENV NAME={name}\n")).unwrap();
        let mut build = self.engine.command(&["build", "--tag", name, "--label", label]);
        let output = build.arg(&folder).env("DOCKER_BUILDKIT", "0").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn images(&self) -> Vec<String> {
        let listed = self.engine.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        let mut images: Vec<String> = listed.lines().map(str::to_owned).collect();
        images.sort();
        images
    }
}

impl Drop for PrivateDocker {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.daemon);
        // It ends its own containerd only where it is asked to end.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.daemon.wait();
    }
}

#[test]
fn built_in_images_of_every_version_go_and_those_of_others_stay() {
    let Some(_) = Engine::find() else { return };
    let sandbox = Sandbox::new();
    let Some(docker) = PrivateDocker::start(&sandbox) else { return };
    let tar = sandbox.path().join("root.tar");
    tar::Builder::new(fs::File::create(&tar).unwrap()).into_inner().unwrap();
    docker.engine.docker(&["import", tar.to_str().unwrap(), "tiny:1"]);
    let (old, new) = ("claude-reactor/base:0123456789ab", "claude-reactor/base:ba9876543210");
    docker.build(old, "tiny:1", LABEL);
    docker.build(new, "tiny:1", LABEL);
    docker.build("mine:1", new, "owner=me");
    docker.build("claude-reactor/base:latest", "tiny:1", "owner=me");
    docker.engine.docker(&["create", "--name=somebodys", old, "none"]);
    let project = sandbox.project("app");
    let clean = |args: &[&str]| {
        let args = [&["clean", "--images"], args].concat();
        project.reactor(&args).env("DOCKER_HOST", docker.engine.host()).run()
    };

    let before = docker.images();
    let dry = clean(&["--dry-run", "--json"]).assert_success().json();
    assert_eq!((&dry["images"][0]["names"][0], &dry["images"][1]), (&new.into(), &().into()), "{dry:#}");
    assert_eq!(dry["kept"][0]["why"], "somebodys is made from it");
    clean(&[]).assert_code(2);
    assert_eq!(docker.images(), before);

    let output = clean(&["--force"]);
    output.assert_success().assert_stderr_contains("removed: 1 image");
    output.assert_stderr_contains(&format!("{old} stays: somebodys is made from it"));
    assert_eq!(docker.images(), [old, "claude-reactor/base:latest", "mine:1", "tiny:1"]);

    docker.engine.docker(&["rm", "somebodys"]);
    docker.engine.docker(&["tag", old, "also-mine:1"]);
    clean(&["--force"]).assert_success().assert_stderr_contains("stays as also-mine:1");
    assert_eq!(docker.images(), ["also-mine:1", "claude-reactor/base:latest", "mine:1", "tiny:1"]);
    clean(&["--force"]).assert_success().assert_stderr_contains("nothing to remove");
}
