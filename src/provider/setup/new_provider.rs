//! What is asked about a provider that no catalogue knows.

use ureq::http::Uri;

use super::{Error, ask};
use crate::name::ProviderId;
use crate::provider::catalog::Auth;

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

/// `ACME_API_KEY` for `acme`.
pub(super) fn default_variable(id: &ProviderId) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = id.as_str().chars().map(upper).collect();
    let digit = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    format!("{digit}{name}_API_KEY")
}

pub(super) fn ask_variable(default: &str) -> Result<String, Error> {
    ask::line("Name of the variable for its key", Some(default), variable_problem)
}

pub(super) fn ask_row(id: ProviderId, key_env: String) -> Result<NewProvider, Error> {
    let base_url = ask::line("Base URL (empty to skip)", None, base_url_problem)?;
    let auth = ask::line("How it takes the key, bearer or x-api-key", Some("bearer"), |text| {
        if auth(text).is_none() { Some("bearer and x-api-key are the choices") } else { None }
    })?;
    let model = ask::line("Main model (empty to skip)", None, |_| None)?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(NewProvider {
        id,
        key_env,
        base_url: given(base_url),
        auth: self::auth(&auth).unwrap_or(Auth::Bearer),
        main_model: given(model),
    })
}

/// Whether a base URL ends with the version that Claude Code appends by itself.
pub(super) fn has_version(base_url: &str) -> bool {
    let base_url = base_url.trim_end_matches('/');
    base_url.ends_with("/v1") || base_url.ends_with("/v1/messages")
}

fn auth(text: &str) -> Option<Auth> {
    match text {
        "bearer" => Some(Auth::Bearer),
        "x-api-key" => Some(Auth::XApiKey),
        _ => None,
    }
}

fn variable_problem(text: &str) -> Option<&'static str> {
    let fits = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if fits { None } else { Some("capital letters, digits and _, not beginning with a digit") }
}

/// None of the texts repeats the URL: it may hold a password.
fn base_url_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    let Ok(url) = text.parse::<Uri>() else { return Some("this is not a URL") };
    let host = url.host().unwrap_or_default();
    if !matches!(url.scheme_str(), Some("http" | "https")) || host.is_empty() {
        Some("the URL has to begin with https:// or http:// and a host")
    } else if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        Some("a user name or password does not belong in the URL")
    } else if text.contains(['?', '#']) {
        Some("the URL has to end with its path: without ? and #")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_a_variable_that_may_be_used() {
        for (id, variable) in
            [("acme", "ACME_API_KEY"), ("my-llm.v2", "MY_LLM_V2_API_KEY"), ("01ai", "_01AI_API_KEY")]
        {
            assert_eq!(default_variable(&id.parse().unwrap()), variable);
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
        ] {
            let problem = base_url_problem(bad).unwrap_or_else(|| panic!("{bad} passes"));
            assert!(!problem.contains("canary"));
        }
    }

    #[test]
    fn a_version_at_the_end_is_seen() {
        for with in ["https://a.example/v1", "https://a.example/v1/", "https://a.example/v1/messages"] {
            assert!(has_version(with), "{with}");
        }
        assert!(!has_version("https://a.example/xv1"));
    }
}
