//! Claude by subscription: what has to be done for a login or a token, before and around the container.

use std::path::Path;
use std::time::SystemTime;

use secrecy::SecretString;

use super::keys;
use super::launch::{self, Inside, Joining};
use super::target::Target;
use crate::container::managed_settings;
use crate::container::session;
use crate::container::spec::LoginFolders;
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::provider::catalog::{Provider, is_anthropic};
use crate::provider::credentials::{self, Credentials};
use crate::provider::login::{self, State};
use crate::provider::session_env::{self, Credential, SessionEnv};
use crate::provider::setup::{self, Options, Outcome, Source};
use crate::provider::variables::{MANAGED_BY_HOST, OAUTH_TOKEN};
use crate::signals::EndSignals;
use crate::ui;

/// Where `claude setup-token` keeps its state, and works: beside the settings that earlier sessions may have written, and
/// out of the project, whose settings may lead elsewhere.
const SETUP_DIR: &str = "/tmp/.claude-reactor-setup";

/// Whether a person who has no key for this provider may also pay by subscription: only Anthropic itself takes one.
pub fn is_offered(used: &Provider, options: &Options, host: &Host) -> bool {
    matches!(options.source, Source::Ask)
        && host.terminal.can_ask()
        && used.is_claude()
        && used.endpoint().is_some_and(is_anthropic)
}

/// Remembers that the account's user logs in inside the session. What makes that impossible is said before.
pub fn choose_login(target: &Target, host: &Host) -> Result<(Provider, Credentials), Error> {
    let id = &target.settings.provider.value;
    let provider = target.provider()?.filter(|provider| provider.is_claude());
    let provider = provider.ok_or_else(|| login::Error::NotClaude(id.clone()))?;
    let stored = credentials::load(&target.reactor_home, &target.account, id)?;
    let used = keys::as_used(target, provider, &stored)?;
    if let Some(endpoint) = used.endpoint().filter(|endpoint| !is_anthropic(endpoint)) {
        let (credential, endpoint) = (Credential::Login, endpoint.to_owned());
        return Err(session_env::Error::SubscriptionElsewhere { credential, endpoint }.into());
    }
    let folder = login::folder(&target.reactor_home, &target.account);
    let state = login::state(&folder, SystemTime::now())?;
    if state != State::Usable && !host.terminal.is_interactive() {
        return Err(not_logged_in(target, state));
    }
    login::choose(&target.reactor_home, &target.account)?;
    if launch::session_env(target, provider, &stored)?.credential() == &Credential::Login {
        ui::note(&format!("the login is kept in {}", folder.display()));
    }
    Ok((provider.clone(), stored))
}

/// Runs `claude setup-token` for the user, then asks for the token that it showed, tries it and stores it.
pub async fn make_token(
    target: &Target,
    used: &Provider,
    options: &Options,
    host: &Host,
) -> Result<Outcome, Error> {
    let id = &target.settings.provider.value;
    let stored = credentials::load(&target.reactor_home, &target.account, id)?;
    // The container of the session to come.
    let lines = stored.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let to_come = (OAUTH_TOKEN.to_owned(), SecretString::from("to come"));
    let env = launch::session_env(target, used, &lines.chain([to_come]).collect())?;

    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let mut vars = launch::owned(env.for_command());
    vars.retain(|(name, _)| ![OAUTH_TOKEN, MANAGED_BY_HOST].contains(&name.as_str()));
    let own = [(OAUTH_TOKEN, ""), (MANAGED_BY_HOST, ""), ("CLAUDE_CONFIG_DIR", SETUP_DIR)];
    vars.extend(own.map(|(name, value)| (name.to_owned(), SecretString::from(value))));
    let script = format!(
        "mkdir -p {SETUP_DIR} && cd {SETUP_DIR} && claude setup-token; code=$?; rm -rf {SETUP_DIR}; exit $code"
    );
    let command = ["sh", "-c", &script].map(str::to_owned).to_vec();
    let request = |inside: &Inside| launch::exec_request(command.clone(), vars.clone(), inside, host);
    let entered = launch::enter(target, &env, host, Joining::AsItRuns, &mut signals, request).await?;
    match session::join(entered.session, &mut signals).await? {
        0 => {}
        code => return Err(Error::NoToken(code)),
    }
    let key = setup::obtain_token(used, options, host).await?;
    let path = credentials::store(&target.reactor_home, &target.account, id, &key.name, &key.value)?;
    Ok(Outcome { path, name: key.name, warnings: key.warnings })
}

