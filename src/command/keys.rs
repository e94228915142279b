//! The key of the chosen provider: from its file, or from the user, and then into its file.

use std::path::Path;

use secrecy::SecretString;

use super::launch;
use super::subscription;
use super::target::Target;
use crate::config::yaml::{Document, Scalar};
use crate::config::{self, vars};
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::provider::catalog::{self, Auth, Models, Provider};
use crate::provider::credential_files;
use crate::provider::credentials::{self, Credentials};
use crate::provider::login;
use crate::provider::session_env::cloud::row_states;
use crate::provider::session_env::{self, Credential};
use crate::provider::setup::{self, NewProvider, Options, Source, Warning, Way};
use crate::provider::variables::{API_KEY, AUTH_TOKEN, OAUTH_TOKEN};
use crate::ui;
use crate::user_file;

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

/// The chosen provider's row and its credentials. Asks for what is missing, and stores it.
pub async fn obtain(target: &Target, args: &KeyArgs, host: &Host) -> Result<(Provider, Credentials), Error> {
    let id = &target.settings.provider.value;
    let given = args.source();
    if args.interactive_login {
        return subscription::choose_login(target, host);
    }
    if given.is_none()
        && let Some(known) = known(target)?
    {
        return Ok(known);
    }
    let load = || credentials::load(&target.reactor_home, &target.account, id);
    let options = Options {
        source: given.unwrap_or(Source::Ask),
        no_verify: args.no_verify || vars::no_verify(host)?,
        ca_file: target.ca_file.as_ref().map(|file| file.path.clone()),
        command: command(target),
    };
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
    let used = as_used(target, provider, &load()?)?;
    let way =
        if subscription::is_offered(&used, &options, host) { setup::ask_way().await? } else { Way::Key };
    let outcome = match way {
        Way::Key => setup::set_up(&used, &target.account, &options, host).await?,
        Way::Token => subscription::make_token(target, &used, &options, host).await?,
        Way::Login => return subscription::choose_login(target, host),
    };
    tell(&outcome.warnings, &outcome.path);
    let stored = load()?;
    if let Credential::Key(used) = launch::session_env(target, provider, &stored)?.credential()
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
    let provider = target.provider()?;
    if let Some((provider, cloud)) = provider.and_then(|provider| Some((provider, provider.cloud.as_ref()?)))
    {
        let stored = cloud_credentials(target, provider)?;
        let stated = |name: &str| stored.states(name) || row_states(provider, name);
        return Ok(cloud.missing(stated).is_empty().then(|| (provider.clone(), stored)));
    }
    let stored = credentials::load(&target.reactor_home, &target.account, id)?;
    Ok(match provider {
        Some(provider) => {
            (has_key(provider, &stored) || has_login(target, provider)).then(|| (provider.clone(), stored))
        }
        // A `.env` written by hand says all that a row would.
        None if stored.iter().next().is_some() => Some((Provider::unlisted(id.clone()), stored)),
        None => None,
    })
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
fn tell(warnings: &[Warning], path: &Path) {
    for warning in warnings {
        ui::warn(&warning.to_string());
    }
    ui::note(&format!("key stored in {}", path.display()));
}

/// The command that says by flags what was resolved, for messages.
pub(super) fn command(target: &Target) -> String {
    let provider = &target.settings.provider.value;
    match target.account_source {
        config::Source::Default => format!("claude-reactor run --llm-provider {provider}"),
        _ => format!("claude-reactor run --llm-provider {provider} --account {}", target.account),
    }
}

/// Adds a provider to the user's own rows. Without a base URL there is nothing a row could say yet.
fn add_row(target: &Target, row: &NewProvider) -> Result<(), Error> {
    if row.base_url.is_none() {
        return Ok(());
    }
    let path = target.reactor_home.join("providers.yaml");
    private_file::create_dir(&target.reactor_home, &target.reactor_home)?;
    user_file::edit(&path, |text| {
        let document = Document::parse(&path, text, &catalog::FILE_KEYS);
        let mut document = document.map_err(config::Error::from)?;
        let auth = if row.auth == Auth::XApiKey { "x-api-key" } else { "bearer" };
        let fields: [(&[&str], Option<&str>); 4] = [
            (&["base_url"], row.base_url.as_deref()),
            (&["auth"], Some(auth)),
            (&["key_env"], Some(&row.key_env)),
            (&["models", "main"], row.main_model.as_deref()),
        ];
        for (field, value) in fields {
            let Some(value) = value else { continue };
            let key: Vec<&str> = ["providers", row.id.as_str()].iter().chain(field).copied().collect();
            document = document.set(&key, &Scalar::Text(value.to_owned())).map_err(config::Error::from)?;
        }
        Ok(document.text().to_owned())
    })
}
