//! The key of the chosen provider: from its file, or from the user, and then into its file.

use std::path::Path;

use secrecy::SecretString;

use super::launch;
use super::provider_rows;
use super::subscription;
use super::target::Target;
use super::trust;
use crate::config::yaml::Scalar;
use crate::config::{self, vars};
use crate::error::Error;
use crate::host::Host;
use crate::name::ProviderId;
use crate::provider::catalog::{Auth, Models, Provider, Wire};
use crate::provider::credential_files;
use crate::provider::credentials::{self, Credentials};
use crate::provider::login;
use crate::provider::session_env::cloud::row_states;
use crate::provider::session_env::{self, Credential, SessionEnv};
use crate::provider::setup::{self, NewProvider, Options, Source, Warning, Way};
use crate::provider::variables::{API_KEY, AUTH_TOKEN, OAUTH_TOKEN};
use crate::ui;

/// Where a new key comes from. Without any of these the user is asked, and only if there is no key yet.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct KeyArgs {
    /// Take the key from standard input and store it, in place of one stored before
    #[arg(long, conflicts_with_all = ["key_from_env", "apikey"])]
    pub key_stdin: bool,
    /// Take the key from the provider's own variable (`ZAI_API_KEY`) and store it
    #[arg(long, conflicts_with = "apikey")]
    pub key_from_env: bool,
    /// Store this key; others can see arguments, so prefer the two above
    #[arg(long, value_name = "KEY")]
    pub apikey: Option<SecretString>,
    /// Log in to a Claude subscription inside the session; the login is kept for all projects of the account
    #[arg(long, conflicts_with_all = ["key_stdin", "key_from_env", "apikey"])]
    pub interactive_login: bool,
    /// Store the key even if the provider refuses it
    #[arg(long)]
    pub no_verify: bool,
}

impl KeyArgs {
    /// Whether the user says with this command how Claude is to be paid from now on.
    pub(super) fn is_given(&self) -> bool {
        self.interactive_login || self.source().is_some()
    }

    fn source(&self) -> Option<Source> {
        match self {
            Self { key_stdin: true, .. } => Some(Source::Stdin),
            Self { key_from_env: true, .. } => Some(Source::Environment),
            Self { apikey: Some(key), .. } => Some(Source::Argument(key.clone())),
            _ => None,
        }
    }
}

/// How a key is to be got.
pub(super) fn options(
    target: &Target,
    args: &KeyArgs,
    command: String,
    host: &Host,
) -> Result<Options, Error> {
    Ok(Options {
        source: args.source().unwrap_or(Source::Ask),
        no_verify: args.no_verify || vars::no_verify(host)?,
        ca_file: target.ca_file.as_ref().map(|file| file.path.clone()),
        command,
    })
}

/// What a key is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// For a session that begins now: all that it needs has to be there.
    Session,
    /// For sessions to come: the model may still be chosen. With the flags that describe the provider, as they were typed.
    Later(&'a str),
}

impl Purpose<'_> {
    /// The command that does the same, for messages.
    fn command(self, target: &Target) -> String {
        match self {
            Self::Session => command(target),
            Self::Later(flags) => format!("{}{flags}", add_command(target, &target.settings.provider.value)),
        }
    }
}

/// The command that sets a provider up, for messages.
pub(super) fn add_command(target: &Target, id: &ProviderId) -> String {
    match target.account_source {
        config::Source::Default => format!("claude-reactor llm add {id}"),
        _ => format!("claude-reactor llm add {id} --account {}", target.account),
    }
}

/// The chosen provider's row and its credentials. Asks for what is missing, and stores it.
pub async fn obtain(target: &Target, args: &KeyArgs, host: &Host) -> Result<(Provider, Credentials), Error> {
    if !args.is_given()
        && let Some(known) = known(target)?
    {
        return Ok(known);
    }
    set_up(target, args, Purpose::Session, host).await
}

