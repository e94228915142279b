//! The form of a row in the file, how a user's row goes over a built-in one, and the checks that make it a provider.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::dialect::{self, Dialect};
use super::mode::Mode;
use super::mode_row::{self, FILE_QUESTION, FileRow, Ordered, QUESTION, QuestionRow};
use super::problem::Problem;
use super::provider::{Auth, Models, Origin, Provider, Wire};
use crate::config::yaml::Keys;
use crate::name::ProviderId;
use crate::provider::base_url;
use crate::provider::variables::{self, is_variable_name};

/// The keys a catalogue file may have.
pub static FILE: Keys = Keys::Map(&[("providers", Keys::Each(&ROW))]);

static ROW: Keys = Keys::Map(&[
    ("name", Keys::Text),
    ("wire", Keys::OneOf(&["anthropic", "openai", "gemini", "ollama", "plugin"])),
    ("base_url", Keys::Text),
    ("auth", Keys::OneOf(&["bearer", "x-api-key", "none"])),
    ("key_env", Keys::Texts),
    ("key_url", Keys::Text),
    ("key_optional", Keys::Bool),
    ("models", Keys::Map(&[("main", Keys::Text), ("small", Keys::Text), ("map", Keys::Each(&Keys::Text))])),
    ("context_window", Keys::Number),
    ("dialect", dialect::KEYS),
    ("mode", Keys::OneOf(&["bedrock", "vertex", "foundry"])),
    ("ask", Keys::Each(&QUESTION)),
    ("files", Keys::Each(&FILE_QUESTION)),
    ("env", Keys::Each(&Keys::Text)),
]);

/// A catalogue file: ours, or the user's `providers.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) providers: Option<BTreeMap<String, Option<Row>>>,
}

/// What a file says of one provider: every field may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    name: Option<String>,
    wire: Option<Wire>,
    base_url: Option<String>,
    auth: Option<Auth>,
    key_env: Option<Names>,
    key_url: Option<String>,
    key_optional: Option<bool>,
    models: Option<Models>,
    context_window: Option<u64>,
    dialect: Option<serde_yaml::Mapping>,
    pub(super) mode: Option<Mode>,
    ask: Option<Ordered<QuestionRow>>,
    files: Option<Ordered<FileRow>>,
    env: Option<BTreeMap<String, String>>,
}

/// One name, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names(Vec<String>);

/// What is wrong with a row: in which field, and how. A field is a path of keys; none is the row as a whole.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) field: Vec<String>,
    pub(super) problem: Problem,
}

impl Row {
    /// This row without its name, as the base of one that has another.
    pub(super) fn unnamed(self) -> Self {
        Self { name: None, ..self }
    }

    /// This row with `over`'s fields in the place of its own. `models`, `ask`, `files` and `env` go together key by key.
    pub(super) fn overridden_by(self, over: Self) -> Self {
        let models = match (self.models, over.models) {
            (Some(base), Some(over)) => {
                let map = base.map.into_iter().chain(over.map).collect();
                Some(Models { main: over.main.or(base.main), small: over.small.or(base.small), map })
            }
            (base, over) => over.or(base),
        };
        let mut env = self.env.unwrap_or_default();
        env.extend(over.env.unwrap_or_default());
        let mut dialect = self.dialect.unwrap_or_default();
        dialect.extend(over.dialect.unwrap_or_default());
        Self {
            name: over.name.or(self.name),
            wire: over.wire.or(self.wire),
            base_url: over.base_url.or(self.base_url),
            auth: over.auth.or(self.auth),
            key_env: over.key_env.or(self.key_env),
            key_url: over.key_url.or(self.key_url),
            key_optional: over.key_optional.or(self.key_optional),
            models,
            context_window: over.context_window.or(self.context_window),
            dialect: Some(dialect),
            mode: over.mode.or(self.mode),
            ask: Some(self.ask.unwrap_or_default().overridden_by(over.ask.unwrap_or_default())),
            files: Some(self.files.unwrap_or_default().overridden_by(over.files.unwrap_or_default())),
            env: Some(env),
        }
    }

    /// The provider this row describes, if all of it holds.
    pub(super) fn into_provider(self, id: ProviderId, origin: Origin) -> Result<Provider, Fault> {
        let (ask, files) = (self.ask.unwrap_or_default(), self.files.unwrap_or_default());
        let cloud = match self.mode {
            Some(mode) => Some(mode_row::cloud(mode, ask, files)?),
            None => match (ask.first(), files.first()) {
                (None, None) => None,
                (Some(_), _) => return Err(fault(&["ask"], Problem::NoMode)),
                (None, Some(_)) => return Err(fault(&["files"], Problem::NoMode)),
            },
        };
        let auth = if cloud.is_some() { Auth::None } else { Auth::Bearer };
        let provider = Provider {
            name: self.name.unwrap_or_else(|| id.to_string()),
            id,
            wire: self.wire.unwrap_or(Wire::Anthropic),
            base_url: self.base_url.map(|url| url.trim_end_matches('/').to_owned()),
            auth: self.auth.unwrap_or(auth),
            key_env: self.key_env.unwrap_or_default().0,
            key_url: self.key_url,
            key_optional: self.key_optional.unwrap_or(false),
            models: self.models.unwrap_or_default(),
            context_window: self.context_window,
            dialect: read_dialect(self.dialect.unwrap_or_default())?,
            cloud,
            env: self.env.unwrap_or_default(),
            origin,
        };
        check_texts(&provider)?;
        check_endpoint(&provider)?;
        check_key(&provider)?;
        check_env(&provider)?;
        Ok(provider)
    }
}

