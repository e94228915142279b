//! Images of the user's own: looked at once, refused with all that is missing, and what a session is in one.

use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Place, SOON};
use crate::support::engine::Engine;

/// An image of one test. Dropping it removes its name.
pub(super) struct Image {
    engine: Engine,
    pub(super) name: String,
}

impl Image {
    /// Builds from the text of a Dockerfile; `@base@` in it is the built-in image.
    #[track_caller]
    pub(super) fn build(engine: &Engine, dockerfile: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reactor-test/{}-{number}:made", std::process::id());
        let image = Self { engine: engine.clone(), name };
        image.rebuild(dockerfile);
        image
    }

    /// Builds another image of the same name.
    #[track_caller]
    pub(super) fn rebuild(&self, dockerfile: &str) {
        let base = self.engine.image("claude-reactor/base").expect("it was built");
        let mut build = self.engine.command(&["build", "--quiet", "--tag", &self.name, "-"]);
        let mut build = build
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker runs");
        let mut stdin = build.stdin.take().expect("it is piped");
        stdin.write_all(dockerfile.replace("@base@", &base).as_bytes()).expect("docker reads it");
        drop(stdin);
        let ended = build.wait_with_output().expect("docker ends");
        assert!(ended.status.success(), "{dockerfile}\n{}", String::from_utf8_lossy(&ended.stderr));
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = self.engine.docker_output(&["rmi", "--force", &self.name]);
    }
}

impl Place {
    /// The containers that look at an image, in whatever state.
    fn probes(&self, image: &str) -> String {
        let filter = format!("label=dev.claude-reactor.image-check={image}");
        self.engine.docker(&["ps", "--all", "--quiet", "--filter", &filter])
    }
}

#[test]
fn a_session_runs_in_it_and_it_is_looked_at_once() {
    let Some(place) = Place::new() else { return };
    let image = Image::build(
        &place.engine,
        "FROM @base@\nUSER root\nRUN echo mine >/marker\nUSER games\nENTRYPOINT [\"false\"]\nCMD [\"x\"]\n",
    );
    let flags = ["--image", image.name.as_str()];
    let look = format!("looking at the image {}, once", image.name);

    let first = place.reactor(&["run", "--image", &image.name, "--", "-p", "hi"]).run();
    first.assert_success().assert_stdout("pong from fake-zai\n").assert_stderr_contains(&look);
    assert_eq!(place.probes(&image.name), "");
    let container = place.container();
    assert_eq!(container["Config"]["Labels"]["dev.claude-reactor.variant"], image.name.as_str());
    let name = container["Name"].as_str().unwrap();
    assert!(
        name.starts_with(&format!("/claude-reactor-{}-0-", std::process::id())) || name.len() > 40,
        "{name}"
    );

    // It is remembered for the project, and a container made anew needs no second look.
    let remembered =
        place.reactor(&["run", "--shell", "--no-persist"]).stdin("cat /marker; whoami; id -u").run();
    let uid = rustix::process::getuid().as_raw();
    let user = if uid == 0 { "root" } else { "claude" };
    remembered.assert_success().assert_stdout(&format!("mine\n{user}\n{uid}\n"));
    let again = place.shell(&flags, "true").run();
    again.assert_success().assert_stderr_lacks(&look);
}

#[test]
fn what_is_missing_is_said_all_at_once_and_nothing_is_left() {
    let Some(place) = Place::new() else { return };
    let without = Image::build(&place.engine, "FROM debian:trixie-slim\nRUN rm /usr/bin/grep /usr/bin/tr\n");
    let refused = place.shell(&["--image", &without.name], "true").run();
    refused
        .assert_code(2)
        .assert_stderr_contains("no program `claude` (the Claude Code CLI)")
        .assert_stderr_contains("no program `grep`")
        .assert_stderr_contains("no program `tr`")
        .assert_stderr_contains("COPY --from=claude-reactor/base:");
    assert_eq!(place.probes(&without.name), "");
    let remembered = std::fs::read_to_string(place.session_dir().join(".claude-reactor"));
    assert!(remembered.is_err(), "an image that was refused is not remembered: {remembered:?}");
    assert!(place.engine.containers(place.project().path()).is_empty());
}

#[test]
fn an_image_without_a_shell_is_refused_in_words() {
    let Some(place) = Place::new() else { return };
    let bare = Image::build(
        &place.engine,
        "FROM scratch\nCOPY --from=@base@ /usr/local/bin/claude /usr/bin/env /bin/\n",
    );
    let refused = place.shell(&["--image", &bare.name], "true").run();
    refused
        .assert_code(2)
        .assert_stderr_contains("no program `sh`")
        .assert_stderr_contains("no program `sleep`");
    refused.assert_stderr_lacks("`claude`").assert_stderr_lacks("no program `env`");
    assert_eq!(place.probes(&bare.name), "");
}

#[test]
fn a_claude_that_is_another_program_or_does_not_run_is_refused() {
    let Some(place) = Place::new() else { return };
    for (script, said) in [
        ("echo hello", "is not the Claude Code CLI: `claude --version` says \\\"hello\\\""),
        ("echo broken >&2; exit 3", "fails in it with exit code 3 for user"),
    ] {
        let image = Image::build(
            &place.engine,
            &format!(
                "FROM debian:trixie-slim\nRUN printf '#!/bin/sh\\n{script}\\n' >/usr/bin/claude && chmod 755 /usr/bin/claude\n"
            ),
        );
        let refused = place.shell(&["--image", &image.name], "true").run();
        refused.assert_code(2).assert_stderr_contains(&said.replace('\\', ""));
    }
}

