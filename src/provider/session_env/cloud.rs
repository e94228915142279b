//! The variables of a session in a cloud mode of Claude Code.
//!
//! What must hold here too: the one switch that is on is this provider's, the endpoint is the cloud's own or the one that
//! the user named, one credential is there and it is this provider's, and Anthropic's own variables are empty.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::{Credential, Error, Lines, ModelChoice, Models, SessionEnv, Vars};
use crate::provider::base_url;
use crate::provider::catalog::{Cloud, Mode, Provider};
use crate::provider::variables::{API_KEY, AUTH_TOKEN, reserved_in_modes};

/// The variables of a session of `provider`, which is the mode `cloud`.
pub(super) fn session_env(
    provider: &Provider,
    cloud: &Cloud,
    lines: &Lines<'_>,
    choice: ModelChoice<'_>,
) -> Result<SessionEnv, Error> {
    check_lines(provider, cloud.mode, lines)?;
    let stated =
        |name: &str| lines.stated(name).is_some() || row_states(provider, name) || is_default(cloud, name);
    let needs = cloud.missing(stated);
    if !needs.is_empty() {
        return Err(Error::Incomplete { provider: provider.id.clone(), needs });
    }
    let models = Models::choose(provider, lines, choice)?;

    let mut vars = Vars(BTreeMap::new());
    // Anthropic's own variables: empty, so that nothing else can set them.
    vars.pin("");
    vars.set(AUTH_TOKEN, "");
    vars.set(API_KEY, "");
    for base_url in [Mode::Bedrock, Mode::Vertex, Mode::Foundry].map(Mode::base_url) {
        vars.set(base_url, "");
    }
    vars.set(cloud.mode.switch(), "1");
    vars.set(cloud.mode.base_url(), provider.base_url.as_deref().unwrap_or_default());
    for question in &cloud.questions {
        if let Some(default) = &question.default {
            vars.set(&question.var, default);
        }
    }
    vars.map_models(provider, models);
    vars.suit_to(provider);
    // Whether a cloud takes deferred tools is known to Claude Code, for these are clouds it knows.
    vars.0.remove("ENABLE_TOOL_SEARCH");
    vars.overlay(provider.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    vars.overlay(lines.iter().filter(|(name, value)| !(value.is_empty() && row_states(provider, name))));
    let way = cloud.way(stated);
    for question in cloud.questions.iter().filter(|question| question.way.as_deref() != way) {
        // Of two alternatives one is used, and the other is not there.
        if question.way.is_some() {
            vars.set(&question.var, "");
        }
    }

    let names = cloud.credentials().filter(|name| vars.value(name).is_some()).map(str::to_owned).collect();
    Ok(SessionEnv {
        passed_over: Vec::new(),
        endpoint: endpoint(cloud.mode, &vars),
        // Claude Code itself needs them under these names.
        own_keys: Vec::new(),
        credential: Credential::Cloud(names),
        model: models.main.map(str::to_owned),
        vars: vars.0,
    })
}

/// Whether the row says it: as a variable, or as the endpoint.
pub(crate) fn row_states(provider: &Provider, name: &str) -> bool {
    provider.env.get(name).is_some_and(|value| !value.is_empty())
        || (provider.base_url.is_some() && provider.mode().is_some_and(|mode| mode.base_url() == name))
}

fn is_default(cloud: &Cloud, name: &str) -> bool {
    cloud.questions.iter().any(|question| question.var == name && question.default.is_some())
}

fn check_lines(provider: &Provider, mode: Mode, lines: &Lines<'_>) -> Result<(), Error> {
    let own = |name: &str| name == mode.base_url();
    if let Some((name, why)) =
        lines.iter().find_map(|(name, _)| Some((name, reserved_in_modes(name)?)).filter(|_| !own(name)))
    {
        return Err(Error::Reserved { provider: provider.id.clone(), name: name.to_owned(), why });
    }
    match lines.stated(mode.base_url()).map(base_url::check_base) {
        Some(Err(problem)) => {
            Err(Error::ModeBaseUrl { provider: provider.id.clone(), name: mode.base_url(), problem })
        }
        _ => Ok(()),
    }
}

/// Where the session's requests go, for people.
fn endpoint(mode: Mode, vars: &Vars) -> String {
    if let Some(url) = vars.value(mode.base_url()) {
        return url.trim_end_matches('/').to_owned();
    }
    let value = |name| vars.value(name).unwrap_or("?");
    match mode {
        Mode::Bedrock => format!("Bedrock in {}", value("AWS_REGION")),
        Mode::Vertex => {
            format!("Vertex project {} in {}", value("ANTHROPIC_VERTEX_PROJECT_ID"), value("CLOUD_ML_REGION"))
        }
        Mode::Foundry => format!("Foundry resource {}", value("ANTHROPIC_FOUNDRY_RESOURCE")),
    }
}

impl Vars {
    /// A value that states something.
    fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(SecretString::expose_secret).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests;
