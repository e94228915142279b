//! What is asked about a provider that no catalogue knows.

use super::{Error, ask};
use crate::name::ProviderId;
use crate::provider::catalog::{Auth, Models, Provider};
use crate::provider::{base_url, variables};

/// A provider as the user described it: a row for `providers.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProvider {
    /// Its name.
    pub id: ProviderId,
    /// The variable of its key.
    pub key_env: String,
    /// Where it is. Without one nothing can be sent to it yet.
    pub base_url: Option<String>,
    /// How it wants the key.
    pub auth: Auth,
    /// The model to work with.
    pub main_model: Option<String>,
}

impl NewProvider {
    /// The provider that the row makes.
    pub fn into_provider(self) -> Provider {
        Provider {
            base_url: self.base_url,
            auth: self.auth,
            key_env: vec![self.key_env],
            models: Models { main: self.main_model, ..Models::default() },
            ..Provider::unlisted(self.id)
        }
    }
}

pub(super) fn ask_variable(default: &str) -> Result<String, Error> {
    ask::line_until("Name of the variable for its key", Some(default), variable_problem)
}

/// Asks what is to be known beside the key. Without a base URL the rest would apply to nothing.
pub(super) fn ask_row(id: ProviderId, key_env: String) -> Result<NewProvider, Error> {
    let base_url = ask::line_until("Base URL (empty to skip)", None, base_url_problem)?;
    if base_url.is_empty() {
        return Ok(NewProvider { id, key_env, base_url: None, auth: Auth::Bearer, main_model: None });
    }
    let auth = match key_env.as_str() {
        // These names say it already.
        variables::AUTH_TOKEN => Auth::Bearer,
        variables::API_KEY => Auth::XApiKey,
        _ => {
            let answer =
                ask::line_until("How it takes the key, bearer or x-api-key", Some("bearer"), |text| {
                    auth(text).is_none().then(|| "bearer and x-api-key are the choices".to_owned())
                })?;
            auth(&answer).unwrap_or(Auth::Bearer)
        }
    };
    let model = ask::line_until("Main model (empty to skip)", None, |_| None)?;
    let main_model = Some(model).filter(|model| !model.is_empty());
    Ok(NewProvider { id, key_env, base_url: Some(base_url), auth, main_model })
}

fn auth(text: &str) -> Option<Auth> {
    match text {
        "bearer" => Some(Auth::Bearer),
        "x-api-key" => Some(Auth::XApiKey),
        _ => None,
    }
}

fn variable_problem(text: &str) -> Option<String> {
    let fits = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !fits {
        return Some("capital letters, digits and _, not beginning with a digit".to_owned());
    }
    let taken = !matches!(text, variables::AUTH_TOKEN | variables::API_KEY)
        && (variables::reserved(text).is_some() || variables::field_instead(text).is_some());
    taken.then(|| format!("{text} has a meaning of its own; choose another name"))
}

fn base_url_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    base_url::check_messages_base(text).err().map(|problem| format!("{problem}: {}", problem.hint()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalog::usual_key_variable;

    #[test]
    fn every_provider_has_a_variable_that_may_be_used() {
        for (id, variable) in
            [("acme", "ACME_API_KEY"), ("my-llm.v2", "MY_LLM_V2_API_KEY"), ("01ai", "_01AI_API_KEY")]
        {
            assert_eq!(usual_key_variable(&id.parse().unwrap()), variable);
            assert_eq!(variable_problem(variable), None);
        }
        for bad in ["", "1A", "a", "A-B", "A B", "Ä"] {
            assert!(variable_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_base_url_is_an_address_and_nothing_else() {
        for good in
            ["", "https://llm.acme.example/anthropic", "http://host.docker.internal:8000/", "http://[::1]:1"]
        {
            assert_eq!(base_url_problem(good), None, "{good}");
        }
        for bad in [
            "llm.acme.example",
            "/x",
            "ftp://acme.example",
            "https://",
            "https://a b",
            "https://user:canary@acme.example",
            "https://acme.example?key=canary",
            "https://acme.example/#x",
            "https://acme.example/v1/",
        ] {
            let problem = base_url_problem(bad).unwrap_or_else(|| panic!("{bad} passes"));
            assert!(!problem.contains("canary"));
        }
    }
}