/// The folders that a session with these variables logs in by; none where it does not log in.
pub fn folders(target: &Target, env: &SessionEnv) -> Option<LoginFolders> {
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    (env.credential() == &Credential::Login).then(|| LoginFolders {
        login: text(login::folder(&target.reactor_home, &target.account)),
        policy: text(target.session_dir.policy()),
    })
}

/// Makes those folders, and writes the settings that protect the login.
pub fn prepare(target: &Target, env: &SessionEnv) -> Result<(), Error> {
    if env.credential() != &Credential::Login {
        return Ok(());
    }
    login::choose(&target.reactor_home, &target.account)?;
    let policy = target.session_dir.policy();
    private_file::create_dir(&target.reactor_home, &policy)?;
    // What is mounted inside the other mount, which is read-only, needs its place there.
    for mount in &target.carried.mounts {
        if let Ok(place) = Path::new(&mount.target).strip_prefix(managed_settings::INSIDE) {
            private_file::create_dir(&target.reactor_home, &policy.join(place))?;
        }
    }
    // A session has the container's variables, too, and its own over them.
    let container = target.variables().into_iter().map(|(name, value)| (name, SecretString::from(value)));
    let container: Vec<_> = container.collect();
    let container = container.iter().map(|(name, value)| (name.as_str(), value));
    let text = managed_settings::text(container.chain(env.for_command()));
    private_file::update(&policy.join(managed_settings::FILE), |_| Ok::<_, private_file::Error>(text))?;
    Ok(())
}

/// How a session begins that logs in by the account's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At the prompt.
    Prompt,
    /// At Claude Code's own login screen.
    LoginScreen,
}

/// How a session of Claude Code with these variables and arguments is to begin. `again` is the wish to log in whatever
/// there is. Where somebody would have to log in and cannot, this says so before a container is started for it.
pub fn opening(
    target: &Target,
    env: &SessionEnv,
    claude_args: &[String],
    again: bool,
    host: &Host,
) -> Result<Opening, Error> {
    if env.credential() != &Credential::Login {
        return Ok(Opening::Prompt);
    }
    let state = login::state(&login::folder(&target.reactor_home, &target.account), SystemTime::now())?;
    let on_screen = host.terminal.is_interactive() && !claude_args.iter().any(|arg| is_print(arg));
    match (state, on_screen) {
        (State::Usable, true) if again && claude_args.is_empty() => Ok(Opening::LoginScreen),
        (State::Usable, _) => Ok(Opening::Prompt),
        (_, true) if claude_args.is_empty() => Ok(Opening::LoginScreen),
        (_, true) => Ok(Opening::Prompt),
        (_, false) => Err(not_logged_in(target, state)),
    }
}

/// Whether an argument has Claude Code answer once, with no screen: `-p`, also among other letters (`-cp`).
fn is_print(arg: &str) -> bool {
    match arg.strip_prefix('-') {
        Some(letters) if letters.bytes().all(|byte| byte.is_ascii_alphabetic()) => letters.contains('p'),
        _ => arg == "--print",
    }
}

fn not_logged_in(target: &Target, state: State) -> Error {
    let command = format!("{} --interactive-login", keys::command(target));
    login::Error::NotLoggedIn { state, command }.into()
}

/// What is said before a session where more than one thing could pay for it.
pub fn warn_of_passed_over(target: &Target, env: &SessionEnv) {
    let (passed_over, used) = (env.passed_over(), env.credential());
    if passed_over.is_empty() {
        return;
    }
    let others: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
    let path = credentials::path(&target.reactor_home, &target.account, &target.settings.provider.value);
    ui::warn(&format!(
        "the {used} pays, and not the {}; to change that, remove its line from {}",
        others.join(" or the "),
        path.display()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_screen_is_recognised() {
        for (arg, print) in [
            ("-p", true),
            ("--print", true),
            ("-cp", true),
            ("-c", false),
            ("--plugin-dir", false),
            ("prompt", false),
            ("-", false),
        ] {
            assert_eq!(is_print(arg), print, "{arg}");
        }
    }
}
