//! Claude by subscription: a login that the account's projects share, and a token.
//!
//! The hosts are Anthropic's own by name. Every connection goes to a proxy of the test, which answers for them by
//! certificates of an authority that the session trusts through the CA file; nothing leaves the machine.

mod hostile;
mod token;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    ACCOUNT, PROMPT, SOON, ask, assert_credential, containers, engine, find_in_processes, find_inside, leave,
    store,
};
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, FakeApi, Recorded, Script};
use crate::support::invocation::Invocation;
use crate::support::pty::Size;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;
use crate::support::tls_proxy::TlsProxy;

/// A date, in milliseconds since 1970, that is far away.
const FAR: u64 = 4_000_000_000_000;

/// A world in which Anthropic is a fake, and its user's network a proxy.
struct Place {
    engine: Engine,
    proxy: TlsProxy,
    fake: FakeApi,
    sandbox: Sandbox,
}

impl Place {
    fn new() -> Option<Self> {
        let engine = engine()?;
        let sandbox = Sandbox::on(&engine);
        let fake = FakeApi::start_on(engine.gateway(), "anthropic", Script::new());
        let proxy = TlsProxy::start(engine.gateway(), fake.address(), &sandbox.path().join("company.pem"));
        let place = Self { engine, proxy, fake, sandbox };
        place.env_file(&[]);
        Some(place)
    }

    /// The user's lines for provider claude, the proxy's among them.
    fn env_file(&self, lines: &[(&str, &str)]) {
        let url = self.proxy.url();
        store(&self.sandbox, ACCOUNT, "claude", &[&[("HTTPS_PROXY", url.as_str())], lines].concat());
    }

    /// The file of the login.
    fn credentials(&self) -> PathBuf {
        self.sandbox.reactor_home().join(ACCOUNT).join("llms/claude/login/.credentials.json")
    }

    /// What the account keeps for a project.
    fn state(&self, project: &Project<'_>) -> PathBuf {
        let name = project.path().file_name().unwrap().to_str().unwrap();
        self.sandbox.reactor_home().join(ACCOUNT).join(format!("{name}-{}", project.hash()))
    }

    /// The file of the settings that protect the login in a project's sessions.
    fn policy(&self, project: &Project<'_>) -> PathBuf {
        self.state(project).join("policy/managed-settings.json")
    }

    /// Writes a login as Claude Code does, and lets the fake take its access token.
    fn log_in(&self, expires: u64) -> Canary {
        let (access, refresh) = (self.sandbox.token("access"), self.sandbox.token("refresh"));
        let login = json!({ "claudeAiOauth": {
            "accessToken": access.key(),
            "refreshToken": refresh.key(),
            "expiresAt": expires,
            "scopes": ["user:inference", "user:profile"],
            "subscriptionType": "max",
        }});
        let path = format!(".claude-reactor/{ACCOUNT}/llms/claude/login/.credentials.json");
        self.sandbox.write_home(&path, login.to_string());
        self.fake.follow(Script::new().requires(Credential::Bearer(access.clone())));
        access
    }

    fn reactor<'s>(&self, project: &Project<'s>, args: &[&str]) -> Invocation<'s> {
        project
            .reactor(args)
            .env("CLAUDE_REACTOR_CA_FILE", self.proxy.authority())
            .env("HTTPS_PROXY", self.proxy.url())
    }

    /// One question, answered.
    #[track_caller]
    fn ask(&self, project: &Project<'_>) -> String {
        let output = self.reactor(project, &["run", "--", "-p", "hi"]).run();
        output.assert_success().assert_stdout("pong from fake-anthropic\n");
        output.stderr().to_owned()
    }

    /// Nothing but the two hosts was spoken to, and every question came with this credential.
    #[track_caller]
    fn assert_only(&self, credential: &Credential) {
        assert!(self.proxy.strangers().is_empty(), "{:#?}", self.proxy.strangers());
        assert_credential(&self.fake.messages(), credential);
        for request in self.fake.requests() {
            let wanted = if request.is_token_request() { "platform.claude.com" } else { "api.anthropic.com" };
            assert_eq!(request.header("host").as_deref(), Some(wanted), "{}", request.line());
        }
    }

    /// Where the mounts of a project's only container come from.
    #[track_caller]
    fn mounts(&self, project: &Project<'_>) -> String {
        let [id] = &containers(&self.engine, project)[..] else { panic!("one container") };
        self.engine.inspect(id)["Mounts"].to_string()
    }
}

