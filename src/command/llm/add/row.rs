//! The flags of `llm add` that describe a provider: the fields of its row.

use std::fmt::Write as _;
use std::path::Path;

use crate::command::llm;
use crate::command::provider_rows::{self, Field};
use crate::command::target::Target;
use crate::config::yaml::Scalar;
use crate::config::{self, file};
use crate::error::Error;
use crate::name::ProviderId;
use crate::private_file;
use crate::provider::catalog::{self, Catalog, Provider, usual_key_variable};

/// What a row of providers.yaml says of a provider. Of a known one, each changes a field of its row.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "A provider of your own (a row of providers.yaml)")]
pub struct RowArgs {
    /// Where it is: what /v1/messages is appended to
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// How it takes the key
    #[arg(long, value_name = "HOW", value_parser = ["bearer", "x-api-key", "none"])]
    auth: Option<String>,
    /// The variable of its key; for a new one `NAME_API_KEY`, if left out
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// The main model, in its own words
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The model for quick background work
    #[arg(long, value_name = "MODEL")]
    small_model: Option<String>,
    /// How many tokens the main model takes
    #[arg(long, value_name = "TOKENS")]
    context_window: Option<u64>,
    /// The API it speaks; all but anthropic need the gateway, which this version has not
    #[arg(long, value_name = "API", value_parser = ["anthropic", "openai", "gemini", "ollama"])]
    wire: Option<String>,
    /// A cloud mode of Claude Code
    #[arg(long, value_name = "MODE", value_parser = ["bedrock", "vertex", "foundry"])]
    mode: Option<String>,
}

/// Which flag stands for which field of a row.
const FLAGS: [(&str, &[&str]); 8] = [
    ("--base-url", &["base_url"]),
    ("--auth", &["auth"]),
    ("--key-env", &["key_env"]),
    ("--model", &["models", "main"]),
    ("--small-model", &["models", "small"]),
    ("--context-window", &["context_window"]),
    ("--wire", &["wire"]),
    ("--mode", &["mode"]),
];

impl RowArgs {
    /// What each of [`FLAGS`] says.
    fn values(&self) -> [Option<Scalar>; 8] {
        let text = |value: &Option<String>| value.clone().map(Scalar::Text);
        [
            text(&self.base_url),
            text(&self.auth),
            text(&self.key_env),
            text(&self.model),
            text(&self.small_model),
            self.context_window.map(|tokens| Scalar::Number(tokens.to_string())),
            text(&self.wire),
            text(&self.mode),
        ]
    }

    /// The fields to be written; none where no flag was given.
    pub(super) fn fields(
        &self,
        id: &ProviderId,
        known: Option<&Provider>,
    ) -> Result<Vec<Field<'static>>, Error> {
        let given = FLAGS.iter().zip(self.values()).filter_map(|((_, field), value)| Some((*field, value?)));
        let mut fields: Vec<Field<'static>> = given.collect();
        if fields.is_empty() || known.is_some() || self.mode.is_some() {
            return Ok(fields);
        }
        if self.base_url.is_none() {
            return Err(llm::Error::NoBaseUrl(id.clone()).into());
        }
        let auth = self.auth.as_deref().unwrap_or("bearer");
        if self.auth.is_none() {
            fields.push((&["auth"], Scalar::Text(auth.to_owned())));
        }
        if self.key_env.is_none() && auth != "none" {
            fields.push((&["key_env"], Scalar::Text(usual_key_variable(id))));
        }
        Ok(fields)
    }

    /// The flags as a shell takes them back, each with a blank before it.
    pub(super) fn as_typed(&self) -> String {
        let flags = FLAGS.iter().zip(self.values()).filter_map(|((flag, _), value)| Some((flag, value?)));
        flags.fold(String::new(), |mut typed, (flag, value)| {
            let value = match value {
                Scalar::Text(text) => text,
                other => other.to_string(),
            };
            let value = private_file::quoted(Path::new(&value));
            let _ = write!(typed, " {flag} {value}");
            typed
        })
    }

    /// The catalogue as it will be with these fields. What is wrong with one is said of its flag.
    pub(super) fn catalog_with(target: &Target, id: &ProviderId, fields: &[Field]) -> Result<Catalog, Error> {
        let path = Catalog::user_file(&target.reactor_home);
        let document = provider_rows::document(&path, &file::read_text(&path)?)?;
        let document = provider_rows::with(&document, id, fields)?;
        Catalog::load(Some((&path, document.text()))).map_err(|error| of_flag(error, id, fields))
    }
}

fn of_flag(error: catalog::Error, id: &ProviderId, fields: &[Field]) -> Error {
    let catalog::Error::Row { row, field: Some(at), problem, .. } = &error else { return error.into() };
    let flag = FLAGS.iter().find(|(_, field)| field.join(".") == *at);
    match flag.filter(|(_, field)| row == id.as_str() && fields.iter().any(|(given, _)| given == field)) {
        Some((flag, _)) => config::Error::Value {
            place: (*flag).to_owned(),
            problem: problem.to_string(),
            hint: problem.hint(),
        }
        .into(),
        None => error.into(),
    }
}
