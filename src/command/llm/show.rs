//! `llm show`: what a session of a provider gets, with every secret hidden.

use std::fmt::Write as _;
use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::state::{self, CredentialView, State};
use crate::command::keys;
use crate::command::launch;
use crate::command::target::Target;
use crate::config;
use crate::error::Error;
use crate::host::Host;
use crate::name::ProviderId;
use crate::provider::catalog::{Origin, Provider};
use crate::provider::credentials::{self, Credentials};
use crate::provider::session_env::{Credential, SessionEnv};
use crate::provider::variables::{API_KEY, AUTH_TOKEN, MODEL, OAUTH_TOKEN, SMALL_MODEL};
use crate::ui::table::{Cell, Table};
use crate::ui::{self, FAINT, WARNING};

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm show zai                   what a session on Z.AI gets
  claude-reactor llm show --json | jq '.variables[] | select(.secret | not)'";

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Show what a session of a provider gets: endpoint, models and variables, secrets hidden
///
/// Of a secret nothing is shown but that it is set. Needs no engine and tries nothing: `llm test` does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: super::Which,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// All that is shown.
#[derive(Debug, Serialize)]
struct Shown {
    /// The provider.
    provider: String,
    /// What people call it.
    name: String,
    /// Whose keys.
    account: String,
    /// The API it speaks.
    wire: &'static str,
    /// Whose row it is: `built-in`, `overridden`, `own` or `none`.
    row: &'static str,
    /// Where a session's requests go; null where nothing says it.
    endpoint: Option<String>,
    /// The main model; null where it is Claude Code's own choice, or yours to make.
    model: Option<String>,
    /// The small model.
    small_model: Option<String>,
    /// How many tokens the main model takes; null where that is Claude Code's to know.
    context_window: Option<u64>,
    /// What pays; null where nothing is set up.
    credential: Option<CredentialView>,
    /// Where to get a key.
    key_url: Option<String>,
    /// Why no session can start; null where one can.
    problem: Option<String>,
    /// The variables of a session, by name; empty where none can start.
    variables: Vec<Variable>,
}

/// A variable of a session.
#[derive(Debug, Serialize)]
struct Variable {
    /// Its name.
    name: String,
    /// Its value; null where it is a secret.
    value: Option<String>,
    /// Whether it is a secret that is set.
    secret: bool,
    /// Where it comes from: `claude-reactor`, `row`, a line of the provider's `.env`, or what chose the model.
    from: String,
}

