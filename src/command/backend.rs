//! The backend that a command of this program talks to itself: the chosen provider's row, its key and its model.

use secrecy::SecretString;

use super::keys::{self, KeyArgs};
use super::target::Target;
use crate::error::Error;
use crate::gateway;
use crate::gateway::backend::{Backend, Speaks};
use crate::gateway::client::Client;
use crate::gateway::translate::Target as Wanted;
use crate::host::Host;
use crate::provider::catalog::{Auth, Catalog, Provider, Wire};
use crate::provider::check::on_this_machine;
use crate::provider::credentials::{self, Credentials};
use crate::provider::setup;
use crate::provider::variables::{API_KEY, AUTH_TOKEN};

/// The chosen provider as a backend. Where its key is missing, or the flags bring another one, that is got and stored.
pub async fn backend(target: &Target, args: &KeyArgs, host: &Host) -> Result<Backend, Error> {
    let id = &target.settings.provider.value;
    let Some(provider) = target.catalog.get(id) else {
        let file = Catalog::user_file(&target.reactor_home);
        let nearest = target.catalog.nearest(id).cloned();
        return Err(setup::Error::UnknownProvider { id: id.clone(), nearest, file }.into());
    };
    let speaks = match (&provider.cloud, provider.wire) {
        (Some(_), _) => return Err(gateway::Error::Cloud(id.clone()).into()),
        (None, Wire::Plugin) => return Err(gateway::Error::Plugin(id.clone()).into()),
        (None, Wire::Anthropic) => Speaks::Anthropic,
        (None, Wire::Openai) => Speaks::Other(Wanted::OpenAi),
        (None, Wire::Gemini) => Speaks::Other(Wanted::Gemini),
        (None, Wire::Ollama) => Speaks::Other(Wanted::Ollama),
    };
    let base_url = provider.endpoint().ok_or_else(|| gateway::Error::NoBaseUrl(id.clone()))?;
    let key_header = provider.dialect.key_header.as_deref().map(str::parse).transpose();
    Ok(Backend {
        id: id.to_string(),
        name: provider.name.clone(),
        speaks,
        base_url: on_this_machine(base_url),
        auth: provider.auth,
        key_header: key_header.map_err(|_| gateway::Error::KeyHeader(id.clone()))?,
        key: key(target, provider, args, host).await?,
        models: provider.models.map.clone(),
        main_model: provider.models.main.clone(),
        dialect: provider.dialect.clone(),
    })
}

/// How requests get to it.
pub fn client(target: &Target) -> Result<Client, Error> {
    let ca_file = target.ca_file.as_ref().map(|file| file.path.as_path());
    Ok(Client::new(ca_file).map_err(gateway::Error::from)?)
}

/// The model to ask: the chosen one, else the row's.
pub fn model(target: &Target, backend: &Backend) -> Result<String, Error> {
    let chosen = target.settings.model.as_ref().map(|setting| setting.value.clone());
    let model = chosen.or_else(|| backend.main_model.clone());
    Ok(model.ok_or_else(|| gateway::Error::NoModel(target.settings.provider.value.clone()))?)
}

async fn key(
    target: &Target,
    provider: &Provider,
    args: &KeyArgs,
    host: &Host,
) -> Result<Option<SecretString>, Error> {
    if provider.auth == Auth::None {
        return Ok(None);
    }
    let load = || credentials::load(&target.reactor_home, &target.account, &provider.id);
    let stored = stored_key(provider, &load()?);
    if !args.is_given() && (stored.is_some() || provider.key_optional) {
        return Ok(stored);
    }
    let options = keys::options(target, args, keys::command(target), host)?;
    let outcome = setup::set_up(provider, &target.account, &options, host).await?;
    keys::tell(&outcome.warnings, &outcome.path);
    Ok(stored_key(provider, &load()?))
}

/// The key to send: the first of the row's names that has a line, else the line of Claude Code's own variable.
fn stored_key(provider: &Provider, stored: &Credentials) -> Option<SecretString> {
    let own = provider.key_env.iter().map(String::as_str);
    let names = own.chain(match provider.auth {
        Auth::XApiKey => [API_KEY],
        Auth::Bearer | Auth::None => [AUTH_TOKEN],
    });
    names.into_iter().find(|name| stored.states(name)).and_then(|name| stored.get(name).cloned())
}