#[test]
fn the_projects_of_an_account_share_it_and_it_survives_their_containers() {
    let Some(place) = Place::new() else { return };
    let access = place.log_in(FAR);
    let (one, two) = (place.sandbox.project("one"), place.sandbox.project("two"));
    let said = place.ask(&one);
    assert!(said.contains("· https://api.anthropic.com · subscription login\n"), "{said}");

    let [id] = &containers(&place.engine, &one)[..] else { panic!("one container") };
    place.engine.docker(&["rm", "--force", id]);
    place.ask(&one);

    // A second project comes to its prompt without a question about a login.
    fs::create_dir_all(place.state(&two)).unwrap();
    fs::write(place.state(&two).join(".claude-reactor"), "env:\n  NO_PROXY: two.example\n").unwrap();
    let pty = place.reactor(&two, &["run"]).on_pty(Size::default());
    ask(&pty, "ping", "pong from fake-anthropic");
    leave(pty).assert_code(0).assert_terminal_restored();
    place.assert_only(&Credential::Bearer(access.clone()));
    let login = place.credentials().strip_prefix(place.sandbox.path()).unwrap().to_owned();
    assert_eq!(place.sandbox.files_with(&access), [login]);

    // What protects it is each project's own, for it holds that project's variables.
    let pinned = |project| fs::read_to_string(place.policy(project)).unwrap().contains("two.example");
    assert_eq!([&one, &two].map(pinned), [false, true]);
}

#[test]
fn two_projects_refresh_an_expired_one_once() {
    let Some(place) = Place::new() else { return };
    let projects = [place.sandbox.project("one"), place.sandbox.project("two")];
    let token_requests = || place.fake.requests().iter().filter(|request| request.is_token_request()).count();
    // Containers first, so that the sessions begin together.
    place.log_in(FAR);
    for project in &projects {
        place.ask(project);
    }
    // On a busy machine Claude Code may send its question with the expired token and ask for a new one only once that is
    // refused: then there is no moment at which both want one, and the sessions begin anew.
    let mut attempts = 0;
    let (access, refresh, before, refreshed, sessions) = loop {
        attempts += 1;
        place.log_in(1);
        let (access, refresh) = (place.sandbox.token("new-access"), place.sandbox.token("new-refresh"));
        let script = Script::new().requires(Credential::Bearer(access.clone()));
        place.fake.follow(script.grants(&access, &refresh));
        let (before, refreshed) = (place.fake.messages().len(), token_requests());
        place.fake.hold();
        let sessions = projects.each_ref().map(|project| {
            let mut session = place.reactor(project, &["run", "--", "-p", "hi"]).spawn();
            session.close_stdin();
            session
        });
        let deadline = Instant::now() + SOON;
        let sent = || place.fake.messages().len() > before;
        while token_requests() == refreshed && !sent() {
            assert!(Instant::now() < deadline, "the sessions ask for nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        if !sent() {
            break (access, refresh, before, refreshed, sessions);
        }
        assert!(attempts < 3, "the expired token is used, and not renewed first");
        place.fake.release();
        for session in sessions {
            session.wait(SOON);
        }
    };
    let deadline = Instant::now() + SOON;
    let runs = |project: &Project<'_>| {
        let id = containers(&place.engine, project).pop().expect("there is a container");
        place.engine.execs(&id).iter().any(|exec| exec["Running"] == true)
    };
    while !projects.iter().all(runs) {
        assert!(Instant::now() < deadline, "the sessions do not both run");
    }
    place.fake.release();
    for session in sessions {
        session.wait(SOON).assert_success().assert_stdout("pong from fake-anthropic\n");
    }
    assert_eq!(token_requests() - refreshed, 1, "the second session takes what the first one got");
    assert_credential(&place.fake.messages()[before..], &Credential::Bearer(access.clone()));
    let login: Value = serde_json::from_str(&fs::read_to_string(place.credentials()).unwrap()).unwrap();
    assert!(
        login["claudeAiOauth"]["accessToken"] == access.key(),
        "the new token is not in the account's login"
    );
    assert!(login["claudeAiOauth"]["refreshToken"] == refresh.key());
}

