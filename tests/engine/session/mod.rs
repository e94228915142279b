//! A session and its container, as a user has them: the answer, the bytes, the terminal, the signals, the plan.

mod answer;
mod at_once;
mod by_ssh;
mod by_tls;
mod ca_file;
mod callers;
mod carried;
mod chosen;
mod cleaning;
mod containers;
mod custom_image;
mod danger;
mod doctor;
mod dry_run;
mod forwarding;
mod inside;
mod launch;
mod listing;
mod names;
mod pipes;
mod pull;
mod signals;
mod states;
mod terminal;
mod worktrees;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::engine::{Engine, Gate};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::invocation::Invocation;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// Far more than anything here takes, on a machine that is busy with other things too.
const SOON: Duration = Duration::from_secs(120);

/// A project whose provider is a fake and whose key is in place: a session starts here without a question.
struct Place {
    engine: Engine,
    sandbox: Sandbox,
    fake: FakeApi,
    key: Canary,
}

impl Place {
    /// Where no engine answers, the test has said so.
    fn new() -> Option<Self> {
        let engine = crate::engine()?;
        let sandbox = Sandbox::on(&engine);
        let key = sandbox.canary("zai");
        let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(key.clone())));
        let place = Self { engine, sandbox, fake, key };
        place.give_key("user");
        Some(place)
    }

    /// Puts the key into an account. (Without `$USER`, as here, the account is `user`.)
    fn give_key(&self, account: &str) {
        let file = format!(".claude-reactor/{account}/llms/zai/.env");
        self.sandbox.write_home(&file, format!("ZAI_API_KEY='{}'\n", self.key.key()));
    }

    fn project(&self) -> Project<'_> {
        self.sandbox.project("app")
    }

    /// This account's state for the project.
    fn session_dir(&self) -> PathBuf {
        self.sandbox.reactor_home().join(format!("user/app-{}", self.project().hash()))
    }

    /// A call of claude-reactor in the project, on the fake.
    fn reactor(&self, args: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        self.project().reactor(args).env("CLAUDE_REACTOR_LLM_PROVIDER", "zai")
    }

    /// `exec -- COMMAND…`.
    fn exec(&self, command: &[&str]) -> Invocation<'_> {
        self.reactor(&[&["exec", "--"], command].concat())
    }

    /// `run --shell FLAGS…` with a script on standard input: a session like any other, but a quick one.
    fn shell(&self, flags: &[&str], script: &str) -> Invocation<'_> {
        self.reactor(&[&["run", "--shell"], flags].concat()).stdin(script)
    }

    /// A way to the engine for this place alone.
    fn gate(&self, name: &str) -> Gate {
        self.engine.gate(self.sandbox.path(), name)
    }

    /// The project's only container, as the engine describes it.
    #[track_caller]
    fn container(&self) -> Value {
        let mut found = self.engine.containers(self.project().path());
        assert_eq!(found.len(), 1, "the containers of the project: {found:#?}");
        found.remove(0)
    }

    /// Its id.
    #[track_caller]
    fn id(&self) -> String {
        self.container()["Id"].as_str().expect("a container has an id").to_owned()
    }

    /// The commands of all processes inside except those that keep the container up.
    #[track_caller]
    fn processes(&self) -> Vec<String> {
        let init = |command: &str| command.contains("docker-init") || command.contains("podman-init");
        let kept_up = |command: &String| command == "sleep infinity" || init(command);
        self.engine.processes(&self.id()).into_iter().filter(|command| !kept_up(command)).collect()
    }

    /// Waits until no session's process is left inside: the engine notes an end a moment after it.
    #[track_caller]
    fn assert_nobody_inside(&self) {
        let deadline = Instant::now() + SOON;
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "still inside: {:#?}", self.processes());
        }
    }
}
