//! Sessions of two accounts at once: neither sees anything of the other's.

use super::{SOON, assert_credential, engine, find_in_processes, find_inside, store};
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::running::Running;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// One account's session in a project, waiting for its answer.
struct Session<'s> {
    account: &'static str,
    project: Project<'s>,
    key: Canary,
    /// A text that is in its question, and so in its transcript.
    secret: String,
    running: Running,
}

impl<'s> Session<'s> {
    fn start(
        sandbox: &'s Sandbox,
        account: &'static str,
        provider: &'static str,
        variable: &str,
        project: &Project<'s>,
        fake: &FakeApi,
    ) -> Self {
        let key = sandbox.canary(account);
        store(sandbox, account, provider, &[(variable, key.key())]);
        let secret = format!("secret-of-{account}");
        let question = format!("what is {secret}?");
        let args = ["run", "--account", account, "--llm-provider", provider, "--", "-p", &question];
        let mut running = project.reactor(&args).spawn();
        running.close_stdin();
        fake.await_request(&secret, SOON, |request| request.body["messages"].to_string().contains(&secret));
        Self { account, project: project.clone(), key, secret, running }
    }

    /// What holds one of the texts, of the files and processes of this session's container.
    fn find(&self, engine: &Engine, texts: &[&str]) -> Vec<String> {
        let label = |container: &serde_json::Value| {
            container["Config"]["Labels"]["dev.claude-reactor.account"].clone()
        };
        let mut found = engine.containers(self.project.path());
        found.retain(|container| label(container) == self.account);
        let [container] = &found[..] else { panic!("{} containers", found.len()) };
        let id = container["Id"].as_str().expect("a container has an id");
        [find_inside(&self.project, id, texts), find_in_processes(&self.project, id, texts)].concat()
    }

    /// Its container holds none of these texts, and the same search finds what is its own.
    #[track_caller]
    fn assert_sees(&self, engine: &Engine, own: &[&str], foreign: &[&str]) {
        let found = self.find(engine, foreign);
        assert!(found.is_empty(), "{} sees what is not its own: {found:#?}", self.account);
        let found = self.find(engine, &[own, &[self.key.tail(), &self.secret]].concat()).join("\n");
        for place in ["/app/", "/home/claude/.claude/projects/", "/environ", "/cmdline"] {
            assert!(found.contains(place), "{place} is not in what {} sees:\n{found}", self.account);
        }
    }

    /// It ends well, and what arrived of it came with its account's key.
    #[track_caller]
    fn finish(self, fake: &FakeApi, credential: fn(Canary) -> Credential) {
        self.running.wait(SOON).assert_success().assert_stdout(&format!("{}\n", fake.text()));
        let mut requests = fake.messages();
        requests.retain(|request| request.body.to_string().contains(&self.secret));
        assert_credential(&requests, &credential(self.key));
    }
}

#[test]
fn two_accounts_in_two_projects_on_two_providers() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (zai, claude) = (sandbox.fake("zai", Script::new()), sandbox.fake("claude", Script::new()));
    zai.hold();
    claude.hold();
    let (one, two) = (sandbox.project("one"), sandbox.project("two"));
    one.write("one.txt", "text-of-project-one");
    two.write("two.txt", "text-of-project-two");
    let alice = Session::start(&sandbox, "alice", "zai", "ZAI_API_KEY", &one, &zai);
    let bob = Session::start(&sandbox, "bob", "claude", "ANTHROPIC_API_KEY", &two, &claude);

    let (of_one, of_two) = ("text-of-project-one", "text-of-project-two");
    alice.assert_sees(&engine, &[of_one], &[bob.key.tail(), &bob.secret, of_two]);
    bob.assert_sees(&engine, &[of_two], &[alice.key.tail(), &alice.secret, of_one]);

    zai.release();
    claude.release();
    let (bearer, api_key) = (Credential::Bearer(alice.key.clone()), Credential::ApiKey(bob.key.clone()));
    alice.finish(&zai, Credential::Bearer);
    bob.finish(&claude, Credential::ApiKey);
    // Also what has not the question in it, a background request for instance.
    assert_credential(&zai.messages(), &bearer);
    assert_credential(&claude.messages(), &api_key);
}

#[test]
fn two_accounts_in_one_project_on_one_provider() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let fake = sandbox.fake("zai", Script::new());
    fake.hold();
    let project = sandbox.project("app");
    project.write("shared.txt", "text-of-the-project");
    let alice = Session::start(&sandbox, "alice", "zai", "ZAI_API_KEY", &project, &fake);
    let bob = Session::start(&sandbox, "bob", "zai", "ZAI_API_KEY", &project, &fake);

    alice.assert_sees(&engine, &["text-of-the-project"], &[bob.key.tail(), &bob.secret]);
    bob.assert_sees(&engine, &["text-of-the-project"], &[alice.key.tail(), &alice.secret]);

    fake.release();
    alice.finish(&fake, Credential::Bearer);
    bob.finish(&fake, Credential::Bearer);
}