/// Sets the chosen provider up: asks for all that no flag brings, tries it, and stores it in place of what was there.
pub async fn set_up(
    target: &Target,
    args: &KeyArgs,
    purpose: Purpose<'_>,
    host: &Host,
) -> Result<(Provider, Credentials), Error> {
    let id = &target.settings.provider.value;
    if args.interactive_login {
        return subscription::choose_login(target, host);
    }
    let load = || credentials::load(&target.reactor_home, &target.account, id);
    let options = options(target, args, purpose.command(target), host)?;
    let Some(provider) = target.provider()? else {
        let nearest = target.catalog.nearest(id);
        if host.terminal.can_ask() {
            let meant = nearest.map(|near| format!(" (did you mean `{near}`?)"));
            ui::note(&format!("`{id}` is not a known provider{}", meant.unwrap_or_default()));
        }
        let (row, key) = setup::obtain_new(id, nearest, &options, host).await?;
        add_row(target, &row)?;
        let path = credentials::store(&target.reactor_home, &target.account, id, &key.name, &key.value)?;
        tell(&key.warnings, &path);
        return Ok((row.into_provider(), load()?));
    };
    if let Some(cloud) = &provider.cloud {
        let stored = cloud_credentials(target, provider)?;
        // What else keeps a session from starting is said before anybody types a key.
        match launch::session_env(target, provider, &stored) {
            Ok(_) | Err(Error::SessionEnv(session_env::Error::Incomplete { .. })) => {}
            Err(error) => return Err(error),
        }
        let path = setup::set_up_cloud(provider, cloud, &stored, &target.account, &options, host).await?;
        ui::note(&format!("stored in {}", path.display()));
        return Ok((provider.clone(), cloud_credentials(target, provider)?));
    }
    let used = match as_used(target, provider, &load()?) {
        Err(Error::SessionEnv(session_env::Error::NoModel { .. })) if purpose != Purpose::Session => {
            provider.clone()
        }
        used => used?,
    };
    let way =
        if subscription::is_offered(&used, &options, host) { setup::ask_way().await? } else { Way::Key };
    let outcome = match way {
        Way::Key => setup::set_up(&used, &target.account, &options, host).await?,
        Way::Token => {
            if purpose != Purpose::Session {
                // It starts the container, and nobody has asked yet.
                trust::confirm_beside(target, host).await?;
            }
            subscription::make_token(target, &used, &options, host).await?
        }
        Way::Login => return subscription::choose_login(target, host),
    };
    tell(&outcome.warnings, &outcome.path);
    let stored = load()?;
    let env = match launch::session_env(target, provider, &stored) {
        Err(Error::SessionEnv(session_env::Error::NoModel { .. })) if purpose != Purpose::Session => None,
        env => Some(env?),
    };
    if let Some(Credential::Key(used)) = env.as_ref().map(SessionEnv::credential)
        && *used != outcome.name
    {
        ui::warn(&format!(
            "sessions go on using the line {used} of that file, which wins over {}",
            outcome.name
        ));
    }
    Ok((provider.clone(), stored))
}

/// The row with the endpoint and the model that a session would use: a new key is tried there and nowhere else. What
/// keeps a session from starting is said here, before anybody types a key.
pub(super) fn as_used(target: &Target, provider: &Provider, stored: &Credentials) -> Result<Provider, Error> {
    let Some(variable) = provider.key_variable() else { return Ok(provider.clone()) };
    let to_come = (variable.to_owned(), SecretString::from("to come"));
    let lines = stored.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let env = launch::session_env(target, provider, &lines.chain([to_come]).collect())?;
    let models = Models { main: env.model().map(str::to_owned), ..provider.models.clone() };
    Ok(Provider { base_url: Some(env.endpoint().to_owned()), models, ..provider.clone() })
}

/// The chosen provider's row and its credentials, where a session can start with what is there.
pub fn known(target: &Target) -> Result<Option<(Provider, Credentials)>, Error> {
    let id = &target.settings.provider.value;
    if let Some(provider) = target.provider()? {
        return Ok(known_for(target, provider)?.map(|stored| (provider.clone(), stored)));
    }
    let stored = credentials::load(&target.reactor_home, &target.account, id)?;
    // A `.env` written by hand says all that a row would.
    let says_something = stored.iter().next().is_some();
    Ok(says_something.then(|| (Provider::unlisted(id.clone()), stored)))
}