/// Does it.
pub(super) fn show(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let target = args.which.look(host)?;
    let provider = super::provider(&target)?;
    let shown = shown(&target, &provider)?;
    if args.json {
        ui::json(&shown)?;
    } else {
        ui::shown(&text(&target, &shown))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(target: &Target, provider: &Provider) -> Result<Shown, Error> {
    let stored = keys::stored(target, provider)?;
    let (env, problem) = match launch::session_env(target, provider, &stored) {
        Ok(env) => (Some(env), None),
        Err(error @ Error::SessionEnv(_)) => (None, Some(state::in_words(&error))),
        Err(error) => return Err(error),
    };
    let credential = match &env {
        Some(env) => Some(env.credential().clone()),
        // A model may be all that is missing.
        None => State::of(target, provider).credential().cloned(),
    };
    let of_env = |name: &str| {
        let value = env.as_ref()?.for_command().find(|(known, _)| *known == name)?.1.expose_secret();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let choice = |setting: &Option<config::Setting<String>>| setting.as_ref().map(|one| one.value.clone());
    let models = &provider.models;
    Ok(Shown {
        provider: provider.id.to_string(),
        name: provider.name.clone(),
        account: target.account.to_string(),
        wire: provider.wire.as_str(),
        row: state::row(target, provider),
        endpoint: env
            .as_ref()
            .map(|env| env.endpoint().to_owned())
            .or(provider.endpoint().map(str::to_owned)),
        model: of_env(MODEL).or_else(|| choice(&target.settings.model)).or_else(|| models.main.clone()),
        small_model: of_env(SMALL_MODEL)
            .or_else(|| choice(&target.settings.small_model))
            .or_else(|| models.small.clone()),
        context_window: provider.context_window,
        credential: credential.map(|one| CredentialView::of(target, provider, &one)),
        key_url: provider.key_url.clone(),
        problem,
        variables: env.map(|env| variables(target, provider, &stored, &env)).unwrap_or_default(),
    })
}

fn variables(target: &Target, provider: &Provider, stored: &Credentials, env: &SessionEnv) -> Vec<Variable> {
    let secrets = secrets(provider, stored, env);
    let variable = |(name, value): (&str, &SecretString)| {
        let value = value.expose_secret();
        let secret = is_hidden(name, value, &secrets, stored);
        Variable {
            name: name.to_owned(),
            value: (!secret).then(|| value.to_owned()),
            secret,
            from: from(target, provider, stored, env, name, value),
        }
    };
    env.for_command().map(variable).collect()
}

/// The values that are secrets by what they are for.
fn secrets<'a>(provider: &Provider, stored: &'a Credentials, env: &SessionEnv) -> Vec<&'a str> {
    let cloud = |name: &str| {
        let questions = provider.cloud.as_ref().map(|cloud| cloud.questions.as_slice()).unwrap_or_default();
        questions.iter().any(|question| question.secret && question.var == name)
    };
    let keys = [AUTH_TOKEN, API_KEY, OAUTH_TOKEN];
    let is_one = |name: &str| {
        keys.contains(&name) || cloud(name) || provider.key_env.iter().chain(own(env)).any(|own| own == name)
    };
    let values = stored.iter().filter(|(name, _)| is_one(name)).map(|(_, value)| value.expose_secret());
    values.filter(|value| !value.is_empty()).collect()
}

fn own(env: &SessionEnv) -> Option<&String> {
    if let Credential::Key(name) = env.credential() { Some(name) } else { None }
}

/// Whether a value is not to be seen. Lines that the user added may hold anything, so what may be a secret counts as one.
fn is_hidden(name: &str, value: &str, secrets: &[&str], stored: &Credentials) -> bool {
    if value.is_empty() {
        return false;
    }
    let by_hand = stored.get(name).is_some()
        && (name.contains("HEADER") || value.contains("://") && value.contains('@'));
    secrets.iter().any(|secret| value.contains(secret))
        || by_hand
        || stored.get(name).is_some() && config::is_secret(name, value)
}

/// Where a variable comes from, for people.
fn from(
    target: &Target,
    provider: &Provider,
    stored: &Credentials,
    env: &SessionEnv,
    name: &str,
    value: &str,
) -> String {
    let file = credentials::path(&target.reactor_home, &target.account, &provider.id);
    let file = format!("llms/{}/{}", provider.id, file.file_name().unwrap_or_default().display());
    let is_file = provider.cloud.as_ref().is_some_and(|cloud| cloud.files.iter().any(|one| one.var == name));
    if is_file {
        return format!("llms/{}/files", provider.id);
    }
    if stored.get(name).is_some() {
        return file;
    }
    if [AUTH_TOKEN, API_KEY, OAUTH_TOKEN].contains(&name) && !value.is_empty() {
        return match env.credential() {
            Credential::Key(key) => format!("{file}, {key}"),
            _ => "claude-reactor".to_owned(),
        };
    }
    let settings = &target.settings;
    for (variable, setting) in [(MODEL, &settings.model), (SMALL_MODEL, &settings.small_model)] {
        if let Some(setting) = setting.as_ref().filter(|setting| variable == name && setting.value == value) {
            return setting.source.to_string();
        }
    }
    if provider.env.contains_key(name) {
        return match provider.origin {
            Origin::BuiltIn => "the row",
            _ => "the row, or providers.yaml",
        }
        .to_owned();
    }
    "claude-reactor".to_owned()
}

fn text(target: &Target, shown: &Shown) -> String {
    let mut head = Table::<2>::plain();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            head.row([Cell::from(name).styled(FAINT), Cell::from(value)]);
        }
    };
    line("provider", Some(format!("{} ({})", super::named(&shown.provider, &shown.name), whose(shown.row))));
    line("account", Some(shown.account.clone()));
    line("endpoint", shown.endpoint.clone());
    let unnamed = if shown.provider == ProviderId::claude().as_str() {
        "Claude Code's own choice".to_owned()
    } else {
        format!("none yet: `claude-reactor llm use {} --model MODEL`", shown.provider)
    };
    line("model", Some(shown.model.clone().unwrap_or(unnamed)));
    line("small model", shown.small_model.clone());
    line("context window", shown.context_window.map(|tokens| format!("{tokens} tokens")));
    let key = shown.credential.as_ref().map(|credential| credential.shown(target));
    line("key", Some(key.unwrap_or_else(|| "not set up".to_owned())));
    line("keys are had at", shown.key_url.clone());
    let mut text = head.render();
    if let Some(problem) = &shown.problem {
        let _ =
            writeln!(text, "\n{} {}", ui::styled(WARNING, "no session can start:"), ui::one_line(problem));
    }
    if !shown.variables.is_empty() {
        let mut table = Table::new(["VARIABLE", "VALUE", "FROM"]);
        for Variable { name, value, from, .. } in &shown.variables {
            let value = match value.as_deref() {
                None => Cell::from(HIDDEN).styled(FAINT),
                Some("") => Cell::from("(empty)").styled(FAINT),
                Some(value) => Cell::from(value),
            };
            table.row([Cell::from(name.as_str()), value, Cell::from(from.as_str()).styled(FAINT)]);
        }
        text.push('\n');
        text.push_str(&table.render());
    }
    text
}

fn whose(row: &str) -> &str {
    match row {
        "overridden" => "built-in, changed by you",
        "own" => "yours",
        "none" => "no row, only its .env",
        row => row,
    }
}
