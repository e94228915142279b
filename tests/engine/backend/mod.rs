//! Which backend a session talks to and with whose key, and that nobody else learns of either.

mod canary;

mod claude;
mod first_time;
mod login;
mod own_name;
mod repository;
mod side_by_side;
mod switching;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, Recorded};
use crate::support::pty::{Exit, Pty};
use crate::support::sandbox::{Project, Sandbox};

/// Far more than a step of Claude Code takes on a loaded machine, and less than the three minutes for which it tries
/// again what looks like a passing fault.
const SOON: Duration = Duration::from_secs(120);

/// What a session has on its screen when it waits for a question. Nothing is typed before it is there, so a dialog on
/// the way would stay in its place.
const PROMPT: &str = "? for shortcuts";

/// The account of a sandbox's user, whose name is not set.
const ACCOUNT: &str = "user";

/// Writes a provider's `.env` by hand.
fn store(sandbox: &Sandbox, account: &str, provider: &str, lines: &[(&str, &str)]) -> PathBuf {
    let text = lines.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name}='{value}'");
        text
    });
    sandbox.write_home(&format!(".claude-reactor/{account}/llms/{provider}/.env"), text)
}

/// An account's state for a project.
fn session_dir(sandbox: &Sandbox, account: &str, project: &Project<'_>) -> PathBuf {
    let name = project.path().file_name().expect("a project has a name").display();
    sandbox.reactor_home().join(account).join(format!("{name}-{}", project.hash()))
}

/// Types a question at the prompt, and waits for the answer.
#[track_caller]
fn ask(pty: &Pty, question: &str, answer: &str) {
    pty.wait_for(PROMPT, SOON);
    pty.write(question);
    pty.wait_for(question, SOON);
    pty.write("\r");
    pty.wait_for(answer, SOON);
}

/// Leaves the session by its own command.
#[track_caller]
fn leave(pty: Pty) -> Exit {
    pty.write("/exit");
    pty.wait_for("/exit", SOON);
    pty.write("\r");
    pty.wait(SOON)
}

/// The ids of a project's containers.
fn containers(engine: &Engine, project: &Project<'_>) -> Vec<String> {
    let id =
        |container: serde_json::Value| container["Id"].as_str().expect("a container has an id").to_owned();
    engine.containers(project.path()).into_iter().map(id).collect()
}

/// The files inside a container that hold one of the texts, the image's own programs left out. They are searched by
/// root, and not through claude-reactor.
#[track_caller]
fn find_inside(project: &Project<'_>, container: &str, texts: &[&str]) -> Vec<String> {
    search_inside(project, container, texts, "grep -rlsaF -f /dev/fd/3 --exclude-dir={proc,sys,usr} /")
}

/// The environments and arguments of a container's processes that hold one of the texts.
#[track_caller]
fn find_in_processes(project: &Project<'_>, container: &str, texts: &[&str]) -> Vec<String> {
    search_inside(project, container, texts, "grep -lsaF -f /dev/fd/3 /proc/[0-9]*/{environ,cmdline}")
}

/// The texts come by a file that has no name any more, so that the search does not find itself.
#[track_caller]
fn search_inside(project: &Project<'_>, container: &str, texts: &[&str], search: &str) -> Vec<String> {
    let script = format!("file=$(mktemp); cat >$file; exec 3<$file; rm $file; {search}; [ $? -le 2 ]");
    let args = ["exec", "--interactive", "--user=0", container, "bash", "-c", &script];
    let output = project.command("docker", &args).stdin(texts.join("\n")).run();
    output.assert_success().stdout().lines().map(str::to_owned).collect()
}

/// All requests came with this credential, and with no other.
#[track_caller]
fn assert_credential(requests: &[Recorded], credential: &Credential) {
    assert!(!requests.is_empty(), "nothing arrived");
    let (name, value) = credential.header();
    for request in requests {
        for header in ["authorization", "x-api-key"] {
            let wanted = (header == name).then(|| value.clone());
            // Compared without being shown: even a made-up key should not be in a log.
            assert!(
                request.header(header) == wanted,
                "{header} of {} is not as it should be",
                request.line()
            );
        }
    }
}