#[test]
fn no_other_provider_and_no_other_account_sees_it() {
    let Some(place) = Place::new() else { return };
    let access = place.log_in(FAR);
    let project = place.sandbox.project("app");
    let keys = [place.sandbox.canary("zai"), place.sandbox.canary("bob")];
    let zai = place.sandbox.fake("zai", Script::new());
    store(&place.sandbox, ACCOUNT, "zai", &[("ZAI_API_KEY", keys[0].key())]);
    let bob = [("ANTHROPIC_API_KEY", keys[1].key()), ("HTTPS_PROXY", &place.proxy.url())];
    store(&place.sandbox, "bob", "claude", &bob);
    place.fake.follow(Script::new());
    place.fake.hold();
    zai.hold();
    let start = |flags: &[&str]| {
        let mut session = place.reactor(&project, &[&["run"], flags, &["--", "-p", "hi"]].concat()).spawn();
        session.close_stdin();
        session
    };
    let mut sessions = vec![start(&[])];
    let sends = |header: &'static str, value: String| {
        move |request: &Recorded| request.is_message() && request.header(header).as_ref() == Some(&value)
    };
    let bearer = sends("authorization", format!("Bearer {}", access.key()));
    place.fake.await_request("the login's question", SOON, bearer);
    let [mine] = &containers(&place.engine, &project)[..] else { panic!("one container") };
    sessions.push(start(&["--llm-provider", "zai"]));
    sessions.push(start(&["--account", "bob", "--llm-provider", "claude"]));
    zai.await_message(SOON);
    place.fake.await_request("bob's question", SOON, sends("x-api-key", keys[1].key().to_owned()));

    assert!(find_inside(&project, mine, &[access.tail()]).iter().any(|path| path.contains(".claude-login")));
    let others: Vec<String> =
        containers(&place.engine, &project).into_iter().filter(|id| id != mine).collect();
    assert_eq!(others.len(), 2);
    for other in &others {
        let texts = [access.tail(), "claude-login"];
        let found =
            [find_inside(&project, other, &texts), find_in_processes(&project, other, &texts)].concat();
        assert!(found.is_empty(), "{found:#?}");
        let mounts = place.engine.inspect(other)["Mounts"].to_string();
        assert!(!mounts.contains("llms"), "{mounts}");
    }
    place.fake.release();
    zai.release();
    for session in sessions {
        session.wait(SOON).assert_success();
    }
}

#[test]
fn a_key_beside_it_pays_and_is_said_to() {
    let Some(place) = Place::new() else { return };
    let access = place.log_in(FAR);
    let project = place.sandbox.project("app");
    place.ask(&project);
    assert!(place.mounts(&project).contains("llms/claude/login"));

    let key = place.sandbox.canary("claude");
    place.env_file(&[("ANTHROPIC_API_KEY", key.key())]);
    place.fake.follow(Script::new().requires(Credential::ApiKey(key.clone())));
    let before = place.fake.requests().len();
    let said = place.ask(&project);
    for line in [
        "making the container anew: the mount /etc/claude-code is gone, the mount /home/claude/.claude-login is gone\n",
        "· key ANTHROPIC_API_KEY\n",
        "warning: the key ANTHROPIC_API_KEY pays, and not the subscription login; to change that, remove its line from ",
    ] {
        assert!(said.contains(line), "{line} is not in: {said}");
    }
    assert_credential(&place.fake.messages().split_off(1), &Credential::ApiKey(key));
    for request in &place.fake.requests()[before..] {
        assert!(!access.is_in(request.headers_text()), "{}", request.line());
    }
    assert!(!place.mounts(&project).contains("llms/"), "only a session that logs in has the login");
}

#[test]
fn who_chose_it_first_comes_to_the_login_screen_until_the_login_is_there() {
    let Some(place) = Place::new() else { return };
    let project = place.sandbox.project("app");
    let pty = place.reactor(&project, &["run"]).on_pty(Size::default());
    pty.wait_for("Choice", SOON);
    pty.write_line("3");
    pty.wait_for("Select login method", SOON);
    // The user gives up for now: by Escape, and out.
    pty.write([0x1b]);
    pty.wait_for("Login interrupted", SOON);
    leave(pty).assert_code(0);

    let pty = place.reactor(&project, &["run"]).on_pty(Size::default());
    pty.wait_for("Select login method", SOON);
    drop(pty);
    place.log_in(FAR);
    let pty = place.reactor(&project, &["run"]).on_pty(Size::default());
    pty.wait_for(PROMPT, SOON);
    leave(pty).assert_code(0);
    assert!(place.proxy.strangers().is_empty(), "{:#?}", place.proxy.strangers());
}
