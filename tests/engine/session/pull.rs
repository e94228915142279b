//! Images that are pulled: by the user's own login, with progress, and with an end.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;

use super::{Place, SOON};
use crate::support::fake_registry::{FakeRegistry, Image};
use crate::support::pty::Size;

/// Says what the real one says to the question that a look asks.
const CLAUDE: (&str, u32, &str) =
    ("usr/local/bin/claude", 0o755, "#!/bin/sh\necho '2.1.329 (Claude Code)'\n");

/// A registry with one small image, for one login, and the name of the image there.
struct Served {
    registry: FakeRegistry,
    login: String,
}

impl Served {
    /// Podman wants TLS of every registry that its configuration does not exempt.
    fn new(place: &Place) -> Option<Self> {
        if place.engine.docker(&["version", "--format", "{{json .Server}}"]).contains("Podman") {
            println!("skipped: Podman does not pull over plain HTTP");
            return None;
        }
        // A password whose encoding differs in the two alphabets of base64.
        let login = format!("alice:{}~~~???>>>", place.sandbox.canary("registry").key());
        let header = format!("Basic {}", STANDARD.encode(&login));
        let image = Image::from_engine(
            &place.engine,
            "debian:trixie-slim",
            &[CLAUDE, ("etc/of-this-test", 0o644, &place.project().hash())],
        );
        Some(Self { registry: FakeRegistry::start(image, Some(header)), login })
    }

    fn image(&self) -> String {
        format!("{}/acme/tools:1", self.registry.name())
    }

    /// Writes a Docker configuration into the sandbox's home.
    fn log_in(&self, place: &Place, login: &str) {
        let config = serde_json::json!({ "auths": {
            self.registry.name(): { "auth": STANDARD.encode(login) },
            "other.example": { "auth": STANDARD.encode("other:one") },
        } });
        place.sandbox.write_home(".docker/config.json", config.to_string());
    }
}

/// Removes the pulled image.
struct Pulled<'a>(&'a Place, String);

impl Drop for Pulled<'_> {
    fn drop(&mut self) {
        self.0.engine.remove_containers_below(self.0.sandbox.path());
        let _ = self.0.engine.docker_output(&["rmi", "--force", &self.1]);
    }
}

#[test]
fn an_absent_image_is_pulled_with_the_users_login_and_no_other() {
    let Some(place) = Place::new() else { return };
    let Some(served) = Served::new(&place) else { return };
    let image = Pulled(&place, served.image());
    served.log_in(&place, &served.login);
    let flags = ["--image", image.1.as_str()];

    let first = place.shell(&flags, "cat /etc/of-this-test").run();
    first.assert_success().assert_stdout(&place.project().hash());
    first
        .assert_stderr_contains(&format!("pulling the image {}\n", image.1))
        .assert_stderr_contains("2 of 2 layers\n")
        .assert_stderr_contains("pulled the image in ");
    let sent: Vec<_> = served.registry.asked().into_iter().filter_map(|asked| asked.authorization).collect();
    assert!(
        !sent.is_empty()
            && sent.iter().all(|sent| *sent == format!("Basic {}", STANDARD.encode(&served.login)))
    );

    let asked = served.registry.asked().len();
    place.shell(&flags, "true").run().assert_success().assert_stderr_lacks("pulling");
    assert_eq!(served.registry.asked().len(), asked, "an image that is there is not asked for");

    // The password stays where it was.
    let described = place.container().to_string();
    assert!(!described.contains("~~~???>>>"), "{described}");
}

