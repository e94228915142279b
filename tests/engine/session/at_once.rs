//! Two things at once: one waits for another only where it has to, says so, and can be told to give up.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Place, SOON};
use crate::support::running::Running;

/// What nobody would call waiting.
const AT_ONCE: Duration = Duration::from_secs(3);

impl Place {
    /// `exec -- true` in another project.
    #[track_caller]
    fn visit_next_door(&self) {
        let call = self.sandbox.project("next-door").reactor(&["exec", "--", "true"]);
        let output = call.env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").run();
        output.assert_success().assert_stderr_lacks("waiting");
    }
}

#[track_caller]
fn interrupt(call: Running) {
    let asked = Instant::now();
    call.signal(Signal::INT);
    call.wait(SOON).assert_code(130).assert_stderr_contains("cancelled");
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
}

#[test]
fn a_launch_waits_for_another_of_the_same_container_alone_and_not_for_a_killed_one() {
    let Some(place) = Place::new() else { return };
    let gate = place.gate("gate");
    gate.hold("POST", "/containers/create");
    let first = place.exec(&["true"]).env("DOCKER_HOST", gate.host()).spawn();
    gate.wait_for_held(SOON);

    let waiting = [(); 2].map(|()| place.exec(&["echo", "well"]).spawn());
    for call in &waiting {
        call.wait_for_stderr("waiting for another claude-reactor that is starting this container", SOON);
    }
    place.visit_next_door();
    let [patient, impatient] = waiting;
    interrupt(impatient);

    first.signal(Signal::KILL);
    patient.wait(SOON).assert_success().assert_stdout("well\n");
    gate.cut();
}

#[test]
fn nobody_waits_for_a_build_who_does_not_need_it() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let id = place.id();
    // To this one call the image is not there, and somebody else builds it already.
    let gate = place.gate("gate");
    gate.refuse("GET", "/images/");
    let image = place.container()["Config"]["Image"]
        .as_str()
        .unwrap()
        .trim_start_matches("docker.io/")
        .replace(['/', ':'], "-");
    let folder = place.sandbox.reactor_home().join(".run");
    place.sandbox.write_home(&format!(".claude-reactor/.run/build-{image}.lock"), "");
    let lock = std::fs::File::open(folder.join(format!("build-{image}.lock"))).unwrap();
    lock.lock().unwrap();

    let data = place.folder("data");
    let builds = || {
        let call =
            place.reactor(&["run", "--mount", &data, "--shell"]).env("DOCKER_HOST", gate.host()).spawn();
        call.wait_for_stderr("waiting for another build of this image", SOON);
        call
    };
    let (one, two) = (builds(), builds());
    place.visit_next_door();
    let joined = place.exec(&["echo", "joined"]).run();
    joined.assert_success().assert_stdout("joined\n").assert_stderr_lacks("waiting");
    assert_eq!(place.id(), id);
    interrupt(two);

    gate.open();
    drop(lock);
    let mut one = one;
    one.write(b"test -d /mnt/data && echo built\n");
    one.close_stdin();
    one.wait(SOON).assert_success().assert_stdout("built\n");
}

#[test]
fn a_launch_that_is_ended_leaves_no_container_frozen() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let id = place.id();
    let gate = place.gate("gate");
    // It is frozen by then, and nobody was found in it.
    gate.hold("DELETE", "/containers/");
    let data = place.folder("data");
    let call = place.shell(&["--mount", &data], "").env("DOCKER_HOST", gate.host()).spawn();
    gate.wait_for_held(SOON);
    assert_eq!(place.container()["State"]["Paused"], true);
    call.signal(Signal::TERM);
    call.wait(SOON).assert_code(143);
    assert_eq!((place.id(), &place.container()["State"]["Paused"]), (id, &false.into()));
}

#[test]
fn who_enters_in_the_moment_before_a_container_is_made_anew_stays_in_it() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let id = place.id();
    let gate = place.gate("gate");
    // The look for sessions is over, and found none.
    gate.hold("POST", "/pause");
    let data = place.folder("data");
    let call = place.shell(&["--mount", &data], "").env("DOCKER_HOST", gate.host()).spawn();
    gate.wait_for_held(SOON);
    let mut other = place.project().command("docker", &["exec", "--interactive", &id, "cat"]).spawn();
    other.write(b"in\n");
    other.wait_for_stdout("in", SOON);
    gate.open();
    call.wait(SOON).assert_code(2).assert_stderr_contains("1 other session is in it");

    other.write(b"still in\n");
    other.wait_for_stdout("still in", SOON);
    other.close_stdin();
    other.wait(SOON).assert_success();
    assert_eq!(place.id(), id);
    assert_eq!(place.visit(&["--mount", &data]).as_deref(), Some("the mount /mnt/data is new"));
}