#[test]
fn variables_of_the_image_do_not_move_a_session() {
    let Some(place) = Place::new() else { return };
    let canary = place.sandbox.canary("baked");
    let image = Image::build(
        &place.engine,
        &format!(
            "FROM @base@\nENV ANTHROPIC_BASE_URL=http://127.0.0.1:1 ANTHROPIC_API_KEY={0} CLAUDE_CODE_OAUTH_TOKEN={0} \
             ANTHROPIC_CUSTOM_HEADERS=x-baked:{0} CLAUDE_CONFIG_DIR=/nowhere CLAUDE_CODE_USE_BEDROCK=1 \
             CLAUDE_CODE_SUBAGENT_MODEL=other HOME=/nowhere TEAM=acme\n",
            canary.key()
        ),
    );
    let answer = place.reactor(&["run", "--image", &image.name, "--", "-p", "hi"]).run();
    answer.assert_success().assert_stdout("pong from fake-zai\n");
    answer.assert_stderr_contains("the image sets ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, ");
    for request in place.fake.requests() {
        assert!(!canary.is_in(request.headers_text()), "{}", request.line());
    }
    let seen = place
        .exec(&["sh", "-c", "env | grep -E 'BAKED|baked|OAUTH|HEADERS|SUBAGENT|BEDROCK|TEAM|HOME'"])
        .run();
    // Empty on Podman, which cannot take them away; some are empty on purpose.
    let mut seen: Vec<&str> =
        seen.assert_success().stdout().lines().filter(|line| !line.ends_with('=')).collect();
    seen.sort_unstable();
    let home = if rustix::process::getuid().is_root() { "HOME=/root" } else { "HOME=/home/claude" };
    assert_eq!(seen, [home, "TEAM=acme"]);
}

#[test]
fn a_name_that_moved_makes_the_container_anew() {
    let Some(place) = Place::new() else { return };
    let image = Image::build(&place.engine, "FROM @base@\nENV MADE=first\n");
    let flags = ["--image", image.name.as_str()];
    let script = "echo $MADE";
    place.shell(&flags, script).run().assert_success().assert_stdout("first\n");
    let first = place.id();
    place.shell(&flags, script).run().assert_stderr_lacks("anew");
    assert_eq!(place.id(), first);

    image.rebuild("FROM @base@\nENV MADE=second\n");
    let anew = place.shell(&flags, script).run();
    anew.assert_success().assert_stdout("second\n");
    anew.assert_stderr_contains("making the container anew: the image changed");
}

#[test]
fn a_user_that_the_image_never_heard_of_has_a_name_a_home_and_sudo() {
    let Some(place) = Place::new() else { return };
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    // Without the image's own user, and without the files that a small image need not have.
    let image = Image::build(
        &place.engine,
        "FROM @base@\nUSER root\nRUN userdel --remove claude && rm -f /etc/shadow && echo 'claude ALL=(ALL) NOPASSWD:ALL' \
         >/etc/sudoers.d/claude\n",
    );
    let script = "id -un; id -u; touch ~/here && echo home; sudo -n id -u; touch mine";
    let output = place.shell(&["--image", &image.name], script).user(12345, 12346).run();
    output.assert_success().assert_stdout("claude\n12345\nhome\n0\n");
}

#[test]
fn a_look_that_hangs_ends_with_ctrl_c_and_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let image = Image::build(
        &place.engine,
        "FROM debian:trixie-slim\nRUN printf '#!/bin/sh\\nexec sleep infinity\\n' >/usr/bin/claude && chmod 755 /usr/bin/claude\n",
    );
    let running = place.reactor(&["run", "--image", &image.name]).spawn();
    running.wait_for_stderr("looking at the image", SOON);
    let filter = format!("label=dev.claude-reactor.image-check={}", image.name);
    let deadline = std::time::Instant::now() + SOON;
    while place.engine.docker(&["ps", "--quiet", "--filter", &filter]).is_empty() {
        assert!(std::time::Instant::now() < deadline, "no look began");
    }
    running.signal(rustix::process::Signal::INT);
    running.wait(SOON).assert_code(130).assert_stderr_contains("cancelled");
    assert_eq!(place.probes(&image.name), "");
}

#[test]
fn a_session_is_ended_by_a_signal_where_grep_is_a_small_one() {
    let Some(place) = Place::new() else { return };
    let image = Image::build(
        &place.engine,
        "FROM @base@\nUSER root\nRUN mv /usr/bin/grep /usr/bin/large-grep && printf '#!/bin/sh\\ncase \"$1\" in *z*) exit 2;; \
         esac\\nexec large-grep \"$@\"\\n' >/usr/bin/grep && chmod 755 /usr/bin/grep\n",
    );
    let script = "! printf x | grep -qz x && echo small; exec sleep 1000";
    let session = place.reactor(&["exec", "--image", &image.name, "--", "sh", "-c", script]).spawn();
    session.wait_for_stdout("small", SOON);
    session.signal(rustix::process::Signal::TERM);
    session.wait(SOON).assert_code(143);
    place.assert_nobody_inside();
}

#[test]
fn a_dry_run_pulls_nothing_and_says_so() {
    let Some(place) = Place::new() else { return };
    let report = place.reactor(&["run", "--dry-run", "--image", "reactor-test/none:1"]).run();
    report.assert_success().assert_stdout_contains("reactor-test/none:1 (to be pulled, from: flag)");
    let image = Image::build(&place.engine, "FROM @base@\n");
    let report = place.reactor(&["run", "--dry-run", "--json", "--image", &image.name]).run();
    let report = report.assert_success().json();
    assert_eq!((&report["image_present"], &report["image_kind"]), (&true.into(), &"custom".into()));
    assert_eq!(place.probes(&image.name), "");
}