#[test]
fn a_login_that_is_wrong_or_missing_is_said_with_the_way_out() {
    let Some(place) = Place::new() else { return };
    let Some(served) = Served::new(&place) else { return };
    let (image, registry) = (served.image(), served.registry.name());
    let without = place.shell(&["--image", &image], "true").run();
    without
        .assert_code(125)
        .assert_stderr_contains(&format!("{registry} denied it, and there is no login for {registry}"))
        .assert_stderr_contains(&format!("`docker login {registry}`"));

    served.log_in(&place, "alice:wrong");
    let wrong = place.shell(&["--image", &image], "true").run();
    wrong.assert_code(125).assert_stderr_contains(&format!("{registry} denied it to your login"));
    wrong.assert_stderr_lacks("wrong\n");

    served.log_in(&place, &served.login);
    let missing = place.shell(&["--image", &image.replace(":1", ":missing")], "true").run();
    missing.assert_code(125).assert_stderr_contains(&format!("{registry} does not have it"));
}

#[test]
fn a_registry_that_is_not_there_is_said() {
    let Some(place) = Place::new() else { return };
    let output = place.shell(&["--image", "127.0.0.1:1/acme/tools"], "true").run();
    output.assert_code(125).assert_stderr_contains("the engine cannot reach 127.0.0.1:1");
}

#[test]
fn what_was_chosen_with_an_image_that_cannot_be_had_is_not_remembered() {
    let Some(place) = Place::new() else { return };
    let image = "127.0.0.1:1/acme/tools";
    let file = place.session_dir().join(".claude-reactor");
    place.shell(&["--image", image, "--danger"], "true").run().assert_code(125);
    assert!(!file.exists(), "{:?}", std::fs::read_to_string(&file));

    // A file may name one all the same; it says so, and a flag is the way out.
    std::fs::write(&file, format!("variant: {image}\n")).unwrap();
    let remembered = place.shell(&[], "true").run();
    remembered
        .assert_code(125)
        .assert_stderr_contains("cannot reach 127.0.0.1:1")
        .assert_stderr_contains("`--image base` takes the built-in one");
    place.shell(&["--image", "base"], "true").run().assert_success();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "variant: base\n");
}

#[test]
fn a_helper_gives_the_login_and_one_that_fails_is_named() {
    let Some(place) = Place::new() else { return };
    let Some(served) = Served::new(&place) else { return };
    let image = Pulled(&place, served.image());
    let config = serde_json::json!({ "credHelpers": { served.registry.name(): "of-this-test" } });
    place.sandbox.write_home(".docker/config.json", config.to_string());
    let output = place.shell(&["--image", &image.1], "true").run();
    output
        .assert_code(125)
        .assert_stderr_contains("warning: the credential helper docker-credential-of-this-test")
        .assert_stderr_contains("cannot be started")
        .assert_stderr_contains("there is no login for");

    let (name, password) = served.login.split_once(':').unwrap();
    let answer =
        serde_json::json!({ "ServerURL": served.registry.name(), "Username": name, "Secret": password });
    let script = format!("#!/bin/sh\n[ \"$(cat)\" = '{}' ] && echo '{answer}'\n", served.registry.name());
    let helper = place.sandbox.write_home("bin/docker-credential-of-this-test", script);
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", helper.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = place.shell(&["--image", &image.1], "true").env("PATH", path).run();
    output.assert_success().assert_stderr_lacks("warning: the credential");
}

#[test]
fn a_download_is_shown_on_a_terminal_and_ends_with_ctrl_c() {
    let Some(place) = Place::new() else { return };
    let Some(served) = Served::new(&place) else { return };
    served.log_in(&place, &served.login);
    served.registry.hold();
    let pty = place.reactor(&["run", "--image", &served.image()]).on_pty(Size::default());
    // A layer that another test has pulled is there already.
    pty.wait_for("/2  ", SOON);
    pty.wait_for("Downloading: ", SOON);
    pty.write("\u{3}");
    pty.wait(SOON).assert_code(130).assert_terminal_restored();
    assert!(place.engine.containers(place.project().path()).is_empty());

    let running = place.reactor(&["run", "--image", &served.image()]).spawn();
    running.wait_for_stderr("pulling the image", SOON);
    running.signal(Signal::TERM);
    running.wait(Duration::from_secs(20)).assert_code(143);
}