/// The credentials of the account for a provider, where a session can start with what is there.
pub fn known_for(target: &Target, provider: &Provider) -> Result<Option<Credentials>, Error> {
    if let Some(cloud) = &provider.cloud {
        let stored = cloud_credentials(target, provider)?;
        let stated = |name: &str| stored.states(name) || row_states(provider, name);
        return Ok(cloud.missing(stated).is_empty().then_some(stored));
    }
    let stored = credentials::load(&target.reactor_home, &target.account, &provider.id)?;
    Ok((has_key(provider, &stored) || has_login(target, provider)).then_some(stored))
}

/// All credentials of the account for a provider, whether a session can start with them or not.
pub fn stored(target: &Target, provider: &Provider) -> Result<Credentials, Error> {
    if provider.cloud.is_some() {
        return cloud_credentials(target, provider);
    }
    Ok(credentials::load(&target.reactor_home, &target.account, &provider.id)?)
}

/// The credentials of a cloud mode, those in files among them.
fn cloud_credentials(target: &Target, provider: &Provider) -> Result<Credentials, Error> {
    let lines = credentials::load(&target.reactor_home, &target.account, &provider.id)?;
    Ok(credential_files::added_to(lines, provider, &target.reactor_home, &target.account)?)
}

fn has_key(provider: &Provider, credentials: &Credentials) -> bool {
    let token = provider.is_claude().then_some(OAUTH_TOKEN);
    let named = provider.key_env.iter().map(String::as_str).chain([AUTH_TOKEN, API_KEY]).chain(token);
    let stated = |name| credentials.states(name);
    provider.auth == Auth::None || provider.key_optional || named.into_iter().any(stated)
}

/// Whether the user chose to log in, which the first session does.
fn has_login(target: &Target, provider: &Provider) -> bool {
    provider.is_claude() && login::is_chosen(&target.reactor_home, &target.account)
}

/// Asks once about what a repository chose for an account that was never used in it.
pub async fn confirm_unseen(target: &Target, host: &Host) -> Result<(), Error> {
    let choices = target.unseen_choices();
    if choices.is_empty() {
        return Ok(());
    }
    let refused = Error::Unseen { choices: choices.clone(), command: command(target) };
    if !host.terminal.can_ask() {
        return Err(refused);
    }
    let question = format!("This project's file chooses {}. Use it?", choices.join(" and "));
    if setup::confirm(question).await? { Ok(()) } else { Err(refused) }
}

/// Says what is to be said about a key that was taken, and where it went.
pub(super) fn tell(warnings: &[Warning], path: &Path) {
    for warning in warnings {
        ui::warn(&warning.to_string());
    }
    ui::note(&format!("key stored in {}", path.display()));
}

/// The command that says by flags what was resolved, for messages.
pub(super) fn command(target: &Target) -> String {
    let provider = &target.settings.provider.value;
    // What sessions cannot use is used for single questions.
    let speaks = target.catalog.get(provider).map_or(Wire::Anthropic, |row| row.wire);
    let verb = if speaks == Wire::Anthropic { "run" } else { "ask hello" };
    match target.account_source {
        config::Source::Default => format!("claude-reactor {verb} --llm-provider {provider}"),
        _ => format!("claude-reactor {verb} --llm-provider {provider} --account {}", target.account),
    }
}

/// Adds a provider to the user's own rows. Without a base URL there is nothing a row could say yet.
fn add_row(target: &Target, row: &NewProvider) -> Result<(), Error> {
    if row.base_url.is_none() {
        return Ok(());
    }
    let auth = if row.auth == Auth::XApiKey { "x-api-key" } else { "bearer" };
    let fields = [
        (["base_url"].as_slice(), row.base_url.as_deref()),
        (&["auth"], Some(auth)),
        (&["key_env"], Some(&row.key_env)),
        (&["models", "main"], row.main_model.as_deref()),
    ];
    let fields =
        fields.into_iter().filter_map(|(field, value)| Some((field, Scalar::Text(value?.to_owned()))));
    let fields: Vec<_> = fields.collect();
    provider_rows::edit(&target.reactor_home, |document| provider_rows::with(document, &row.id, &fields))
}
