//! A key is in its own file, in the session's environment and in the requests to its backend, and nowhere else.

use std::ffi::OsStr;
use std::path::Path;
use std::{fs, slice};

use serde_json::json;

use super::{ACCOUNT, SOON, ask, assert_credential, containers, engine, find_inside, leave, session_dir};
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::pty::Size;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::{Canary, find_in_bytes, find_in_files};

/// A provider's key, and where things of it are.
struct Place<'s> {
    engine: &'s Engine,
    sandbox: &'s Sandbox,
    provider: &'static str,
    key: Canary,
    credential: Credential,
    fake: FakeApi,
    project: Project<'s>,
}

impl<'s> Place<'s> {
    fn new(
        engine: &'s Engine,
        sandbox: &'s Sandbox,
        provider: &'static str,
        credential: fn(Canary) -> Credential,
    ) -> Self {
        let key = sandbox.canary(provider);
        let credential = credential(key.clone());
        // The worst that an agent does by itself: its whole environment goes into the transcript.
        let tool = json!({ "command": "env", "description": "Show the environment" });
        let script = Script::new().requires(credential.clone()).calls_tool("Bash", tool);
        let fake = sandbox.fake(provider, script);
        Self { engine, sandbox, provider, key, credential, fake, project: sandbox.project("app") }
    }

    /// A first command that brings the key, a session that is looked at while it waits for its answer, and one on a
    /// terminal.
    fn look_everywhere(&self) {
        let events = self.engine.record_events();
        let first = ["exec", "--debug", "--llm-provider", self.provider, "--key-stdin", "--", "true"];
        self.project.reactor(&first).stdin(self.key.key()).run().assert_success();

        self.fake.hold();
        let session = ["run", "--debug", "--", "-p", "go", "--debug", "--allowedTools", "Bash"];
        let mut running = self.project.reactor(&session).spawn();
        running.close_stdin();
        self.fake.await_request("a session's request", SOON, |request| request.body["stream"] == true);
        self.assert_not_in_the_engine();
        self.assert_in_no_command_line();
        self.fake.release();
        // The output, with all that `--debug` says of it, is searched when it is taken.
        let output = running.wait(SOON);
        output.assert_success().assert_stdout_contains(&format!("pong from fake-{}", self.provider));
        assert!(output.stderr().contains("DEBUG"), "{}", output.stderr());

        let pty =
            self.project.reactor(&["run", "--debug", "--", "--allowedTools", "Bash"]).on_pty(Size::default());
        ask(&pty, "ping", &format!("pong from fake-{}", self.provider));
        leave(pty).assert_code(0);

        assert_credential(&self.fake.messages(), &self.credential);
        for event in events.lines() {
            self.assert_not_in("an event of the engine", &event);
        }
        self.assert_in_no_file();
    }

    #[track_caller]
    fn assert_not_in(&self, what: &str, text: impl AsRef<[u8]>) {
        self.sandbox.redactions().assert_no_secret_in(what, text.as_ref());
    }

    /// What the engine shows of the container, of what runs in it, and of its image, labels and logs included.
    fn assert_not_in_the_engine(&self) {
        let [id] = &containers(self.engine, &self.project)[..] else { panic!("one container") };
        let container = self.engine.inspect(id);
        let execs = self.engine.execs(id);
        assert!(execs.iter().any(|exec| exec["Running"] == true), "the session is not there: {execs:#?}");
        let image = container["Config"]["Image"].as_str().expect("a container has an image");
        for (what, shown) in [
            ("the inspected container", container.to_string()),
            ("an inspected exec", format!("{execs:?}")),
            ("the inspected image", self.engine.inspect_image(image).to_string()),
            ("the image's history", self.engine.history(image)),
            ("the list of processes", self.engine.docker(&["top", id, "-ef"])),
            (
                "the list of containers",
                self.engine.docker(&["ps", "--all", "--no-trunc", "--format", "{{json .}}"]),
            ),
        ] {
            self.assert_not_in(what, shown);
        }
        let logs = self.engine.docker_output(&["logs", id]);
        self.assert_not_in("the container's log", [logs.stdout, logs.stderr].concat());
    }

    /// The arguments of every process of this machine, those inside the containers among them.
    fn assert_in_no_command_line(&self) {
        let mut seen = 0;
        for process in fs::read_dir("/proc").expect("processes are listed in /proc").flatten() {
            // One that has ended meanwhile has none.
            let Ok(arguments) = fs::read(process.path().join("cmdline")) else { continue };
            seen += usize::from(find_in_bytes(&arguments, "--allowedTools").is_some());
            self.assert_not_in("the arguments of a process", arguments);
        }
        assert!(seen > 0, "not even the session's own arguments are in /proc");
    }

    /// The key is in its own file only, and so are its last 20 characters but for what Claude Code itself keeps of a
    /// key that was approved.
    fn assert_in_no_file(&self) {
        let env = self.sandbox.reactor_home().join(ACCOUNT).join("llms").join(self.provider).join(".env");
        assert_eq!(find_in_files(self.sandbox.path(), self.key.key()), slice::from_ref(&env));
        let mut tails = find_in_files(self.sandbox.path(), self.key.tail());
        if let Credential::ApiKey(_) = self.credential {
            let config =
                session_dir(self.sandbox, ACCOUNT, &self.project).join("providers").join(self.provider);
            // Claude Code keeps copies of its own file, and writes it under a passing name beside it first.
            let is_state = |path: &Path| {
                let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
                let folder = path.parent();
                name.starts_with(".claude.json")
                    && (folder == Some(&config) || folder == Some(&config.join("backups")))
            };
            tails.retain(|path| !is_state(path));
        }
        assert_eq!(tails, [env]);
        let history = session_dir(self.sandbox, ACCOUNT, &self.project).join("projects");
        assert!(
            !find_in_files(&history, "CLAUDECODE=1").is_empty(),
            "the transcript lacks what the tool said"
        );

        // Of the container, what is not mounted from the sandbox.
        let [id] = &containers(self.engine, &self.project)[..] else { panic!("one container") };
        let mut inside = find_inside(&self.project, id, &[self.key.tail(), "NOPASSWD:ALL"]);
        inside.retain(|path| !path.starts_with("/home/claude/.claude/"));
        assert_eq!(inside, ["/etc/sudoers.d/claude"]);
    }
}

#[test]
fn a_bearer_stays_where_it_belongs() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    Place::new(&engine, &sandbox, "zai", Credential::Bearer).look_everywhere();
}

#[test]
fn an_x_api_key_stays_where_it_belongs() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    Place::new(&engine, &sandbox, "claude", Credential::ApiKey).look_everywhere();
}