impl From<&Provider> for Row {
    fn from(provider: &Provider) -> Self {
        let Provider { name, wire, base_url, auth, key_env, key_url, key_optional, models, .. } =
            provider.clone();
        Self {
            name: Some(name),
            wire: Some(wire),
            base_url,
            auth: Some(auth),
            key_env: Some(Names(key_env)),
            key_url,
            key_optional: Some(key_optional),
            models: Some(models),
            context_window: provider.context_window,
            dialect: match serde_yaml::to_value(&provider.dialect) {
                Ok(serde_yaml::Value::Mapping(dialect)) => Some(dialect),
                _ => None,
            },
            mode: provider.mode(),
            ask: provider.cloud.as_ref().map(|cloud| cloud.questions.as_slice().into()),
            files: provider.cloud.as_ref().map(|cloud| cloud.files.as_slice().into()),
            env: Some(provider.env.clone()),
        }
    }
}

fn read_dialect(dialect: serde_yaml::Mapping) -> Result<Dialect, Fault> {
    serde_yaml::from_value(serde_yaml::Value::Mapping(dialect))
        .map_err(|error| fault(&["dialect"], Problem::Dialect(error.to_string())))
}

pub(super) fn fault(field: &[&str], problem: impl Into<Problem>) -> Fault {
    Fault { field: field.iter().map(|&key| key.to_owned()).collect(), problem: problem.into() }
}

fn check_texts(provider: &Provider) -> Result<(), Fault> {
    let texts: [(&[&str], Option<&str>); 3] = [
        (&["name"], Some(&provider.name)),
        (&["models", "main"], provider.models.main.as_deref()),
        (&["models", "small"], provider.models.small.as_deref()),
    ];
    let is_bad = |text: &str| text.is_empty() || text.trim() != text || text.contains(char::is_control);
    match texts.into_iter().find(|(_, text)| text.is_some_and(is_bad)) {
        Some((field, _)) => Err(fault(field, Problem::Text)),
        None if provider.context_window == Some(0) => Err(fault(&["context_window"], Problem::Zero)),
        None => Ok(()),
    }
}

fn check_endpoint(provider: &Provider) -> Result<(), Fault> {
    if let Some(url) = &provider.base_url {
        let check = match provider.wire {
            Wire::Anthropic if provider.cloud.is_none() => base_url::check_messages_base,
            _ => base_url::check_base,
        };
        check(url).map_err(|problem| fault(&["base_url"], problem))?;
    } else if provider.origin == Origin::User && provider.cloud.is_none() {
        return Err(fault(&[], Problem::NoBaseUrl { nearest: None }));
    }
    match &provider.key_url {
        Some(url) => base_url::check_page(url).map_err(|problem| fault(&["key_url"], problem)),
        None => Ok(()),
    }
}

fn check_key(provider: &Provider) -> Result<(), Fault> {
    if provider.cloud.is_some() {
        return match provider {
            Provider { wire, .. } if *wire != Wire::Anthropic => Err(fault(&["wire"], Problem::InMode)),
            Provider { auth, .. } if *auth != Auth::None => Err(fault(&["auth"], Problem::InMode)),
            Provider { key_env, .. } if !key_env.is_empty() => Err(fault(&["key_env"], Problem::InMode)),
            _ => Ok(()),
        };
    }
    for name in &provider.key_env {
        let problem = if !is_variable_name(name) {
            Problem::VariableName
        } else if let Some(why) = variables::reserved(name) {
            Problem::Reserved { name: name.clone(), why }
        } else if let Some(problem) = wrong_header(name, provider.auth) {
            problem
        } else {
            continue;
        };
        return Err(fault(&["key_env"], problem));
    }
    Ok(())
}

/// A key under the name of one of Claude Code's own variables is sent as that variable says.
fn wrong_header(name: &str, auth: Auth) -> Option<Problem> {
    let other = |sent, auth| Some(Problem::OtherHeader { name: name.to_owned(), sent, auth });
    match (name, auth) {
        (_, Auth::None) => Some(Problem::KeyWithoutAuth),
        (variables::AUTH_TOKEN, Auth::XApiKey) => other("bearer", "x-api-key"),
        (variables::API_KEY, Auth::Bearer) => other("x-api-key", "bearer"),
        (variables::AUTH_TOKEN | variables::API_KEY, _) => None,
        _ => variables::field_instead(name).map(|field| Problem::Field { name: name.to_owned(), field }),
    }
}

fn check_env(provider: &Provider) -> Result<(), Fault> {
    for (name, value) in &provider.env {
        let problem = if !is_variable_name(name) {
            Problem::VariableName
        } else if let Some(why) = variables::reserved(name) {
            Problem::Reserved { name: name.clone(), why }
        } else if let Some(field) = variables::field_instead(name) {
            Problem::Field { name: name.clone(), field }
        } else if let (Some(mode), Some(why)) = (provider.mode(), variables::reserved_in_modes(name)) {
            if name == mode.base_url() {
                Problem::Field { name: name.clone(), field: "base_url" }
            } else {
                Problem::Reserved { name: name.clone(), why }
            }
        } else if provider.key_env.contains(name)
            || provider.cloud.as_ref().is_some_and(|cloud| cloud.credentials().any(|var| var == name))
        {
            Problem::Key(name.clone())
        } else if value.contains('\0') {
            Problem::Nul
        } else {
            continue;
        };
        return Err(fault(&["env", name], problem));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a variable, or a list of names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(OneOrMore)
    }
}
